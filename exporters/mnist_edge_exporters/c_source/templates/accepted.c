/* Whether an answer of @name@ is accepted. Needed by @name@_accepted alone. Written by mnist-edge @version@. */
#include "@name@.h"

/* 2^20 * exp(-d * scale / (temperature * softening)) of a logit d steps below the largest; 0 behind the last. */
static const uint32_t weights[@weights_count@] = {
@weights@
};

int @name@_accepted(const uint8_t logits[@upper@_CLASSES]) {
    uint8_t largest = logits[@name@_largest(logits)];
    uint32_t sum = 0;
    int i;
    for (i = 0; i < @upper@_CLASSES && sum <= @limit@u; i++)
        if (largest - logits[i] < @weights_count@) sum += weights[largest - logits[i]];
    return sum <= @limit@u; /* 2^20 / threshold */
}
