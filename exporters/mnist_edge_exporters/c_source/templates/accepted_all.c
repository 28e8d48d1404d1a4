/* Whether an answer of @name@ is accepted: always, since no threshold was chosen. Written by mnist-edge @version@. */
#include "@name@.h"

int @name@_accepted(const uint8_t logits[@upper@_CLASSES]) {
    (void)logits;
    return 1;
}
