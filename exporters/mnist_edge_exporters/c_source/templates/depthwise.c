/* Weights: [row][column][output]. Each input channel has out_channels / in_channels outputs. */
static void depthwise(const Layer *layer, const uint8_t *in, uint8_t *out) {
    int multiplier = layer->out_channels / layer->in_channels;
    int y, x, c, i, j;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++)
            for (c = 0; c < layer->out_channels; c++) {
                const int8_t *weights = layer->weights + c;
                int32_t sum = layer->bias[c];
                for (i = 0; i < layer->window_rows; i++) {
                    int row = y * layer->stride_rows + i * layer->dilation_rows - layer->rows_above;
                    for (j = 0; j < layer->window_columns; j++, weights += layer->out_channels) {
                        int column = x * layer->stride_columns + j * layer->dilation_columns - layer->columns_left;
                        if (row < 0 || row >= layer->in_rows || column < 0 || column >= layer->in_columns) continue;
                        sum += (in[((int32_t)row * layer->in_columns + column) * layer->in_channels + c / multiplier]
                                - layer->in_zero) * *weights;
                    }
                }
                *out++ = limited(layer, scale(sum, layer->factor[c], layer->shift[c]));
            }
}
