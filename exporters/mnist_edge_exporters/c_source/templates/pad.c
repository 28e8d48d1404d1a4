/* Rows and columns of zeros around the image, and channels of zeros behind `channels_before` of them. */
static void pad(const Layer *layer, const uint8_t *in, uint8_t *out, int channels_before) {
    int y, x, c;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++)
            for (c = 0; c < layer->out_channels; c++) {
                int row = y - layer->rows_above, column = x - layer->columns_left, channel = c - channels_before;
                int is_inside = row >= 0 && row < layer->in_rows && column >= 0 && column < layer->in_columns
                                && channel >= 0 && channel < layer->in_channels;
                *out++ = is_inside
                    ? in[((int32_t)row * layer->in_columns + column) * layer->in_channels + channel]
                    : (uint8_t)layer->out_zero;
            }
}
