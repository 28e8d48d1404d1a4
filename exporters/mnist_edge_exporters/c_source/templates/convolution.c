/* Weights: [output][row][column][input]. A dense layer is a convolution over one place. */
static void convolution(const Layer *layer, const uint8_t *in, uint8_t *out) {
    int y, x, c, i, j, k;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++) {
            const int8_t *weights = layer->weights;
            for (c = 0; c < layer->out_channels; c++) {
                int32_t sum = layer->bias[c];
                for (i = 0; i < layer->window_rows; i++) {
                    int row = y * layer->stride_rows + i * layer->dilation_rows - layer->rows_above;
                    for (j = 0; j < layer->window_columns; j++, weights += layer->in_channels) {
                        int column = x * layer->stride_columns + j * layer->dilation_columns - layer->columns_left;
                        const uint8_t *place = in + ((int32_t)row * layer->in_columns + column) * layer->in_channels;
                        if (row < 0 || row >= layer->in_rows || column < 0 || column >= layer->in_columns) continue;
                        for (k = 0; k < layer->in_channels; k++) sum += (place[k] - layer->in_zero) * weights[k];
                    }
                }
                *out++ = limited(layer, scale(sum, layer->factor[c], layer->shift[c]));
            }
        }
}
