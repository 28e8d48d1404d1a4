// Multipliers of 20 to 21 bits, the half added before the shift.
function add(layer, inputs, out) {
  const { zeros, factors, shift } = layer, one = 2 ** shift;
  for (let i = 0; i < out.length; i++) {
    const sum = (inputs[0][i] - zeros[0]) * factors[0] + (inputs[1][i] - zeros[1]) * factors[1];
    out[i] = limited(layer, floor((sum + one / 2) / one)) + layer.zero;
  }
}
