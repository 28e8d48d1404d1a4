// Show an answer: the label, how sure it is, the image that the network saw, and the probabilities.
const BADGES = { empty: 'Empty', read: 'Read', unsure: 'Unsure', blank: 'Blank', failed: 'No answer', waiting: 'Reading' };
const MOST_ROWS = 12;

function show(state, label, words) {
  find('answer').dataset.state = state;
  find('label').classList.toggle('long', label.length > 3);
  setText('label', label);
  setText('badge', BADGES[state]);
  setText('words', words);
}

function showImage(image) {
  paint(find('seen'), image || new Uint8Array(SIDE * SIDE));
  find('seen').setAttribute('aria-label', `The image that the network saw${image ? '' : ': nothing yet'}`);
}

// A row for each label with its probability as a bar; the most probable ones of many.
function showChances(labels, probabilities, best) {
  let rows = labels.map((label, i) => ({ label, share: probabilities ? probabilities[i] : null }));
  if (rows.length > MOST_ROWS) rows = rows.sort((a, b) => b.share - a.share).slice(0, MOST_ROWS);
  find('chances').tBodies[0].replaceChildren(...rows.map(({ label, share }) => {
    const bar = make('span', { className: 'bar' });
    bar.style.setProperty('--share', share || 0);
    const row = make('tr', { className: label === best ? 'best' : '' },
      make('th', { scope: 'row' }, label), make('td', {}, bar, make('span', { className: 'share' }, share === null ? '–' : short(share))));
    return row;
  }));
}

const short = share => share > 0.999 ? '> 99.9 %' : share < 0.001 ? '< 0.1 %' : percent(share);

function showAnswer({ label, confidence, probabilities, accepted, image }, labels) {
  if (accepted) show('read', label, `The network is ${percent(confidence)} sure.`);
  else show('unsure', `${label}?`, `Perhaps ${label} (${percent(confidence)}), but do not rely on it. Try a clearer picture.`);
  showImage(image);
  showChances(labels, probabilities, label);
}

function showNothing(state, words, labels) {
  show(state, '–', words);
  showImage(null);
  showChances(labels, null);
  setText('timing', '');
}
