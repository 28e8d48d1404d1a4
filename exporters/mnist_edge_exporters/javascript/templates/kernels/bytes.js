const { abs, floor, max, min } = Math;

// Base64 to bytes; atob is not in every JavaScript engine.
function bytes(text) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', value = {};
  for (let i = 0; i < 64; i++) value[digits[i]] = i;
  const n = text.replace(/=/g, '').length, out = new Uint8Array((n * 3) >> 2);
  for (let i = 0, at = 0, bits = 0; i < n; i++) {
    bits = (bits << 6) | value[text[i]];
    if (i % 4) out[at++] = bits >> (6 - 2 * (i % 4));
  }
  return out;
}
