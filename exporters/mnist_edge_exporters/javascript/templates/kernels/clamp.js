function clamp(layer, [values], out) {
  values.forEach((value, i) => out[i] = limited(layer, value - layer.zero) + layer.zero);
}
