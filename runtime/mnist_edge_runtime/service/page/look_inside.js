// A look inside: which pixels spoke for the answer, and the feature maps of each layer. Computed only while it is open.
const lookInside = (() => {
  const details = find('inside'), patch = 5, stride = 2, slice = 12; // pixels, pixels, milliseconds of work in a row
  const RESCALING = 'Another scale'; // between layers, and nothing to look at
  let image = null, why = find('inside-hint').textContent, note = '', turn = 0;

  // How much each pixel adds to the logit of the answer: the fall of that logit, mean of all patches that cover the pixel.
  async function occlusion(isCurrent) {
    const before = logits(image), best = before.indexOf(Math.max(...before)), sums = new Float64Array(SIDE * SIDE), counts = new Uint8Array(SIDE * SIDE);
    let since = performance.now();
    for (let top = 1 - patch; top < SIDE; top += stride) {
      for (let left = 1 - patch; left < SIDE; left += stride) {
        const places = [];
        for (let y = Math.max(0, top); y < Math.min(SIDE, top + patch); y++) {
          for (let x = Math.max(0, left); x < Math.min(SIDE, left + patch); x++) places.push(y * SIDE + x);
        }
        const hasInk = places.some(at => image[at]), covered = Uint8Array.from(image);
        for (const at of places) covered[at] = 0;
        const fall = hasInk ? (before[best] - logits(covered)[best]) * contract.output.scale : 0;
        for (const at of places) {
          sums[at] += fall;
          counts[at]++;
        }
      }
      if (performance.now() - since > slice) {
        await new Promise(done => setTimeout(done));
        if (!isCurrent()) return null;
        since = performance.now();
      }
    }
    return { falls: sums.map((sum, i) => sum / counts[i]), label: contract.labels[best] };
  }

  function showHeat({ falls, label }) {
    const most = Math.max(...falls), accent = colour('--heat'), context = find('heat').getContext('2d'), side = find('heat').width / SIDE;
    const small = make('canvas', { width: SIDE, height: SIDE }), pixels = new ImageData(SIDE, SIDE);
    falls.forEach((fall, i) => {
      const share = most > 0 ? Math.max(0, fall / most) : 0, ink = image[i] * 0.4;
      pixels.data.set([...accent.map(value => ink + (value - ink) * share), 255], 4 * i);
    });
    small.getContext('2d').putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(small, 0, 0, side * SIDE, side * SIDE);
    setText('heat-words', `A small patch of background is slid over the picture. Where the colour is strong, covering it takes the most from the answer ${label}: these pixels spoke for it.`);
    setText('heat-most', most > 0 ? `most: −${most.toFixed(1)} of its logit` : 'most');
  }

  // The maps of a layer as tiles; a layer without rows and columns as one tile.
  function showLayer({ name, y: [rows, columns, channels, zero], values }) {
    const [accent, below] = [colour('--accent'), colour('--soft')], isFlat = rows * columns === 1, tiles = make('div', { className: isFlat ? 'tiles flat' : 'tiles' });
    const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value - zero)), 1);
    const [high, wide, count] = isFlat ? [1, channels, 1] : [rows, columns, channels];
    for (let k = 0; k < count; k++) {
      const canvas = make('canvas', { width: wide, height: high }), pixels = new ImageData(wide, high);
      for (let i = 0; i < high * wide; i++) {
        const value = values[isFlat ? i : i * channels + k] - zero;
        pixels.data.set([...(value < 0 ? below : accent), 255 * (Math.abs(value) / most) ** 0.7], 4 * i);
      }
      canvas.getContext('2d').putImageData(pixels, 0, 0);
      tiles.append(canvas);
    }
    const what = isFlat ? `${channels} ${channels === 1 ? 'value' : 'values'}` : `${channels} ${channels === 1 ? 'map' : 'maps'} of ${rows} × ${columns}`;
    tiles.setAttribute('role', 'img');
    tiles.setAttribute('aria-label', `${name}: ${what}, drawn as ${isFlat ? 'a strip' : 'squares'}`);
    return make('figure', { className: 'layer' }, make('figcaption', {}, make('strong', {}, name.replaceAll(' x ', ' × ')), ` ${what}`), tiles);
  }

  async function refresh() {
    const mine = ++turn, isCurrent = () => mine === turn;
    find('inside-body').hidden = !image;
    find('inside-hint').hidden = Boolean(image);
    setText('inside-hint', why);
    find('inside-note').hidden = !note;
    setText('inside-note', note && image ? note(image) : '');
    if (!image || !details.open) return;
    details.setAttribute('aria-busy', 'true');
    find('maps').replaceChildren(...layers(image).filter(({ name }) => name !== RESCALING).map(showLayer));
    const found = await occlusion(isCurrent);
    if (!found) return;
    showHeat(found);
    details.removeAttribute('aria-busy');
  }

  details.addEventListener('toggle', refresh);
  return {
    refresh,
    // Take the image that the network saw, or none, and the sentence why there is none; a note says whose network looks.
    take: (taken, sentence = why, said = '') => {
      [image, why, note] = [taken, sentence, said];
      refresh();
    },
  };
})();
