// A layer has the shapes [rows, columns, channels, zero point] of its input x and its output y, the limits of the output
// in steps from its zero point, and where it has one, the window: size, strides, dilations, rows above and columns left.
const fround = Math.fround;

// The nearest integer, halves to even, as float32 rounds beside 1.5 * 2^23.
const rint = value => fround(fround(value + 12582912) - 12582912);

// A value in steps from the zero point, within the limits.
const limited = ({ least, most }, value) => value < least ? least : value > most ? most : value;

// The sum of products in float32 times the float32 scale, rounded once.
const scaled = (layer, sum, scale) => rint(limited(layer, fround(fround(sum) * scale))) + layer.zero;

// The input less its zero point, with zeros around it where the window reaches beyond.
function surrounded(layer, values) {
  const { x: [h, w, channels, zero], y, window: [rows, columns, down, across, apartY, apartX, top, left] } = layer;
  const high = (y[0] - 1) * down + (rows - 1) * apartY + 1, wide = (y[1] - 1) * across + (columns - 1) * apartX + 1;
  const page = layer.page || (layer.page = new Float64Array(high * wide * channels));
  const from = max(0, -left), to = min(w, wide - left);
  for (let row = 0; row < min(h, high - top); row++) {
    let at = ((row + top) * wide + left + from) * channels;
    for (let i = (row * w + from) * channels; i < (row * w + to) * channels; i++) page[at++] = values[i] - zero;
  }
  layer.stride = wide * channels;
  return page;
}
