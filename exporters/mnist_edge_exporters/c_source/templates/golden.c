/* Golden images of @name@ and the logits that every device must give. Needed by @name@_selftest alone. */
#include "@name@.h"

#define IMAGES @count@

static const uint8_t golden_images[IMAGES][@upper@_PIXELS] = {
@images@
};

static const uint8_t golden_logits[IMAGES][@upper@_CLASSES] = {
@logits@
};

int @name@_selftest(void) {
    uint8_t logits[@upper@_CLASSES];
    int wrong = 0, i, j;
    for (i = 0; i < IMAGES; i++) {
        @name@_logits(golden_images[i], logits);
        for (j = 0; j < @upper@_CLASSES; j++) wrong += logits[j] != golden_logits[i][j];
    }
    return wrong;
}
