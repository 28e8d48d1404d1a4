// From one scale to another: 8 bits behind the point, half added before the shift.
function requantize(layer, [values], out) {
  const { x: [, , , from], factor, zero } = layer;
  for (let i = 0; i < out.length; i++) {
    out[i] = limited(layer, floor(((values[i] - from) * factor + 128) / 256)) + zero;
  }
}
