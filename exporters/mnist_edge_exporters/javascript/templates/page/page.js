const find = id => document.getElementById(id);
const paper = find('paper'), context = paper.getContext('2d'), side = paper.width, radius = 14;
// What is drawn is kept here and only shown on the canvas: some browsers add noise to what is read back from one.
const drawing = new ImageData(side, side);

function show(label, words, isUnsure = false) {
  find('label').textContent = label;
  find('words').textContent = words;
  find('answer').classList.toggle('unsure', isUnsure);
}

function paint(canvas, image) {
  const pixels = new ImageData(SIDE, SIDE);
  image.forEach((v, i) => pixels.data.set([v, v, v, 255], 4 * i));
  canvas.getContext('2d').putImageData(pixels, 0, 0);
}

function showAnswer({ label, confidence, accepted, image }) {
  const percent = confidence > 0.999 ? 'more than 99.9 %' : `${(100 * confidence).toFixed(1)} %`;
  if (accepted) show(label, `The network is ${percent} sure.`);
  else show(label, `Unsure: perhaps ${label} (${percent}), but do not rely on it. Try a clearer picture.`, true);
  paint(find('seen'), image);
  find('seen').setAttribute('aria-label', 'The image that the network saw');
}

function answerPicture(pixels, width, height) {
  try {
    showAnswer(read(pixels, width, height));
  } catch (error) {
    forget();
    show('–', error instanceof BlankError ? 'There is no digit to be seen in this picture.' : error.message);
  }
}

function forget() {
  paint(find('seen'), new Uint8Array(SIDE * SIDE));
  find('seen').setAttribute('aria-label', 'The image that the network saw: nothing yet');
}

function clear() {
  drawing.data.fill(255);
  context.putImageData(drawing, 0, 0);
  forget();
  show('–', 'Nothing is drawn yet.');
}

// A stroke with a round pen from one point to the next, dark on white.
function draw(from, to) {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)].map(Math.round);
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)].map(Math.round);
  const dx = to.x - from.x, dy = to.y - from.y, length = dx * dx + dy * dy || 1, reach = radius + 2;
  for (let y = Math.max(0, top - reach); y <= Math.min(side - 1, bottom + reach); y++) {
    for (let x = Math.max(0, left - reach); x <= Math.min(side - 1, right + reach); x++) {
      const along = Math.min(1, Math.max(0, ((x - from.x) * dx + (y - from.y) * dy) / length));
      const level = 255 * (Math.hypot(x - from.x - along * dx, y - from.y - along * dy) - radius + 0.5);
      const at = 4 * (y * side + x);
      if (level < drawing.data[at]) drawing.data[at] = drawing.data[at + 1] = drawing.data[at + 2] = level;
    }
  }
  context.putImageData(drawing, 0, 0, left - reach, top - reach, right - left + 2 * reach, bottom - top + 2 * reach);
}

let pen = null, isPicture = false;

function pointOf(event) {
  const box = paper.getBoundingClientRect(), scale = side / box.width;
  return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
}

paper.addEventListener('pointerdown', event => {
  if (pen || event.button !== 0) return;
  event.preventDefault();
  if (isPicture) clear();
  isPicture = false;
  paper.setPointerCapture(event.pointerId);
  pen = { id: event.pointerId, at: pointOf(event) };
  draw(pen.at, pen.at);
});

paper.addEventListener('pointermove', event => {
  if (!pen || event.pointerId !== pen.id) return;
  const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
  for (const each of events.length ? events : [event]) {
    const point = pointOf(each);
    draw(pen.at, point);
    pen.at = point;
  }
});

for (const kind of ['pointerup', 'pointercancel']) {
  paper.addEventListener(kind, event => {
    if (!pen || event.pointerId !== pen.id) return;
    pen = null;
    answerPicture(drawing.data, side, side);
  });
}

// A picture in the middle of the paper, as large as fits.
function lay(picture, isSmooth) {
  clear();
  isPicture = true;
  const scale = side / Math.max(picture.width, picture.height), width = picture.width * scale, height = picture.height * scale;
  context.imageSmoothingEnabled = isSmooth;
  context.drawImage(picture, (side - width) / 2, (side - height) / 2, width, height);
}

async function open(file) {
  let picture;
  try {
    picture = await createImageBitmap(file, { colorSpaceConversion: 'none' });
  } catch {
    return show('–', 'This is no picture that the browser can open.');
  }
  const { width, height } = picture;
  if (width * height > 20e6) return show('–', `${width} × ${height} pixels are more than 20 megapixels: scale it down.`);
  lay(picture, true);
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const pixels = canvas.getContext('2d', { willReadFrequently: true });
  pixels.drawImage(picture, 0, 0);
  return answerPicture(pixels.getImageData(0, 0, width, height).data, width, height);
}

find('clear').addEventListener('click', () => {
  isPicture = false;
  clear();
});
find('file').addEventListener('change', event => {
  const [file] = event.target.files;
  event.target.value = '';
  if (file) open(file);
});
document.addEventListener('paste', event => {
  const file = [...event.clipboardData.files].find(each => each.type.startsWith('image/'));
  if (file) open(file);
});
document.addEventListener('dragover', event => {
  event.preventDefault();
  document.querySelector('main').classList.add('dropping');
});
for (const kind of ['dragleave', 'drop']) {
  document.addEventListener(kind, event => {
    event.preventDefault();
    document.querySelector('main').classList.remove('dropping');
    if (kind === 'drop' && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
  });
}

const images = golden.images.length / (SIDE * SIDE);
for (let i = 0; i < images; i++) {
  const image = golden.images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE), button = document.createElement('button');
  const small = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
  button.type = 'button';
  button.setAttribute('aria-label', `Example ${i + 1}`);
  paint(small, image);
  button.append(small);
  button.addEventListener('click', () => {
    lay(small, false);
    showAnswer({ ...classify(image), image });
  });
  find('examples').append(button);
}

function fact(name, value) {
  if (!value) return;
  const [term, text] = [document.createElement('dt'), document.createElement('dd')];
  [term.textContent, text.textContent] = [name, value];
  find('facts').append(term, text);
}

const { parity, web } = contract, percent = share => `${(100 * share).toFixed(2)} %`;
fact('File', web.file);
fact('SHA-256', web.sha256);
fact('Right', parity && `${percent(parity.accuracy)} of ${parity.images.toLocaleString('en')} test images`);
fact('Proof', `0 logits differ from the file's on ${web.images.toLocaleString('en')} test images`);
fact('Threshold', contract.output.chosen_on);

clear();
const wrong = selfTest(), compared = golden.logits.length, verdict = find('verdict');
verdict.textContent = wrong
  ? `The self-test failed: ${wrong} of ${compared} logits differ. Do not trust the answers of this browser.`
  : `The self-test passed: ${compared} of ${compared} logits are those of ${web.file}, to the bit.`;
verdict.classList.toggle('failed', wrong > 0);
