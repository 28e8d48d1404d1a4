// A plane is { h, w, d }: height, width, and its levels 0 to 255 in a Uint8Array, row by row.
// All numbers are integers below 2^53, so that they are the same everywhere.
class BlankError extends Error {}

const NONE = 255, FULL = 256;
const plane = (h, w, d = new Uint8Array(h * w)) => ({ h, w, d });
const div = (a, b) => floor(a / b);
const longer = ({ h, w }) => max(h, w);
const largest = values => values.reduce((a, b) => max(a, b), 0);
const argmax = values => values.reduce((best, value, i) => value > values[best] ? i : best, 0);
const total = (values, chosen) => values.reduce((sum, value, i) => chosen[i] ? sum + value : sum, 0);
const above = ({ h, w, d }, level) => plane(h, w, d.map(v => v > level ? 1 : 0));

function cut(a, top, left, bottom, right) {
  bottom = min(bottom, a.h);
  right = min(right, a.w);
  const out = plane(bottom - top, right - left);
  for (let y = top; y < bottom; y++) out.d.set(a.d.subarray(y * a.w + left, y * a.w + right), (y - top) * out.w);
  return out;
}

function transposed({ h, w, d }) {
  const out = plane(w, h);
  for (let y = 0, i = 0; y < h; y++) for (let x = 0; x < w; x++) out.d[x * h + y] = d[i++];
  return out;
}

function border({ h, w, d }) {
  const out = [...d.subarray(0, w), ...d.subarray((h - 1) * w)];
  for (let y = 1; y < h - 1; y++) out.push(d[y * w], d[y * w + w - 1]);
  return out;
}

// Means of blocks; a rest at the far edges is left out.
function blockSides({ h, w }, side) {
  return [min(side, max(1, div(h, 3))), min(side, max(1, div(w, 3)))];
}

function blockMeans(a, down, across) {
  if (down === 1 && across === 1) return a;
  const h = div(a.h, down), w = div(a.w, across), n = down * across, out = plane(h, w), sums = new Float64Array(w);
  for (let y = 0; y < h; y++) {
    sums.fill(0);
    for (let i = 0; i < down; i++) {
      let at = (y * down + i) * a.w;
      for (let x = 0; x < w; x++) {
        let sum = 0;
        for (let j = 0; j < across; j++) sum += a.d[at++];
        sums[x] += sum;
      }
    }
    for (let x = 0; x < w; x++) out.d[y * w + x] = div(sums[x] + (n >> 1), n);
  }
  return out;
}

// Extremes of squares that reach `reach` to each side, of a page that has that much more around: each step compares
// twice as many pixels as the one before, on the flat page. What wraps around is left out.
function extremes(page, stride, h, w, reach, isMax) {
  const size = 2 * reach + 1;
  for (const step of [1, stride]) {
    for (let covered = 1; covered < size;) {
      const more = min(covered, size - covered), k = more * step, out = new Uint8Array(page.length - k);
      for (let i = 0; i < out.length; i++) {
        const a = page[i], b = page[i + k];
        out[i] = a > b === isMax ? a : b;
      }
      page = out;
      covered += more;
    }
  }
  return cut(plane(h, stride, page), 0, 0, h, w);
}

function spread(a, reach, isMax) {
  const stride = a.w + 2 * reach, page = new Uint8Array((a.h + 2 * reach) * stride).fill(isMax ? 0 : 255);
  for (let y = 0; y < a.h; y++) page.set(a.d.subarray(y * a.w, (y + 1) * a.w), (y + reach) * stride + reach);
  return extremes(page, stride, a.h, a.w, reach, isMax);
}

// The minimum of the maxima; the border is continued outwards.
function closing({ h, w, d }, reach) {
  const stride = w + 4 * reach, high = h + 4 * reach, page = new Uint8Array(high * stride);
  for (let y = 0, i = 0; y < high; y++) {
    const from = min(max(y - 2 * reach, 0), h - 1) * w;
    for (let x = 0; x < stride; x++) page[i++] = d[from + min(max(x - 2 * reach, 0), w - 1)];
  }
  const wide = extremes(page, stride, h + 2 * reach, w + 2 * reach, reach, true);
  return extremes(wide.d, wide.w, h, w, reach, false);
}
