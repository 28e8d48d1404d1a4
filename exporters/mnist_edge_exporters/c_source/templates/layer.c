/* A layer: shapes of input and output, and the window that moves over the input.
 * Activations are uint8: the int8 value of the TFLite file + 128. `zero` is the value that stands for 0. */
typedef struct {
    int16_t in_rows, in_columns, in_channels, in_zero;
    int16_t out_rows, out_columns, out_channels, out_zero;
    int16_t low, high;                       /* limits of the output: its activation, or 0 and 255 */
    int16_t window_rows, window_columns;
    int16_t stride_rows, stride_columns;
    int16_t dilation_rows, dilation_columns;
    int16_t rows_above, columns_left;        /* of padding */
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *factor;                   /* scale of each output: what it means, see scale() */
    const int8_t *shift;
} Layer;

static uint8_t limited(const Layer *layer, int32_t value) {
    value += layer->out_zero;
    return (uint8_t)(value < layer->low ? layer->low : value > layer->high ? layer->high : value);
}
