// The function that answers an image with the raw logits: it runs the layers, whose weights the blob has in their order.
function network(layers, text, input, output) {
  const blob = bytes(text), values = [];
  let at = 0;
  const take = (Kind, n) => new Kind(blob.slice(at, at += n * Kind.BYTES_PER_ELEMENT).buffer);
  for (const layer of layers) {
    const [rows, columns, channels, zero] = layer.y;
    Object.assign(layer, { zero, out: new layer.Kind(rows * columns * channels) });
    if (!layer.weights) continue;
    // As many as for whole groups of four outputs.
    const padded = (taken, share) => {
      const out = new Float64Array(Math.ceil(channels / 4) * 4 * share);
      out.set(taken);
      return out;
    };
    layer.weights = padded(take(Int8Array, layer.weights), layer.weights / channels);
    layer.bias = padded(take(Int32Array, channels), 1);
    layer.scales = padded(take(Float32Array, channels), 1);
  }
  return image => {
    if (image.length !== SIDE * SIDE) throw new RangeError(`${image.length} values, expected ${SIDE} x ${SIDE} pixels`);
    values[input] = image;
    for (const layer of layers) {
      layer.kernel(layer, layer.from.map(index => values[index]), layer.out);
      values[layer.to] = layer.out;
    }
    return Uint8Array.from(values[output]);
  };
}

// Golden images, with each run of zeros as a zero and its length.
function unpacked(text) {
  const packed = bytes(text), out = [];
  for (let i = 0; i < packed.length; i++) {
    if (packed[i]) out.push(packed[i]);
    else for (let n = packed[++i]; n > 0; n--) out.push(0);
  }
  return Uint8Array.from(out);
}
