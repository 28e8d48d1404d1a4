// The ink without ruled lines; null where there are none.
function erased(ink, level) {
  const mask = above(ink, level), thickest = div(longer(ink), 40), across = lines(mask, thickest);
  if (!across) return null;
  const upright = lines(transposed(mask), thickest), down = upright && transposed(upright);
  return plane(ink.h, ink.w, ink.d.map((v, i) => across.d[i] || (down && down.d[i]) ? 0 : v));
}

// Thin vertical runs of pixels along one line over half of the width.
function lines({ h, w, d }, thickest) {
  let runs = [], found = null;
  for (let x = 0; x < w; x++) {
    for (let y = 0; y < h; y++) {
      const top = y;
      while (y < h && d[y * w + x]) y++;
      if (y > top && y - top <= thickest) runs.push({ x, top, bottom: y, middle: (top + y) >> 1 });
    }
  }
  if (2 * runs.length < w) return null;
  let most = -1, bins = [], counts = [];
  for (let slope = -20; slope <= 20; slope++) {
    const heights = runs.map(({ x, middle }) => middle - div(slope * (x - (w >> 1)), 200));
    const least = heights.reduce((a, b) => min(a, b)), tried = [];
    const places = heights.map(height => div(height - least, 2 * thickest));
    for (const place of places) tried[place] = (tried[place] || 0) + 1;
    const gathered = tried.reduce((sum, n) => sum + n * n, 0);
    if (gathered > most) [most, bins, counts] = [gathered, places, tried];
  }
  counts.forEach((n, place) => {
    if (4 * n < w) return;
    let near = runs.filter((_, i) => abs(bins[i] - place) <= 1);
    const thick = twiceMedian(near.map(({ top, bottom }) => bottom - top)) + 2;
    near = near.filter(({ top, bottom }) => 2 * (bottom - top) <= thick);
    near = following(near, thickest, w);
    if (2 * new Set(near.map(({ x }) => x)).size < w) return;
    found = found || plane(h, w);
    for (const { x, top, bottom } of near) for (let y = top; y < bottom; y++) found.d[y * w + x] = 1;
  });
  return found;
}

// The runs that lie on the line, which may bend: in each of 16 parts of the width, two medians of the runs around it,
// of the left and the right half of them, give the line.
function following(runs, thickest, w) {
  const parts = runs.map(({ x }) => div(16 * x, w)), lines = [];
  return runs.filter(({ x, middle }, i) => {
    const part = parts[i];
    if (!lines[part]) {
      const around = runs.filter((_, k) => abs(parts[k] - part) <= 2), half = around.length >> 1;
      lines[part] = [around.slice(0, max(half, 1)), around.slice(half)].map(
        side => [twiceMedian(side.map(run => run.x)), twiceMedian(side.map(run => run.middle))]);
    }
    const [[x1, y1], [x2, y2]] = lines[part], across = max(x2 - x1, 2);
    return abs((2 * middle - y1) * across - (y2 - y1) * (2 * x - x1)) <= 2 * thickest * across;
  });
}

function twiceMedian(values) {
  const sorted = values.sort((a, b) => a - b), n = sorted.length;
  return sorted[n >> 1] + sorted[(n - 1) >> 1];
}
