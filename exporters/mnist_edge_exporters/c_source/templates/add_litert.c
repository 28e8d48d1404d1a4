/* The sum of two tensors: multipliers of 20 to 21 bits, half added before the shift. */
static void add(const Layer *layer, const uint8_t *a, const uint8_t *b, uint8_t *out, int32_t count,
                int32_t zero_a, int32_t factor_a, int32_t zero_b, int32_t factor_b, int shift) {
    while (count-- > 0) {
        int32_t sum = (*a++ - zero_a) * factor_a + (*b++ - zero_b) * factor_b;
        *out++ = limited(layer, (sum + ((int32_t)1 << (shift - 1))) >> shift);
    }
}
