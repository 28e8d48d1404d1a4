// Weights: [row][column][output]; each input channel has so many outputs that all are used.
function depthwise(layer, [values], out) {
  const { y, window: [rows, columns, down, across, apartY, apartX], weights, bias, scales } = layer;
  const page = surrounded(layer, values), stride = layer.stride, channels = layer.x[2], n = y[2], times = n / channels;
  for (let row = 0, at = 0; row < y[0]; row++) {
    for (let column = 0; column < y[1]; column++) {
      const place = row * down * stride + column * across * channels;
      for (let k = 0; k < n; k++) {
        let sum = bias[k], q = k;
        for (let i = 0; i < rows; i++) {
          let p = place + i * apartY * stride + ((k / times) | 0);
          for (let j = 0; j < columns; j++, p += apartX * channels, q += n) sum += page[p] * weights[q];
        }
        out[at++] = scaled(layer, sum, scales[k]);
      }
    }
  }
}
