const rimWidth = a => max(2, div(2 * longer(a) + 50, 100));

// The sharpness of each component, 0 for those that cannot be strokes: strokes of a pen end within few pixels.
function sharpness(parts, ink, level, noise, masses) {
  const { h, w, top, left, bottom, right, areas, extents } = parts, long = max(h, w), d = ink.d;
  const nearest = spread(ink, 2, false), lowest = spread(nearest, rimWidth(ink) - 2, false).d;
  const rims = parts.sums(i => nearest.d[i] <= level ? 1 : 0);
  const drops = parts.sums(i => nearest.d[i] <= level ? d[i] - lowest[i] - noise : 0);
  const onBorder = parts.onBorder(), inner = onBorder.map((n, k) => 2 * n < extents[k]);
  const sharp = drops.map((drop, k) => {
    const high = bottom[k] - top[k], wide = right[k] - left[k], n = 10 * onBorder[k];
    const isEdge = (4 * high < h && 10 * wide >= 9 * w && n >= 9 * wide)
      || (4 * wide < w && 10 * high >= 9 * h && n >= 9 * high)
      || (n >= 9 * (high + wide) && 4 * areas[k] >= high * wide) || n >= 9 * (h + w);
    const found = min(max(div(drop * areas[k] * FULL, max(rims[k] * masses[k], 1)), 0), FULL);
    return isEdge || found < 90 ? 0 : found;
  });
  const asked = sharp.map((s, k) => s > 0 && !(inner[k] && s >= 179));
  solid(parts, d, level, asked).forEach((isSolid, k) => isSolid && (sharp[k] = 0));
  const isDigit = sharp.some((s, k) => s && inner[k] && 10 * extents[k] >= long);
  return sharp.map((s, k) => isDigit && !inner[k] ? 0 : s);
}

// Which of the components that are asked for contain a square that no stroke contains.
function solid(parts, d, level, asked) {
  const { h, w, top, left, bottom, right } = parts;
  const side = max(3, div(30 * max(h, w) + 50, 100)) | 1, reach = side >> 1, W = w + 1;
  const isLarge = parts.areas.some((area, k) => 20 * area >= 19 * side * side
    && 20 * min(bottom[k] - top[k], right[k] - left[k]) >= 19 * side);
  if (!isLarge || !asked.includes(true)) return [];
  const table = new Int32Array((h + 1) * W);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0, sum = 0; x < w; x++) {
      sum += d[i++] > level ? 1 : 0;
      table[(y + 1) * W + x + 1] = table[y * W + x + 1] + sum;
    }
  }
  return parts.sums(i => {
    const y = div(i, w), x = i % w, y1 = max(0, y - reach) * W, y2 = min(h, y + reach + 1) * W;
    const x1 = max(0, x - reach), x2 = min(w, x + reach + 1);
    return 20 * (table[y2 + x2] - table[y1 + x2] - table[y2 + x1] + table[y1 + x1]) >= 19 * side * side ? 1 : 0;
  }).map((n, k) => asked[k] && n > 0);
}
