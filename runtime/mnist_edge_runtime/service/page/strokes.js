// Strokes are lists of points on a paper of PAPER x PAPER units. Their picture is computed here, and never read back from
// the canvas, to which some browsers add noise.
const PAPER = 448, PEN = 14; // PEN: half the width of a stroke

// The grey levels of a paper with these strokes, dark on white, with smooth edges.
function rasterized(strokes) {
  const levels = new Uint8ClampedArray(PAPER * PAPER).fill(255);
  for (const points of strokes) {
    points.forEach((point, i) => drawSegment(levels, points[Math.max(0, i - 1)], point));
  }
  return levels;
}

// Whether all that is drawn is a dot of the pen, as a tap leaves it: enlarged to a digit's size, that would be a ring or a 0.
function isDot(strokes) {
  const spread = axis => {
    const values = strokes.flat().map(point => point[axis]);
    return Math.max(...values) - Math.min(...values);
  };
  return Math.hypot(spread('x'), spread('y')) < PEN;
}

// Whether strokes stand beside each other as several digits do: apart, and each at least half as tall as all of them.
function areSeveral(strokes) {
  const groups = [];
  for (const points of strokes) {
    const [xs, ys] = [points.map(point => point.x), points.map(point => point.y)];
    let group = { left: Math.min(...xs) - PEN, right: Math.max(...xs) + PEN, top: Math.min(...ys), bottom: Math.max(...ys) };
    for (const other of groups.filter(({ left, right }) => left < group.right && right > group.left)) {
      groups.splice(groups.indexOf(other), 1);
      for (const [side, most] of [['left', Math.min], ['top', Math.min], ['right', Math.max], ['bottom', Math.max]]) group[side] = most(group[side], other[side]);
    }
    groups.push(group);
  }
  const all = Math.max(...groups.map(each => each.bottom)) - Math.min(...groups.map(each => each.top));
  return groups.filter(({ top, bottom }) => bottom - top > Math.max(all / 2, 3 * PEN)).length > 1;
}

function drawSegment(levels, from, to) {
  const reach = PEN + 1, inner = (PEN - 0.5) ** 2, outer = (PEN + 0.5) ** 2;
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - reach)), right = Math.max(from.x, to.x) + reach;
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - reach)), bottom = Math.max(from.y, to.y) + reach;
  const dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy || 1;
  for (let y = top; y <= Math.min(PAPER - 1, bottom); y++) {
    for (let x = left; x <= Math.min(PAPER - 1, right); x++) {
      const along = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
      const apart = (x - from.x - along * dx) ** 2 + (y - from.y - along * dy) ** 2, at = y * PAPER + x;
      if (apart >= outer || !levels[at]) continue;
      const level = apart <= inner ? 0 : 255 * (Math.sqrt(apart) - PEN + 0.5);
      if (level < levels[at]) levels[at] = level;
    }
  }
}

// The curve that begins and ends with the points, and follows those between; a point that is there twice is a corner.
function curve(points) {
  const out = [points[0]], middle = (a, b) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  for (let i = 1; i < points.length - 1; i++) {
    const from = i === 1 ? points[0] : middle(points[i - 1], points[i]), by = points[i];
    const to = i === points.length - 2 ? points[i + 1] : middle(by, points[i + 1]);
    for (let t = 1 / 8; t <= 1; t += 1 / 8) out.push(middleOf(from, by, to, t));
  }
  out.push(points.at(-1));
  return out;
}

function middleOf(from, by, to, t) {
  const along = axis => (1 - t) ** 2 * from[axis] + 2 * t * (1 - t) * by[axis] + t ** 2 * to[axis];
  return { x: along('x'), y: along('y') };
}

// The digits as a person draws them: strokes as points in hundredths of the paper.
const EXAMPLES = [
  ['53,15 34,18 25,48 33,83 52,86 70,80 75,50 68,18 50,15'],
  ['36,32 47,25 55,15 55,15 54,85'],
  ['30,34 32,17 50,14 70,17 69,38 60,52 30,80 30,80 50,78 73,80'],
  ['31,22 42,13 62,15 69,30 60,44 44,47 44,47 66,50 73,68 62,85 38,86 28,74'],
  ['56,15 28,60 28,60 78,60', '61,40 60,86'],
  ['68,17 38,17 38,17 34,47 34,47 48,39 66,44 73,64 62,84 40,86 28,75'],
  ['62,14 42,26 30,50 30,76 44,88 64,86 71,68 62,52 44,52 32,68'],
  ['27,19 73,19 73,19 58,48 47,85'],
  ['65,26 56,13 36,15 34,34 50,47 68,62 66,84 46,88 31,80 34,62 50,47 66,34 65,22'],
  ['68,32 60,15 40,15 31,32 40,50 58,49 68,32 68,32 67,58 60,86'],
].map(strokes => strokes.map(text => text.split(' ').map(pair => {
  const [x, y] = pair.split(',');
  return { x: (x * PAPER) / 100, y: (y * PAPER) / 100 };
})).map(curve));
