/* @name@: the network, layer by layer. See @name@.h. Written by mnist-edge @version@; do not edit. */
#include "@name@.h"

@kernels@

/* Constants of the layers. */

@constants@

/* One buffer for all activations; a layer writes where nothing is needed any more. */
static uint8_t memory[@ram@];

static const uint8_t *run(const uint8_t *image) {
@calls@
    return @output@;
}

void @name@_logits(const uint8_t image[@upper@_PIXELS], uint8_t logits[@upper@_CLASSES]) {
    const uint8_t *found = run(image);
    int i;
    for (i = 0; i < @upper@_CLASSES; i++) logits[i] = found[i];
}

int @name@_largest(const uint8_t logits[@upper@_CLASSES]) {
    int best = 0, i;
    for (i = 1; i < @upper@_CLASSES; i++)
        if (logits[i] > logits[best]) best = i;
    return best;
}

int @name@_classify(const uint8_t image[@upper@_PIXELS]) {
    return @name@_largest(run(image));
}
