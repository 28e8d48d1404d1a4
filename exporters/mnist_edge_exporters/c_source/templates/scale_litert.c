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

static int32_t scale(int32_t sum, int32_t factor, int shift) {
    int64_t half = (int64_t)1 << (shift - 1);
    int64_t product = (int64_t)sum * factor;
    int64_t rest = (product + half) & (2 * half - 1);
    uint64_t exact;
    int32_t cheap = (int32_t)((product + half) >> shift);
    /* float32 moves a product by less than 2^-14 of the output's step where that is not clamped anyway,
     * so that the cheap shift is certain unless the product lies as near as that to a half. */
    if (rest > half >> 13 && rest < 2 * half - (half >> 13)) return cheap;
    exact = half_even(to_24_bits(to_24_bits((uint64_t)(sum < 0 ? -(int64_t)sum : sum)) * (uint32_t)factor), shift);
    return sum < 0 ? -(int32_t)exact : (int32_t)exact;
}
