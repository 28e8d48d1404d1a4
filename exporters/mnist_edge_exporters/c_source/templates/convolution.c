#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
/* Add four products in two instructions, those of bytes 0 and 2 and those of bytes 1 and 3: the same sum. */
static int32_t dot_4(uint32_t even, uint32_t odd, const int8_t *weights, int32_t sum) {
    uint32_t four, pair;
    __builtin_memcpy(&four, weights, 4);
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(four));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(even), "r"(pair));
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(four));
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(odd), "r"(pair));
    return sum;
}
#endif

/* The sums of four outputs: bias, and products of `count` values with weights; or one output four times. */
static void dot(
    const uint8_t *values, const int8_t *weights, const int32_t *bias, int count, int is_one, int32_t sums[4]
) {
    int step = is_one ? 0 : 1, next = is_one ? 0 : count;
    int32_t a = bias[0], b = bias[step], c = bias[2 * step], d = bias[3 * step];
    const uint8_t *end = values + count;
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    const int8_t *third = weights + 2 * next;
    const uint8_t *last = values + (count & ~3);
    while (values < last) {
        uint32_t four, even, odd;
        __builtin_memcpy(&four, values, 4);
        __asm__("uxtb16 %0, %1" : "=r"(even) : "r"(four));
        __asm__("uxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(four));
        b = dot_4(even, odd, weights + next, b);
        a = dot_4(even, odd, weights, a);
        d = dot_4(even, odd, third + next, d);
        c = dot_4(even, odd, third, c);
        values += 4, weights += 4, third += 4;
        __asm__("" : "+r"(values), "+r"(weights), "+r"(third)); /* they stay in registers; no instruction */
    }
#endif
    for (; values < end; weights++) {
        int32_t value = *values++;
        a += value * weights[0];
        b += value * weights[next];
        c += value * weights[2 * next];
        d += value * weights[3 * next];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

static uint8_t *fill(uint8_t *to, int value, int count) {
    for (; count > 0; count--) *to++ = (uint8_t)value;
    return to;
}

static uint8_t *copy(uint8_t *to, const uint8_t *from, int count) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    for (; count >= 4; count -= 4, to += 4, from += 4) __builtin_memcpy(to, from, 4);
#endif
    for (; count > 0; count--) *to++ = *from++;
    return to;
}

/* Gather the values under a window, in the order of the weights; outside of the image they are the zero. */
static void gather(const Layer *layer, const uint8_t *in, int top, int left, uint8_t *to) {
    int columns = layer->window_columns, channels = layer->in_channels, step = layer->dilation_columns;
    int first = 0, end = columns, i, j; /* columns of the window, from `first` to before `end`, are in the image */
    while (first < end && left + first * step < 0) first++;
    while (end > first && left + (end - 1) * step >= layer->in_columns) end--;
    for (i = 0; i < layer->window_rows; i++) {
        int row = top + i * layer->dilation_rows;
        if (row < 0 || row >= layer->in_rows) {
            to = fill(to, layer->in_zero, columns * channels);
        } else {
            const uint8_t *from = in + ((int32_t)row * layer->in_columns + left + first * step) * channels;
            to = fill(to, layer->in_zero, first * channels);
            if (step == 1) to = copy(to, from, (end - first) * channels);
            else for (j = first; j < end; j++, from += step * channels) to = copy(to, from, channels);
            to = fill(to, layer->in_zero, (columns - end) * channels);
        }
    }
}

/* Weights: [output][row][column][input]. A dense layer is a convolution over one place. The biases leave out what the
 * zero adds to the products. */
static void convolution(const Layer *layer, const uint8_t *in, uint8_t *out, uint8_t *gathered) {
    int count = layer->window_rows * layer->window_columns * layer->in_channels;
    int y, x, c, k, outputs;
    for (y = 0; y < layer->out_rows; y++)
        for (x = 0; x < layer->out_columns; x++) {
            int top = y * layer->stride_rows - layer->rows_above, left = x * layer->stride_columns - layer->columns_left;
            const uint8_t *values = in + ((int32_t)top * layer->in_columns + left) * layer->in_channels;
            const int8_t *weights = layer->weights, *shift = layer->shift;
            const int32_t *bias = layer->bias, *factor = layer->factor;
            if (count > layer->in_channels) {
                gather(layer, in, top, left, gathered);
                values = gathered;
            }
            for (c = layer->out_channels; c > 0; c -= outputs) {
                int32_t sums[4];
                outputs = c < 4 ? 1 : 4;
                dot(values, weights, bias, count, outputs == 1, sums);
                weights += outputs * count;
                bias += outputs;
                for (k = 0; k < outputs; k++) *out++ = limited(layer, scale(sums[k], *factor++, *shift++));
            }
        }
}
