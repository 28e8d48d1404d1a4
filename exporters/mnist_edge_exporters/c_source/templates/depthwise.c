/* Weights: [row][column][output]. Each input channel has out_channels / in_channels outputs. */
static void depthwise(const Layer *layer, const uint8_t *in, uint8_t *out) {
    int channels = layer->in_channels, outputs = layer->out_channels, multiplier = outputs / channels;
    int row_step = layer->dilation_rows, column_step = layer->dilation_columns, zero = layer->in_zero;
    int y, x, c, i, j;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++) {
            int top = y * layer->stride_rows - layer->rows_above, left = x * layer->stride_columns - layer->columns_left;
            int first_row = 0, end_row = layer->window_rows, first = 0, end = layer->window_columns, remaining = multiplier;
            const uint8_t *corner; /* the first value under the window that is in the image */
            const int8_t *corner_weights;
            while (first_row < end_row && top + first_row * row_step < 0) first_row++;
            while (end_row > first_row && top + (end_row - 1) * row_step >= layer->in_rows) end_row--;
            while (first < end && left + first * column_step < 0) first++;
            while (end > first && left + (end - 1) * column_step >= layer->in_columns) end--;
            corner = in + ((int32_t)(top + first_row * row_step) * layer->in_columns + left + first * column_step) * channels;
            corner_weights = layer->weights + (int32_t)(first_row * layer->window_columns + first) * outputs;
            for (c = 0; c < outputs; c++, corner_weights++) {
                const uint8_t *row = corner;
                const int8_t *row_weights = corner_weights;
                int32_t sum = layer->bias[c];
                for (i = first_row; i < end_row; i++) {
                    const uint8_t *value = row;
                    const int8_t *weight = row_weights;
                    for (j = first; j < end; j++, value += column_step * channels, weight += outputs)
                        sum += (*value - zero) * *weight;
                    row += (int32_t)row_step * layer->in_columns * channels;
                    row_weights += layer->window_columns * outputs;
                }
                *out++ = limited(layer, scale(sum, layer->factor[c], layer->shift[c]));
                if (--remaining == 0) {
                    remaining = multiplier;
                    corner++;
                }
            }
        }
}
