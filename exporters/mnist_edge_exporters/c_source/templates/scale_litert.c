/* Rounding of LiteRT (XNNPACK): float32(sum) * scale, rounded to the nearest integer, halves to even,
 * without any float: a float32 scale is factor / 2^shift, with a factor of 24 bits. */
static uint64_t half_even(uint64_t value, int shift) {
    if (shift == 0) return value;
    return (value + (((uint64_t)1 << (shift - 1)) - 1) + ((value >> shift) & 1)) >> shift;
}

/* What float32 keeps of a natural number: 24 bits. */
static uint64_t to_24_bits(uint64_t value) {
    int surplus = 0;
    while ((value >> surplus) >> 24) surplus++;
    return half_even(value, surplus) << surplus;
}

#ifdef __GNUC__
__attribute__((noinline)) /* as it is rare */
#endif
static int32_t scale_exactly(int32_t sum, int32_t factor, int shift) {
    uint64_t product = to_24_bits((uint64_t)(sum < 0 ? -(int64_t)sum : sum)) * (uint32_t)factor;
    int32_t exact = (int32_t)half_even(to_24_bits(product), shift);
    return sum < 0 ? -exact : exact;
}

static int32_t scale(int32_t sum, int32_t factor, int shift) {
    int64_t product = (int64_t)sum * ((int32_t)factor << 7);
    int behind = shift - 25; /* bits behind the point in the product's high half */
    /* float32 moves a product by less than 2^-14 of the output's step where that is not clamped anyway, so that half
     * added and a shift are certain unless the product lies as near as that to a half: unless the 32 bits behind the
     * result are nearly all 0 or all 1. */
    if (behind > 0) {
        int32_t high = (int32_t)(product >> 32) + ((int32_t)1 << (behind - 1));
        uint32_t rest = (uint32_t)high << (32 - behind) | (uint32_t)product >> behind;
        if (rest - ((uint32_t)1 << 18) < (uint32_t)0 - ((uint32_t)1 << 19)) return high >> behind;
    }
    return scale_exactly(sum, factor, shift);
}
