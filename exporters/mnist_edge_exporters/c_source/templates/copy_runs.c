/* One input of a concatenation: `count` runs of `length` values, each `distance` behind the last in the output. */
static void copy_runs(const uint8_t *in, uint8_t *out, int32_t count, int32_t length, int32_t distance) {
    int32_t i;
    for (; count > 0; count--, out += distance)
        for (i = 0; i < length; i++) out[i] = *in++;
}
