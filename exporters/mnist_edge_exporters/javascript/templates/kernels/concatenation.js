// The inputs one behind the other: `lengths` values of each in turn.
function concatenation({ lengths }, inputs, out) {
  for (let at = 0, turn = 0; at < out.length; turn++) {
    inputs.forEach((values, k) => {
      for (let i = 0; i < lengths[k]; i++) out[at++] = values[turn * lengths[k] + i];
    });
  }
}
