// Grey levels of pixels with 3 or 4 bytes each: luma on white, or on black, or one channel, 0 to 2, on white.
function grey(pixels, step, hasAlpha, channel, ground) {
  const n = pixels.length / step, out = new Uint8Array(n);
  for (let i = 0, p = 0; i < n; i++, p += step) {
    let v = pixels[p + channel];
    if (channel < 0) v = (19595 * pixels[p] + 38470 * pixels[p + 1] + 7471 * pixels[p + 2] + 32768) >> 16;
    if (hasAlpha) {
      const alpha = pixels[p + 3];
      v = ((v * alpha + ground * (255 - alpha) + 127) / 255) | 0;
    }
    out[i] = v;
  }
  return out;
}

function contrast(values) {
  let least = 255, most = 0;
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    if (v < least) least = v;
    if (v > most) most = v;
  }
  return most - least;
}

// Variance of the levels, in a sample of rows and columns.
function variance(d, h, w) {
  let step = 1, n = 0, sum = 0, squares = 0;
  while ((step + 1) * (step + 1) <= div(h * w, 10000)) step++;
  for (let y = 0; y < h; y += step) {
    for (let x = 0; x < w; x += step, n++) {
      const v = d[y * w + x];
      sum += v;
      squares += v * v;
    }
  }
  return div(n * squares - sum * sum, n * n);
}

function toGrey(pixels, h, w) {
  const step = pixels.length / (h * w);
  if (![1, 3, 4].includes(step)) throw new RangeError(`${pixels.length} bytes are no picture of ${w} x ${h} pixels`);
  if (step === 1) return Uint8Array.from(pixels);
  let hasAlpha = false;
  for (let p = 7; step > 3 && p < pixels.length; p += 4) if (pixels[p] !== pixels[3]) hasAlpha = true;
  const onWhite = grey(pixels, step, hasAlpha, -1, 255), found = contrast(onWhite);
  const value = found < 16 ? contrast : d => variance(d, h, w);
  if (found >= 16 && value(onWhite) >= 256) return onWhite;
  if (found < 16 && hasAlpha) {
    const onBlack = grey(pixels, step, true, -1, 0);
    if (contrast(onBlack) >= 16) return onBlack;
  }
  const channels = [0, 1, 2].map(channel => grey(pixels, step, hasAlpha, channel, 255)), values = channels.map(value);
  const best = argmax(values);
  const isBetter = found < 16 ? values[best] >= 16 : 2 * values[best] >= 5 * max(value(onWhite), 1);
  return isBetter ? channels[best] : onWhite;
}
