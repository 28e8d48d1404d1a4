// mnist/1: any picture of a digit to 28 x 28 pixels, white on black, in integers alone.
function prepare(pixels, width, height) {
  const a = plane(height, width, toGrey(pixels, height, width));
  if (min(height, width) < 3) throw new RangeError(`${width} x ${height} pixels, expected at least 3 x 3`);
  return isMnist(a) ? a.d : normalized(digitStrength(a, SURE, true));
}

function isMnist(a) {
  if (a.h !== SIDE || a.w !== SIDE) return false;
  const paper = median(border(a)), lighter = largest(a.d) - paper, darker = paper - min(...a.d);
  if (lighter < max(darker, 16)) return false;
  const digit = plane(SIDE, SIDE, a.d.map(v => v > paper && 10 * (v - paper) >= lighter ? v - paper : 0));
  const [rows, columns] = projections(digit);
  const isCentred = [rows, columns].every(mass => {
    const [sum, moment] = moments(mass);
    return abs(2 * moment - 27 * sum) < 3 * sum;
  });
  const box = inkBox(rows, columns), side = max(box[2] - box[0], box[3] - box[1]);
  return isCentred && side >= 17 && side <= 22;
}

// The sums of rows and columns, their moments, and the box around what is above 0.
function projections({ h, w, d }) {
  const rows = new Array(h).fill(0), columns = new Array(w).fill(0);
  for (let y = 0, i = 0; y < h; y++) {
    for (let x = 0; x < w; x++, i++) {
      rows[y] += d[i];
      columns[x] += d[i];
    }
  }
  return [rows, columns];
}

const moments = mass => [mass.reduce((a, b) => a + b), mass.reduce((sum, v, k) => sum + v * k, 0)];

function inkBox(rows, columns) {
  const first = mass => mass.findIndex(v => v > 0), end = mass => mass.length - first([...mass].reverse());
  return [first(rows), first(columns), end(rows), end(columns)];
}

// Found in a reduced picture, again at a finer scale if it is small.
function digitStrength(a, sure, isEven) {
  const sideOf = ({ h, w }) => Math.ceil(max(h, w) / 320), blocks = blockSides(a, sideOf(a));
  let { strokes, times } = digitStrokes(blockMeans(a, ...blocks), sure, isEven);
  strokes = withoutLines(strokes);
  const extent = extentOf(strokes), rim = rimWidth(strokes.parts);
  if (extent * times < 100 && max(...blocks) > 1) {
    const box = boxAround(strokes, max(rim, extent >> 1)).map((place, i) => place * blocks[i % 2] * times);
    const closer = cut(a, ...box);
    if (max(...blockSides(closer, sideOf(closer))) < max(...blocks)) {
      return digitStrength(closer, min(SURE, max(strokes.score, 100)), strokes.map.isEven);
    }
  }
  const { whole, ink, mask } = withFainterEnds(strokes, boxAround(strokes, max(rim, extent)));
  const full = median(ink.d.filter((_, i) => mask.d[i])), grown = grow(strokes.map, whole, ink, mask, full);
  return strength(grown.ink, grown.mask, full);
}

// The dots of a printer's screen, or of a dotted line, hang together in a coarser picture.
function digitStrokes(a, sure, isEven) {
  const dots = findStrokes(a, sure, isEven);
  let strokes = dots, times = 1;
  for (const coarser of [2, 3, 4]) {
    if ((strokes && strokes.score >= (strokes === dots ? 160 : SURE)) || longer(a) < 60 * coarser) break;
    const found = findStrokes(blockMeans(a, ...blockSides(a, coarser)), SURE, isEven);
    if (!found || touchesBorder(found) || (dots && !areDots(dots, found, coarser))) continue;
    if (!strokes || found.score > strokes.score) [strokes, times] = [found, coarser];
  }
  if (!strokes) throw new BlankError('the picture is blank: no ink was found');
  return { strokes, times };
}

function areDots(dots, { box }, times) {
  return dots.score < 64 || [0, 1].every(axis => {
    const middle = dots.box[axis] + dots.box[axis + 2];
    return 2 * times * box[axis] <= middle && middle <= 2 * times * box[axis + 2];
  });
}

// Cropped, scaled into a box of 20 x 20, and placed by its centre of mass.
function normalized(a) {
  const masses = projections(a);
  if (!largest(masses[0])) throw new BlankError('the picture is blank: there is no ink in it');
  const digit = widened(cut(a, ...inkBox(...masses))), long = longer(digit);
  const [h, w] = [digit.h, digit.w].map(side => max(1, div(40 * side + long - 1, 2 * long)));
  const small = resampled(digit, h, w), most = largest(small), levels = small.map(v => div(510 * v + most, 2 * most));
  const image = new Uint8Array(SIDE * SIDE);
  const start = projections({ h, w, d: levels }).map(mass => {
    const [sum, moment] = moments(mass);
    return min(max(div(29 * sum - 2 * moment, 2 * sum), 0), SIDE - mass.length);
  });
  levels.forEach((v, i) => image[(start[0] + div(i, w)) * SIDE + start[1] + i % w] = v);
  return image;
}

// The weights of each pixel of the source for each of the target, in fixed point.
function areaWeights(n, m) {
  return Array.from({ length: m }, (_, p) => {
    const shares = Array.from({ length: n }, (_, t) => max(0, m <= n
      ? min((t + 1) * m, (p + 1) * n) - max(t * m, p * n)
      : 2 * m - abs(2 * m * t - ((2 * p + 1) * n - m))));
    const sum = shares.reduce((a, b) => a + b);
    return shares.map(share => (div(8192 * share, sum) + 1) >> 1);
  });
}

function resampled(a, h, w) {
  const rows = areaWeights(a.h, h), columns = areaWeights(a.w, w), out = [];
  for (const weights of rows) {
    const line = new Array(a.w).fill(0);
    weights.forEach((weight, y) => {
      if (weight) for (let x = 0; x < a.w; x++) line[x] += weight * a.d[y * a.w + x];
    });
    for (const across of columns) out.push(div(line.reduce((sum, v, x) => sum + div(v, 64) * across[x], 0), 64));
  }
  return out;
}

// Sixteenths of a pixel.
function meanWidth({ h, w, d }) {
  const level = (largest(d) + 1) >> 1, is = (y, x) => y >= 0 && x >= 0 && y < h && x < w && d[y * w + x] >= level;
  let area = 0, changes = 0;
  for (let y = 0; y <= h; y++) {
    for (let x = 0; x <= w; x++) {
      const here = is(y, x);
      area += here;
      changes += (here !== is(y - 1, x)) + (here !== is(y, x - 1));
    }
  }
  return div(64 * area * 226, 355 * max(changes, 1));
}

// Hairlines become as wide as MNIST's strokes, by crosses and squares in turn.
function widened(a) {
  const long = longer(a), times = max(1, div(80 + (long >> 1), long));
  if (40 * meanWidth(a) >= 48 * long) return a;
  const enlarged = plane(a.h * times, a.w * times);
  for (let i = 0; i < enlarged.d.length; i++) {
    enlarged.d[i] = a.d[div(div(i, enlarged.w), times) * a.w + div(i % enlarged.w, times)];
  }
  const radius = div(div(16 * times * long * 11, 100) - meanWidth(enlarged), 2);
  if (radius < 8) return enlarged;
  const steps = radius >> 4, part = radius & 15, pad = steps + (part > 0);
  let page = plane(enlarged.h + 2 * pad, enlarged.w + 2 * pad);
  for (let y = 0; y < enlarged.h; y++) {
    page.d.set(enlarged.d.subarray(y * enlarged.w, (y + 1) * enlarged.w), (y + pad) * page.w + pad);
  }
  for (let i = 0; i < steps; i++) page = dilated(page, i & 1);
  const last = dilated(page, steps & 1).d;
  return part ? plane(page.h, page.w, page.d.map((v, i) => max(v, (last[i] * part) >> 4))) : page;
}

function dilated(a, isSquare) {
  if (isSquare) return spread(a, 1, true);
  const { h, w, d } = a;
  return plane(h, w, d.map((v, i) => max(
    v, i >= w ? d[i - w] : 0, i < (h - 1) * w ? d[i + w] : 0, i % w ? d[i - 1] : 0, i % w < w - 1 ? d[i + 1] : 0)));
}
