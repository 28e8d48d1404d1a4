// Join the parts: what is on the paper is read by this page where it holds the network, else by the device.
const NOTHING = 'Nothing is drawn yet.', TITLE = find('title').textContent, LOOK = find('inside-hint').textContent;
const BLANK = 'There is no digit to be seen in this picture.';
const DOT = 'That is only a dot: draw a whole digit.', SEVERAL = 'Several digits? Choose “A number” above the paper.';
const ALONE = 'Several digits? This page reads one at a time.';
let turn = 0, model = null, isNumber = false; // model: what the device runs

const isOwn = () => !model || model.payload_sha256 === contract.payload.sha256;
const labels = () => isOwn() ? contract.labels : model.contract.labels;

function readHere(input) {
  const start = performance.now(), found = read(input.pixels, input.width, input.height);
  return { ...found, milliseconds: performance.now() - start };
}

function showFound(found, by, input) {
  keeping.show(input, found);
  if (found.label === null) showNothing('blank', BLANK, labels());
  else showAnswer(found, labels());
  if (input.strokes && areSeveral(input.strokes)) setText('words', `${find('words').textContent} ${find('number').disabled ? ALONE : SEVERAL}`);
  setText('timing', `Answered by ${by} in ${duration(found.milliseconds)}.`);
}

// What this page answers itself is there before the next frame; what the device answers, when it comes.
function answer() {
  const mine = ++turn, input = paper.input();
  find('verdicts').replaceChildren();
  if (!input || isNumber || !isOwn()) keeping.show(input, null);
  find('ask').hidden = !(model && isOwn() && input && !isNumber);
  if (!input) {
    showNothing('empty', NOTHING, isNumber ? [] : labels());
    lookInside.take(null, LOOK);
  } else if (input.strokes && isDot(input.strokes)) {
    keeping.show(input, null);
    find('ask').hidden = true;
    showNothing('blank', DOT, isNumber ? [] : labels());
    lookInside.take(null, LOOK);
  } else if (isNumber || !isOwn()) {
    answerByDevice(input, () => mine === turn);
  } else {
    answerHere(input);
  }
}

function answerHere(input) {
  try {
    const found = readHere(input);
    showFound(found, 'this browser', input);
    lookInside.take(found.image, LOOK);
  } catch (error) {
    const isBlank = error instanceof BlankError;
    keeping.show(input, null);
    showNothing(isBlank ? 'blank' : 'failed', isBlank ? BLANK : error.message, labels());
    lookInside.take(null, LOOK);
  }
}

async function answerByDevice(input, isCurrent) {
  show('waiting', '…', 'The device is reading.');
  lookInside.take(null, isNumber ? 'A look inside is for one digit.' : LOOK);
  try {
    const found = await (isNumber ? device.read(input) : device.classify(input));
    if (!isCurrent()) return;
    if (isNumber) showReading(found);
    else {
      showFound(found, 'the device', input);
      if (found.image) lookInside.take(found.image, LOOK, byOwn);
    }
  } catch (error) {
    if (isCurrent()) showNothing('failed', error.message, isNumber ? [] : labels());
  }
}

// What the page's own network makes of an image that another one answered.
function byOwn(image) {
  const { label, confidence, accepted } = classify(image);
  return `The device answers with ${model.file}, of which this page knows no layers. This is its own network ${contract.web.name}, looking at the same 28 × 28 pixels: it reads ${label} (${percent(confidence)}${accepted ? '' : ', unsure'}).`;
}

// Both verdicts, with both times.
async function askToo() {
  const mine = turn, input = paper.input(), told = find('verdicts');
  const word = ({ label, confidence, accepted }) => label === null ? 'blank' : `${label}, ${short(confidence)}${accepted ? '' : ', unsure'}`;
  let own, other;
  try {
    own = readHere(input);
  } catch (error) {
    own = { label: null, milliseconds: 0, error: error instanceof BlankError ? null : error.message };
  }
  told.replaceChildren(make('p', {}, 'The device is reading.'));
  try {
    other = await device.classify(input);
  } catch (error) {
    if (mine === turn) told.replaceChildren(make('p', {}, error.message));
    return;
  }
  if (mine !== turn) return;
  const rows = [['this browser', own, duration(own.milliseconds)], ['the device', other, `${duration(other.milliseconds)}, in all ${duration(other.all)}`]];
  told.replaceChildren(
    make('p', {}, own.error || (word(own) === word(other) ? 'Both say the same.' : 'They do not say the same: they may have decoded the picture otherwise.')),
    make('table', {}, make('caption', {}, 'Both verdicts'), make('tbody', {}, ...rows.map(([who, found, time]) =>
      make('tr', {}, make('th', { scope: 'row' }, who), make('td', {}, word(found)), make('td', {}, time))))),
  );
}

async function open(file) {
  try {
    paper.lay(await opened(file));
  } catch (error) {
    const wasThere = paper.input() ? ' Undo brings back what was there.' : '';
    paper.clear();
    turn++;
    keeping.show(null, null);
    find('verdicts').replaceChildren();
    find('ask').hidden = true;
    showNothing('failed', error.message + wasThere, labels());
    lookInside.take(null);
  }
}

function fact(name, value) {
  if (value) find('facts').append(make('dt', {}, name), make('dd', {}, value));
}

// What is to be known of a network, that of this page or of the device.
function describe({ parity, output, payload, web }, file) {
  fact('File', file);
  fact(web ? 'SHA-256' : 'SHA-256 of its network', web ? web.sha256 : payload.sha256);
  fact('Right', parity && `${(100 * parity.accuracy).toFixed(2)} % of ${parity.images.toLocaleString('en')} test images`);
  fact('Proof', web && `0 logits differ from the file's on ${web.images.toLocaleString('en')} test images`);
  const wrong = /at most ([\d.]+)% wrong/.exec(output.chosen_on);
  fact('Unsure', `An answer that scores too low is marked as unsure${wrong ? `; of the others at most ${wrong[1]} % were wrong when that limit was chosen` : ''}.`);
}

async function meetDevice() {
  find('device').hidden = false;
  setText('device-hint', 'Asking the device what it runs.');
  try {
    model = await device.model();
  } catch (error) {
    setText('device-hint', `${error.message} This page answers by itself, with the network that it holds.`);
    setText('number-hint', 'Numbers are read by the device, once it answers.');
    return;
  }
  find('number').disabled = false;
  if (model.camera) startCamera();
  if (model.inbox) keeping.meet().then(answer, () => {});
  find('number-hint').hidden = true;
  const { file, engine } = model;
  if (isOwn()) {
    setText('device-hint', `The device runs the same network (${file}, with ${engine}), so this page reads digits by itself. Numbers are read by the device.`);
    setText('intro', 'A digit is read in your browser. Numbers, and what you ask the device, are sent to it and nowhere else.');
  } else {
    setText('device-hint', `The device runs another network than this page holds: it answers, with ${file} in ${engine}.`);
    setText('intro', 'The device reads it: what you draw is sent to it, and nowhere else.');
    const own = [...find('facts').children];
    find('facts').replaceChildren();
    fact('Who answers', 'the device');
    describe(model.contract, file);
    fact('Also here', `the network ${contract.web.name} in this page, for the look inside:`);
    find('facts').append(...own);
    setText('verdict', `The device answers with ${file}. ${wrong ? `The page's own network ${contract.web.name} failed its self-test: do not trust the look inside.` : `The page's own network, ${contract.web.name}, passed its self-test.`}`);
  }
  answer();
}

paper.onChange(answer);
acceptPictures(open);
find('undo').addEventListener('click', paper.undo);
find('clear').addEventListener('click', paper.clear);
find('ask').addEventListener('click', askToo);
for (const id of ['one', 'number']) {
  find(id).addEventListener('change', () => {
    isNumber = find('number').checked;
    find('chances').caption.textContent = isNumber ? 'How sure of each digit' : 'Probabilities';
    document.body.classList.toggle('numbers', isNumber);
    setText('title', isNumber ? 'Draw a number' : TITLE);
    paper.frame([]);
    answer();
  });
}
document.addEventListener('keydown', event => {
  const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z';
  if (isUndo) paper.undo();
  else if (event.key === 'Escape' || event.key === 'Delete') paper.clear();
  else return;
  event.preventDefault();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  paper.show();
  lookInside.refresh();
});

if (contract.labels.join('') === '0123456789') {
  find('samples').hidden = false;
  EXAMPLES.forEach((strokes, digit) => {
    const small = make('canvas', { width: 96, height: 96 }), context = small.getContext('2d');
    const button = make('button', { type: 'button' }, small);
    button.setAttribute('aria-label', `Draw a ${digit}`);
    paper.ready(context, 96 / PAPER, '#8c8c94');
    for (const points of strokes) paper.trace(context, points, 96 / PAPER);
    button.addEventListener('click', () => paper.draw(strokes.map(points => [...points])));
    find('examples').append(button);
  });
}

describe(contract, contract.web.file);
answer();
const wrong = selfTest(), compared = golden.logits.length;
setText('verdict', wrong
  ? `The self-test failed: ${wrong} of ${compared} logits differ. Do not trust the answers of this browser.`
  : `The self-test passed: ${compared} of ${compared} logits are those of ${contract.web.file}, to the bit.`);
find('verdict').classList.toggle('failed', wrong > 0);
if (device.isServed) meetDevice();
// What runs for the first time is slow: that is over before the first stroke ends.
setTimeout(() => EXAMPLES.forEach(strokes => read(rasterized(strokes), PAPER, PAPER)));
