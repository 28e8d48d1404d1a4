/* From one scale to another: a multiplier with 8 bits behind the point, half added before the shift. */
static void requantize(const Layer *layer, const uint8_t *in, uint8_t *out, int32_t count, int32_t factor, int shift) {
    (void)shift;
    while (count-- > 0) *out++ = limited(layer, ((*in++ - layer->in_zero) * factor + 128) >> 8);
}
