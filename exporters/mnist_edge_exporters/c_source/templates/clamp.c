/* ReLU or ReLU6 alone. */
static void clamp(const Layer *layer, const uint8_t *in, uint8_t *out, int32_t count) {
    while (count-- > 0) *out++ = limited(layer, *in++ - layer->out_zero);
}
