// The sum of each channel times the scale, and an offset that has both zero points, in float32 after each step.
function mean(layer, [values], out) {
  const channels = out.length, { scale, offset, zero } = layer;
  for (let k = 0; k < channels; k++) {
    let sum = 0;
    for (let i = k; i < values.length; i += channels) sum += values[i];
    out[k] = rint(limited(layer, fround(fround(fround(sum) * scale) + offset) - zero) + zero);
  }
}
