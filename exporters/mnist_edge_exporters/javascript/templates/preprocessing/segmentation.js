const SURE = 205, FAIR = 128;

function findStrokes(a, sure, isEven) {
  if (longer(a) < 40) sure = FAIR;
  let best = null;
  const maps = [];
  for (const map of inkMaps(a, isEven)) {
    if (map.threshold === NONE) continue;
    maps.push(map);
    best = better(best, strokesAbove(map, map.threshold));
    if (best && best.score >= sure) return best;
  }
  // A hairline falls to pieces at the whole threshold.
  if (best && best.score >= 180) return best;
  for (const map of maps) {
    if (map.threshold >> 1 < map.floor) continue;
    best = better(best, strokesAbove(map, map.threshold >> 1));
    if (best && best.score >= sure) return best;
  }
  return best;
}

// The sharper strokes of two; the earlier ones where the later are mere remains of them.
function better(best, strokes) {
  if (!best || !strokes) return strokes || best;
  if (strokes.score <= best.score) return best;
  const isWhole = strokes.score >= SURE || best.score < FAIR || 5 * strokes.mass >= 3 * best.mass;
  return isWhole || touchesBorder(best) ? strokes : best;
}

function strokesAbove(map, threshold) {
  const mask = above(map.ink, threshold), { h, w, d } = mask;
  let changes = 0;
  for (let y = 0; y < h; y++) for (let i = y * w + 1; i < (y + 1) * w; i++) changes += d[i] ^ d[i - 1];
  if (changes > 2 * max(1500, div(h * w, 40)) || !d.includes(1)) return null;
  const parts = new Components(mask), masses = parts.sums(i => map.ink.d[i]);
  const sharp = sharpness(parts, map.ink, threshold, map.noise, masses), weights = masses.map((m, k) => m * sharp[k]);
  let chosen = oneDigit(parts, weights).map((isNear, k) => isNear && sharp[k] > 0);
  const extent = parts.extents[argmax(weights)], large = parts.extents.map(e => 100 * e >= 12 * extent);
  const score = div(total(weights, chosen), max(1, total(masses, large)));
  const mass = div(total(masses, chosen) * 255, map.full);
  if (!chosen.includes(true)) chosen = chosen.map(() => true);
  return { map, threshold, parts, chosen, score, mass, box: parts.box(chosen) };
}

// The heaviest component, the large ones near it, and any that touch it.
function oneDigit({ top, left, bottom, right, extents }, masses) {
  const i = argmax(masses), extent = extents[i];
  return extents.map((e, k) => {
    const gap = 100 * max(top[i] - bottom[k], top[k] - bottom[i], left[i] - right[k], left[k] - right[i]);
    return (100 * e >= 12 * extent && gap <= 40 * extent) || gap <= 5 * extent;
  });
}

const extentOf = ({ box: [top, left, bottom, right] }) => max(bottom - top, right - left);

function touchesBorder({ box: [top, left, bottom, right], parts: { h, w } }) {
  return top === 0 || left === 0 || bottom === h || right === w;
}

function boxAround({ box: [top, left, bottom, right] }, margin) {
  return [max(0, top - margin), max(0, left - margin), bottom + margin, right + margin];
}

// The strokes without the ruled lines behind them, if what is left is a digit.
function withoutLines(strokes) {
  const { map, threshold, parts: { h, w }, box: [top, left, bottom, right] } = strokes;
  if (!(left === 0 && right === w) && !(top === 0 && bottom === h)) return strokes;
  const ink = erased(map.ink, max(threshold >> 2, div(5 * map.noise, 4)));
  const rest = ink && strokesAbove({ ...map, ink }, threshold);
  if (!rest || rest.score < strokes.score || 100 * extentOf(rest) < 12 * extentOf(strokes)) return strokes;
  const rows = div(h, 24), columns = div(w, 24), [t, l, b, r] = rest.box;
  return t >= rows && b <= h - rows && l >= columns && r <= w - columns ? rest : strokes;
}

// The ink near the strokes, and the strokes in it, by a lower threshold.
function withFainterEnds({ map, threshold, parts, chosen }, box) {
  const whole = cut(map.ink, ...box), near = spread(cut(parts.mask(chosen), ...box), rimWidth(parts), true).d;
  const ink = plane(whole.h, whole.w, whole.d.map((v, i) => v * near[i]));
  const found = new Components(above(ink, min(div(3 * otsu(histogram(ink.d), map.floor), 5), threshold)));
  const masses = found.sums(i => ink.d[i]);
  if (largest(masses) < 3 * map.full) throw new BlankError('the picture is blank: there is nothing but specks in it');
  return { whole, ink, mask: found.mask(oneDigit(found, masses)) };
}

// Strokes grown into all fainter ink that hangs together with them and ends as sharply.
function grow(map, whole, ink, mask, level) {
  const low = max(level >> 2, div(5 * map.noise, 4)), parts = new Components(above(whole, low)), { h, w } = whole;
  const seeds = parts.sums(i => mask.d[i]), most = map.noise > div(map.full, 100) ? 5 : 10;
  const isGrown = seeds.map((n, k) => n > 0 && 2 * parts.areas[k] <= most * n);
  if (!isGrown.some((is, k) => is && parts.areas[k] > seeds[k])) return { ink, mask };
  const atEdge = parts.sums(i => mask.d[i] && (i < w || i >= (h - 1) * w || i % w === 0 || i % w === w - 1) ? 1 : 0);
  const sharp = sharpness(parts, whole, low, map.noise, parts.sums(i => whole.d[i]));
  const more = parts.mask(isGrown.map((is, k) => {
    const leaves = parts.top[k] === 0 || parts.left[k] === 0 || parts.bottom[k] === h || parts.right[k] === w;
    return is && sharp[k] > 0 && (!leaves || atEdge[k] > 0);
  }));
  more.d.forEach((v, i) => more.d[i] = v | mask.d[i]);
  return { ink: plane(h, w, ink.d.map((v, i) => more.d[i] ? max(v, whole.d[i]) : v)), mask: more };
}

// 255 from `full` on, less at the edges of the mask, 0 elsewhere.
function strength(ink, mask, full) {
  const near = spread(mask, 1, true).d;
  return plane(ink.h, ink.w, ink.d.map((v, i) => {
    const s = near[i] ? min(div(255 * v, full), 255) : 0;
    return s < 51 ? 0 : s;
  }));
}
