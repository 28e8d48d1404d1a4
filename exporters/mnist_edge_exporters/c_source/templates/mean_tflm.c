/* The mean of each channel over all rows and columns. */
static void mean(const Layer *layer, const uint8_t *in, uint8_t *out, int64_t offset) {
    int32_t places = (int32_t)layer->in_rows * layer->in_columns, i;
    int c;
    (void)offset;
    for (c = 0; c < layer->in_channels; c++) {
        int32_t sum = 0;
        for (i = 0; i < places; i++) sum += in[i * layer->in_channels + c] - layer->in_zero;
        *out++ = limited(layer, scale(sum, layer->factor[0], layer->shift[0]));
    }
}
