/* From one scale to another. */
static void requantize(const Layer *layer, const uint8_t *in, uint8_t *out, int32_t count, int32_t factor, int shift) {
    while (count-- > 0) *out++ = limited(layer, scale(*in++ - layer->in_zero, factor, shift));
}
