/* The largest value of a window, or its mean: the sum of the int8 values divided by their number, halves away from
 * zero. Padding does not take part. */
static void pool(const Layer *layer, const uint8_t *in, uint8_t *out, int is_mean) {
    int y, x, c, i, j;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++)
            for (c = 0; c < layer->out_channels; c++) {
                int32_t sum = 0, count = 0, largest = 0, result;
                for (i = 0; i < layer->window_rows; i++)
                    for (j = 0; j < layer->window_columns; j++) {
                        int row = y * layer->stride_rows + i - layer->rows_above;
                        int column = x * layer->stride_columns + j - layer->columns_left;
                        int32_t value;
                        if (row < 0 || row >= layer->in_rows || column < 0 || column >= layer->in_columns) continue;
                        value = in[((int32_t)row * layer->in_columns + column) * layer->in_channels + c];
                        if (value > largest) largest = value;
                        sum += value - 128;
                        count++;
                    }
                result = largest;
                if (is_mean) result = 128 + (sum < 0 ? -((count / 2 - sum) / count) : (sum + count / 2) / count);
                *out++ = limited(layer, result - layer->out_zero);
            }
}
