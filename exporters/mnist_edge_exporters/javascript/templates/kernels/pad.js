// The zero point around the input: rows, columns and channels before it.
function pad(layer, [values], out) {
  const { x: [h, w, channels], y: [, wide, deep, zero], before: [top, left, first] } = layer;
  out.fill(zero);
  for (let i = 0; i < values.length; i++) {
    const place = floor(i / channels), row = floor(place / w) + top, column = (place % w) + left;
    out[(row * wide + column) * deep + first + (i % channels)] = values[i];
  }
}
