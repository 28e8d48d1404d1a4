/* The mean of each channel over all rows and columns: the sum of the int8 values times the scale, and an offset that
 * has both zero points: offset / 2^shift, rounded to 24 bits after each step. */
static void mean(const Layer *layer, const uint8_t *in, uint8_t *out, int64_t offset) {
    int32_t places = (int32_t)layer->in_rows * layer->in_columns, i;
    int c;
    for (c = 0; c < layer->in_channels; c++) {
        int32_t sum = 0, value;
        int64_t exact;
        for (i = 0; i < places; i++) sum += in[i * layer->in_channels + c] - 128;
        exact = (int64_t)to_24_bits((uint64_t)(sum < 0 ? -sum : sum) * (uint32_t)layer->factor[0]);
        exact = (sum < 0 ? -exact : exact) + offset;
        value = (int32_t)half_even(to_24_bits((uint64_t)(exact < 0 ? -exact : exact)), layer->shift[0]);
        *out++ = limited(layer, (exact < 0 ? -value : value) + 128 - layer->out_zero);
    }
}
