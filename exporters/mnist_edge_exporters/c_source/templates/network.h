/* @name@: @labels@, read from an image of 28 x 28 pixels.
 *
 * Made by mnist-edge @version@ from @file@ (SHA-256 @sha256@).
 * Same logits as that file to the bit, with the rounding of @rounding_words@: proven on @images@ test images.
 *
 * Static RAM: @ram@ bytes. Flash: @constants@ bytes of constants, and the code. Nothing is allocated, no float is
 * computed, and only <stdint.h> is needed. Not reentrant: one call at a time.
 *
 * An image is 28 rows of 28 pixels, white (255) on black (0), as in MNIST: the digit fits a square of 20 x 20 and its
 * centre of mass is in the middle. README.md tells how to get there from a picture.
 */
#ifndef @guard@
#define @guard@

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define @upper@_PIXELS 784
#define @upper@_CLASSES @classes@

/* Return the class of an image, 0 to @last@: the index of its largest logit, the first of several. */
int @name@_classify(const uint8_t image[@upper@_PIXELS]);

/* Write the logits of an image; the real value of a logit is (logit - @zero@) * @scale@. */
void @name@_logits(const uint8_t image[@upper@_PIXELS], uint8_t logits[@upper@_CLASSES]);

/* Return the index of the largest of these logits, the first of several: the class. */
int @name@_largest(const uint8_t logits[@upper@_CLASSES]);

/* Return 1 if an answer with these logits is accepted, 0 if it is unsure and better not believed: what is no digit, or
 * a poor one. It decides as the contract does. In @name@_accepted.c, with @acceptance_bytes@ bytes of constants. */
int @name@_accepted(const uint8_t logits[@upper@_CLASSES]);

/* Answer the golden images of @name@_golden.c; return how many logits are not as they must be: 0. */
int @name@_selftest(void);

#ifdef __cplusplus
}
#endif

#endif
