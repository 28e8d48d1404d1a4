// The paper: what is drawn or laid on it, shown on a canvas, with undo and clear.
const paper = (() => {
  const canvas = find('paper'), context = canvas.getContext('2d'), past = [];
  let strokes = [], picture = null, boxes = [], pen = null, changed = () => {};

  function change(newStrokes, newPicture) {
    pen = null; // a stroke that is not finished ends here
    past.push({ strokes, picture });
    // Pictures are large: undo leads back to two of them at most.
    const pictures = () => new Set(past.map(each => each.picture).filter(Boolean));
    while (past.length > 200 || pictures().size > 2) {
      const first = past.shift().picture;
      if (first && !pictures().has(first)) first.bitmap.close();
    }
    [strokes, picture, boxes] = [newStrokes, newPicture, []];
    show();
  }

  // Where a picture lies, as large as fits: pixels of the canvas for one of the picture, and its corner.
  function placed() {
    const scale = canvas.width / Math.max(picture.width, picture.height);
    return { scale, left: (canvas.width - picture.width * scale) / 2, top: (canvas.width - picture.height * scale) / 2 };
  }

  function trace(context, points, unit) {
    context.beginPath();
    const [{ x, y }] = points;
    if (points.length === 1) { // a line of no length is not painted
      context.arc(x * unit, y * unit, PEN * unit, 0, 7);
      return context.fill();
    }
    context.moveTo(x * unit, y * unit);
    for (const point of points) context.lineTo(point.x * unit, point.y * unit);
    context.stroke();
  }

  function ready(context, unit, style) {
    Object.assign(context, { lineCap: 'round', lineJoin: 'round', lineWidth: 2 * PEN * unit, strokeStyle: style, fillStyle: style });
  }

  function show() {
    const side = canvas.width, unit = side / PAPER, style = getComputedStyle(canvas);
    context.clearRect(0, 0, side, side);
    if (picture) {
      const { scale, left, top } = placed();
      context.drawImage(picture.bitmap, left, top, picture.width * scale, picture.height * scale);
    }
    ready(context, unit, style.color);
    for (const points of strokes) trace(context, points, unit);
    for (const box of boxes) frame(box, unit);
    find('invitation').hidden = Boolean(picture || strokes.length);
  }

  function frame({ box: [x, y, width, height], label, accepted }, unit) {
    const { scale, left, top } = picture ? placed() : { scale: unit, left: 0, top: 0 }, high = 18 * unit;
    const [at, above] = [left + x * scale, top + y * scale], name = accepted ? label : `${label}?`;
    const accent = `rgb(${colour('--accent')})`;
    Object.assign(context, { lineWidth: 2 * unit, strokeStyle: accent, lineJoin: 'miter', font: `600 ${high}px system-ui, sans-serif` });
    context.setLineDash(accepted ? [] : [6 * unit, 5 * unit]);
    context.strokeRect(at - 3 * unit, above - 3 * unit, width * scale + 6 * unit, height * scale + 6 * unit);
    context.setLineDash([]);
    const wide = context.measureText(name).width + 10 * unit, over = Math.max(0, above - 5 * unit - 1.3 * high);
    context.fillStyle = accent;
    context.fillRect(at - 4 * unit, over, wide, 1.3 * high);
    context.fillStyle = `rgb(${colour('--on')})`;
    context.fillText(name, at + unit, over + high);
  }

  function pointOf(event) {
    const area = canvas.getBoundingClientRect();
    return { x: ((event.clientX - area.left) * PAPER) / area.width, y: ((event.clientY - area.top) * PAPER) / area.height };
  }

  canvas.addEventListener('pointerdown', event => {
    if (pen !== null || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    change([...(picture ? [] : strokes), [pointOf(event)]], null);
    pen = event.pointerId;
  });
  canvas.addEventListener('pointermove', event => {
    if (event.pointerId !== pen) return;
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [], points = strokes.at(-1);
    for (const each of events.length ? events : [event]) {
      const point = pointOf(each), last = points.at(-1);
      if (Math.hypot(point.x - last.x, point.y - last.y) < 1) continue;
      points.push(point);
      trace(context, [last, point], canvas.width / PAPER);
    }
  });
  for (const kind of ['pointerup', 'pointercancel']) {
    canvas.addEventListener(kind, event => {
      if (event.pointerId !== pen) return;
      pen = null;
      changed();
    });
  }
  new ResizeObserver(() => {
    const side = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!side || side === canvas.width) return;
    canvas.width = canvas.height = side;
    show();
  }).observe(canvas);

  return {
    show,
    trace,
    ready,
    onChange: action => changed = action,
    // What there is to read: pixels, width and height, and the file where there is one; null where there is nothing.
    input: () => picture || (strokes.length ? { pixels: rasterized(strokes), width: PAPER, height: PAPER, strokes } : null),
    lay: newPicture => { change([], newPicture); changed(); },
    draw: newStrokes => { change(newStrokes, null); changed(); },
    frame: found => { boxes = found; show(); },
    clear: () => {
      if (strokes.length || picture) change([], null);
      changed();
    },
    undo: () => {
      if (pen !== null || !past.length) return;
      ({ strokes, picture } = past.pop());
      boxes = [];
      show();
      changed();
    },
  };
})();
