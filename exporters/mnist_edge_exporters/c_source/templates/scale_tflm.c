/* Rounding of TensorFlow Lite Micro and CMSIS-NN: the scale is factor * 2^(shift - 31); the doubled product's
 * high half is rounded, and rounded again where it is shifted to the right. */
static int32_t scale(int32_t sum, int32_t factor, int shift) {
    int left = shift > 0 ? shift : 0;
    int right = shift > 0 ? 0 : -shift;
    int64_t product = ((int64_t)sum << left) * factor;
    int64_t high = (product + ((int64_t)1 << 30)) >> 31;
    int64_t mask = ((int64_t)1 << right) - 1;
    return (int32_t)((high >> right) + ((high & mask) > (mask >> 1) + (high < 0)));
}
