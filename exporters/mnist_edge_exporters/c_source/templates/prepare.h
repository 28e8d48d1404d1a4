/* @name@_prepare: from a grey picture of one digit to the image that the network takes.
 *
 * The preprocessing `mnist/1` of mnist-edge @version@, in integers alone: the same 28 x 28 pixels as on every other
 * device, to the bit. Uneven light, shadows, either polarity, ruled lines, hairlines: what the runtime for Python reads.
 *
 * Memory: the picture, a work buffer of the caller's (28 x 28: 15,100 bytes, 96 x 96: 27,748, 160 x 120: 54,000,
 * 320 x 240: 214,724), and about 6 KB of stack. Flash: about 15 KB of code on a Cortex-M with -Os, 18 KB on RISC-V.
 * Nothing is allocated, no float is computed, and only <stdint.h> is needed. Reentrant with a work buffer a call.
 */
#ifndef @upper@_PREPARE_H
#define @upper@_PREPARE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define @upper@_PREPARE_LONGER 320     /* pixels of the longer side of a picture, at most */
#define @upper@_PREPARE_SHORTER 240    /* and of the shorter side */
#define @upper@_PREPARE_WORK 214724L   /* bytes of work buffer that are enough for every picture */

enum {
    @upper@_PREPARE_DONE = 0,
    @upper@_PREPARE_BLANK = 1,         /* nothing stands out, or nothing but specks: the image is not written */
    @upper@_PREPARE_SIZE = 2           /* a side below 3 pixels, or a picture that is too large */
};

/* Return the bytes of work buffer that a picture of this size needs; 0 for a size that is refused. */
int32_t @name@_prepare_work(int32_t width, int32_t height);

/* Write the image of the digit in a picture; return one of the codes above.
 *
 * picture: height rows of width pixels, 0 is black, 255 white; dark on light or light on dark.
 * work: @name@_prepare_work(width, height) bytes, of any content.
 * image: 28 rows of 28 pixels, as @name@_classify takes them. A picture that is such an image already is copied. */
int @name@_prepare(const uint8_t *picture, int32_t width, int32_t height, uint8_t *work, uint8_t image[784]);

#ifdef __cplusplus
}
#endif

#endif
