// Sort pictures: one key moves one into the folder of its class.
const token = new URLSearchParams(location.hash.slice(1)).get('token') || sessionStorage.getItem('token');
if (token) sessionStorage.setItem('token', token);
history.replaceState(null, '', location.pathname);
const FEW = 3, seen = new Map(), later = new Set();
let state = null, current = null, isBusy = false;

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  let response;
  try {
    response = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), cache: 'no-store' });
  } catch {
    throw new Error('The command does not answer: it has ended. Run mnist-edge label again.');
  }
  const answer = await response.json();
  if (response.ok) return answer;
  throw new Error(response.status === 401 ? 'Open the whole address that the command printed.' : `${answer.error}.`);
}

const picture = number => {
  if (!seen.has(number)) seen.set(number, ask(`v1/pictures/${number}`));
  return seen.get(number);
};

const say = words => setText('words', words);

// Which classes a training would refuse as yet, of those that are asked for.
const lack = (isAsked = () => true) => Object.entries(state.lacking).filter(([name]) => isAsked(name)).map(([name, number]) => ` The network does not know ${name} yet: to learn it, it needs ${number} more.`).join('');

// Do something, one thing at a time, then show what is to be sorted next; `wanted` is its number, if it is left.
async function act(action, words = () => '', wanted) {
  if (isBusy) return; // a key that comes before the picture is there means none that was seen
  isBusy = true;
  let told;
  try {
    state = await action();
    told = await next(words(), wanted);
  } catch (error) {
    told = error.message;
    try {
      state = await ask('v1/state'); // the folder may have changed
      seen.delete(current);
      if (!state.left.includes(current)) told = await next(told);
    } catch {}
  }
  isBusy = false;
  say(told);
}

async function next(words = '', wanted = null) {
  const { left, pictures, sorted, last } = state;
  for (const number of later) if (!left.includes(number)) later.delete(number);
  if (left.every(number => later.has(number))) later.clear();
  current = left.includes(wanted) ? wanted : left.find(number => !later.has(number)) ?? null;
  find('bar').max = Math.max(1, pictures);
  find('bar').value = sorted;
  setText('count', `${sorted} of ${pictures}`);
  find('undo').disabled = !last;
  const isDone = current === null;
  find('skip').disabled = find('discard').disabled = isDone;
  find('done').hidden = !isDone;
  find('picture').hidden = true;
  setText('none', isDone ? 'No picture is left.' : '');
  setText('name', '');
  find('sorting').hidden = true;
  if (isDone) {
    setText('next', state.next);
    return `${words} All ${pictures} are sorted.${lack()}`.trim();
  }
  const number = current, { name, png, suggestions, remark } = await picture(number);
  const following = left[left.indexOf(number) + 1];
  if (following !== undefined) picture(following).catch(() => seen.delete(following));
  setText('name', name);
  setText('none', png ? '' : remark);
  if (png) {
    const image = find('picture');
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    image.className = image.naturalWidth < 100 ? 'small' : '';
    image.alt = `Picture ${sorted + 1} of ${pictures}`;
    image.hidden = false;
  }
  find('suggestions').replaceChildren(...suggestions.slice(0, FEW).map(({ label, share }) => {
    const made = make('button', { type: 'button' }, make('strong', {}, label), make('span', {}, percent(share)));
    made.addEventListener('click', () => move(label));
    return made;
  }));
  const [best] = suggestions, told = best ? `The network: ${best.label}, ${percent(best.share)}.` : remark;
  find('sorting').hidden = Boolean(remark); // it could not be trained on
  showNames();
  return `${words} Picture ${sorted + 1} of ${pictures}. ${told}`.trim();
}

// Buttons stay where the keyboard is, so they are made again only for other classes.
function showNames() {
  const names = [...state.labels, ...state.classes], shown = [...find('names').children].map(each => each.textContent);
  if (names.join('\n') === shown.join('\n')) return;
  find('names').replaceChildren(...names.map(name => {
    const made = make('button', { type: 'button' }, name);
    if ([...name].length === 1) made.setAttribute('aria-keyshortcuts', name);
    made.addEventListener('click', () => move(name));
    return made;
  }));
  const keys = names.filter(name => [...name].length === 1), key = name => make('kbd', {}, name);
  find('legend').replaceChildren(...(keys.length ? [key(keys[0]), ' to ', key(keys.at(-1)), ', '] : []), key('−'), ' none of these, ', key('→'), ' later, ', key('Backspace'), ' undo.');
}

const move = name => current !== null && (name === 'discarded' || !find('sorting').hidden) && act(() => ask('v1/move', { number: current, class: name }), () => `Moved to ${state.last.class}.${state.left.length ? lack(name => name === state.last.class) : ''}`);

function undo() {
  const { last } = state || {};
  if (last) act(() => ask('v1/undo', {}), () => `Taken back from ${last.class}.`, last.number);
}

function skip() {
  if (current === null) return;
  later.add(current);
  act(() => ask('v1/state'), () => 'Left for later.');
}

function moveNew() {
  const name = find('other').value.trim();
  if (!name) return say('Type the name of the class first.');
  find('other').value = '';
  find('other').blur();
  move(name);
}

find('another').addEventListener('click', moveNew);
find('undo').addEventListener('click', undo);
find('skip').addEventListener('click', skip);
find('discard').addEventListener('click', () => move('discarded'));
find('end').addEventListener('click', async () => {
  await ask('v1/end', {}).catch(() => {});
  say('The command has ended. You can close this page.');
  for (const each of document.querySelectorAll('button')) each.disabled = true;
});
find('other').addEventListener('keydown', event => {
  event.stopPropagation();
  if (event.key === 'Enter') moveNew();
});
document.addEventListener('keydown', event => {
  if (!state || !find('keys').checked || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const { key } = event, names = [...state.labels, ...state.classes];
  if (names.includes(key) && [...key].length === 1) move(key);
  else if (key === '-' || key === 'Delete') move('discarded');
  else if (key === 'ArrowRight') skip();
  else if (key === 'Backspace' || key === 'u' || key === 'U') undo();
  else return;
  event.preventDefault();
});
act(() => ask('v1/state'));
