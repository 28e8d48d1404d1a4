// Weights: [output][row][column][input]; four outputs at a time, in floats, which hold these sums exactly. What a last
// group has too much is overwritten by the next place.
function convolution(layer, [values], out) {
  const { x: [, , channels], y, window: [rows, columns, down, across, apartY, apartX], weights, bias, scales } = layer;
  const page = surrounded(layer, values), stride = layer.stride, n = y[2], size = rows * columns * channels;
  const runs = apartX > 1 ? columns : 1, length = (columns / runs) * channels;
  for (let row = 0, at = 0; row < y[0]; row++) {
    for (let column = 0; column < y[1]; column++, at += n) {
      const place = row * down * stride + column * across * channels;
      for (let k = 0; k < n; k += 4) {
        let a = bias[k], b = bias[k + 1], c = bias[k + 2], d = bias[k + 3], q = k * size;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < runs; j++) {
            const p = place + i * apartY * stride + j * apartX * channels;
            for (let m = 0; m < length; m++, q++) {
              const value = page[p + m];
              a += value * weights[q];
              b += value * weights[q + size];
              c += value * weights[q + 2 * size];
              d += value * weights[q + 3 * size];
            }
          }
        }
        out[at + k] = scaled(layer, a, scales[k]);
        out[at + k + 1] = scaled(layer, b, scales[k + 1]);
        out[at + k + 2] = scaled(layer, c, scales[k + 2]);
        out[at + k + 3] = scaled(layer, d, scales[k + 3]);
      }
    }
  }
}
