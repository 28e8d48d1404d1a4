// The largest value of a window, or its mean, halves away from zero; padding does not take part.
function pool(layer, [values], out) {
  const { x: [h, w, channels], y, window: [rows, columns, down, across, , , top, left], isMean } = layer;
  for (let at = 0; at < out.length; at++) {
    const place = floor(at / channels), firstY = floor(place / y[1]) * down - top;
    const firstX = (place % y[1]) * across - left;
    let sum = 0, count = 0, largest = -128;
    for (let row = max(firstY, 0); row < min(firstY + rows, h); row++) {
      for (let column = max(firstX, 0); column < min(firstX + columns, w); column++, count++) {
        const value = values[(row * w + column) * channels + (at % channels)];
        sum += value;
        largest = max(largest, value);
      }
    }
    const mean = Math.sign(sum) * floor((abs(sum) + (count >> 1)) / count);
    out[at] = limited(layer, (isMean ? mean : largest) - layer.zero) + layer.zero;
  }
}
