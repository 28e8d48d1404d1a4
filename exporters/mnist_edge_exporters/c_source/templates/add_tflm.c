/* The sum of two tensors, each shifted left by 20 bits and scaled to twice the larger of both scales. */
static void add(const Layer *layer, const uint8_t *a, const uint8_t *b, uint8_t *out, int32_t count,
                int32_t zero_a, int32_t factor_a, int shift_a, int32_t zero_b, int32_t factor_b, int shift_b,
                int32_t factor, int shift) {
    while (count-- > 0) {
        int32_t sum = scale((*a++ - zero_a) * ((int32_t)1 << 20), factor_a, shift_a)
                    + scale((*b++ - zero_b) * ((int32_t)1 << 20), factor_b, shift_b);
        *out++ = limited(layer, scale(sum, factor, shift));
    }
}
