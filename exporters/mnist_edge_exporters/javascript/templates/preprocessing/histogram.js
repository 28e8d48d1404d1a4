function histogram(values) {
  const counts = new Array(256).fill(0);
  for (let i = 0; i < values.length; i++) counts[values[i]]++;
  return counts;
}

// The least level up to which more than k values lie.
function ranked(counts, k) {
  let level = 0;
  for (let sum = counts[0]; sum <= k; sum += counts[level]) level++;
  return level;
}

const median = values => ranked(histogram(values), values.length >> 1);

// Standard deviation in sixteenths of a level, from the median difference between neighbours in a row.
function noise({ h, w, d }) {
  const step = h * w > 20000 ? div(h * w, 10000) : 1, counts = new Array(256).fill(0);
  let n = 0;
  for (let y = 0; y < h; y += step) {
    for (let i = y * w + 1; i < (y + 1) * w; i++, n++) counts[abs(d[i] - d[i - 1])]++;
  }
  const level = ranked(counts, ((n + 1) >> 1) - 1);
  let before = 0;
  for (let v = 0; v < level; v++) before += counts[v];
  const start = level ? 16 * level - 8 : 0;
  return div((start + div((level ? 16 : 8) * ((n >> 1) - before), counts[level])) * 1048, 1000);
}

// The level above `floor` that separates best, by Otsu's method.
function otsu(counts, floor) {
  const levels = [];
  let n = 0, mass = 0;
  for (let v = floor + 1; v < 256; v++) {
    if (counts[v]) levels.push(v);
    n += counts[v];
    mass += counts[v] * v;
  }
  if (levels.length < 2) return levels.length ? levels[0] - 1 : NONE;
  let lower = 0, part = 0, most = -1, best = NONE;
  for (const v of levels.slice(0, -1)) {
    lower += counts[v];
    part += counts[v] * v;
    const upper = n - lower, apart = div((mass - part) * 16, upper) - div(part * 16, lower);
    const variance = apart * apart * (n > 4096 ? div(lower * upper, 64) : lower * upper);
    if (variance > most) {
      most = variance;
      best = v;
    }
  }
  return best;
}
