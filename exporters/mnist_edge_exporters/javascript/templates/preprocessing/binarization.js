// The ink under each hypothesis about the background, with the level that all light taken away would have.
function* inks(a, isEven) {
  if (isEven) yield* uniform(a);
  yield* illuminated(a);
}

function* inkMaps(a, isEven) {
  const deviation = 4 * noise(a);
  for (const { ink, counts, full, light } of inks(a, isEven)) {
    const reached = min(div(deviation * full, 16 * light), div(2 * full, 5));
    const floor = max(div(full, 25), reached);
    yield { ink, threshold: otsu(counts, floor), full, noise: reached, floor, isEven: full === light };
  }
}

function* uniform(a) {
  const level = median(border(a)), { h, w } = a, found = [];
  for (const sign of [-1, 1]) {
    const ink = plane(h, w, a.d.map(v => max(0, sign * (v - level)))), counts = histogram(ink.d);
    const full = max(sign < 0 ? level : 255 - level, 32);
    const energy = div(counts.reduce((sum, n, v) => sum + n * v * v, 0) * 256, full * full);
    if (largest(ink.d) >= 16) found.push({ ink, counts, full, light: full, energy });
  }
  if (found.length > 1 && found[1].energy > found[0].energy) found.reverse();
  yield* found;
}

function* illuminated(a) {
  const { h, w } = a, step = longer(a) <= 80 ? 1 : 2, coarse = blockMeans(a, min(step, h), min(step, w));
  for (const share of [70, 35, 12]) {
    const reach = div(share * longer(coarse) + 100, 200);
    if (reach < 3) return;
    let best = null;
    for (const invert of [0, 255]) {
      const light = closing(plane(coarse.h, coarse.w, coarse.d.map(v => v ^ invert)), reach), ink = plane(h, w);
      let most = 0;
      for (let y = 0, i = 0; y < h; y++) {
        const row = min(div(y, step), light.h - 1) * light.w;
        for (let x = 0; x < w; x++, i++) {
          const l = light.d[row + min((x / step) | 0, light.w - 1)], absorbed = max(l - (a.d[i] ^ invert), 0);
          most = max(most, absorbed);
          ink.d[i] = ((255 * absorbed) / max(l, 32)) | 0;
        }
      }
      if (most < 16) continue;
      // Half of the picture is background.
      const middle = ranked(histogram(ink.d), ((h * w + 1) >> 1) - 1);
      ink.d = ink.d.map(v => max(v, middle) - middle);
      const counts = histogram(ink.d), mass = counts.reduce((sum, n, v) => sum + n * v, 0), strongest = largest(ink.d);
      const cube = strongest * strongest * strongest;
      if (strongest && (!best || mass * best.cube < best.mass * cube)) {
        best = { ink, counts, full: 255, light: max(median(light.d), 32), mass, cube };
      }
    }
    if (best) yield best;
  }
}
