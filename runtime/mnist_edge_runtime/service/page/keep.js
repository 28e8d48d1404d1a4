// Keep pictures to train with, under the class that a person names: in the inbox of the device, else in this page
// until they are downloaded.
const keeping = (() => {
  const SETTLED = 2000; // milliseconds after which a drawing that is unsure counts as finished
  const MOST = 50e6; // bytes in this page
  const NAME = /^(?=.{1,40}$)[\p{L}\p{N}]+(?:[ _-][\p{L}\p{N}]+)*$/u;
  const button = (text, action) => {
    const made = make('button', { type: 'button' }, text);
    made.addEventListener('click', action);
    return made;
  };
  const yes = button('Right, keep it', () => keep(found.label)), no = button('No, it is …', () => choose(classes.hidden));
  const undo = button('Do not keep it', () => take(last).then(() => say('It is no longer kept.'))), load = button('', download);
  const other = make('input', { type: 'text', maxLength: 40, autocomplete: 'off' }), another = button('Keep', nameNew);
  const names = make('div', { className: 'tools' }), told = make('p', { id: 'kept' });
  const classes = make('div', { id: 'classes', hidden: true }, names, make('div', { className: 'tools' }, make('label', {}, 'Another class ', other), another));
  const section = make('div', { id: 'keep' }, make('div', { className: 'tools' }, yes, no), classes, told, make('div', { className: 'tools' }, undo, load));
  const hint = make('p', { className: 'hint' });
  let inbox = null, found = null, input = null, last = null, timer = 0, files = [], isSaved = true, work = Promise.resolve();

  const many = count => `${count} picture${count === 1 ? '' : 's'}`;

  function say(words) {
    told.textContent = words;
    undo.hidden = !last;
    load.hidden = !files.length;
    load.textContent = `Download ${many(files.length)} (.zip)`;
  }

  function choose(isOpen) {
    if (!isOpen && classes.contains(document.activeElement)) no.focus();
    classes.hidden = !isOpen;
    no.setAttribute('aria-expanded', isOpen);
    if (isOpen) names.firstChild?.focus();
  }

  // One after the other, so that what was kept before is known.
  const inTurn = action => work = work.then(action).catch(error => say(error.message));

  // Store the picture under a label, null while it has none, in the place of what was kept of it before.
  function keep(label, isWanted = () => true) {
    const mine = input;
    choose(false);
    return inTurn(async () => {
      if (!mine || !isWanted()) return;
      const made = { ...await (inbox ? send(mine, label) : collect(mine, label)), input: mine, isUnsure: label === null };
      if (last?.input === mine) await remove(last);
      if (made.isUnsure && input !== mine && continues(input?.strokes, mine.strokes)) return remove(made);
      last = made;
      const where = inbox ? `in the inbox of this device: ${many(inbox.pictures)}` : `in this page, until you close it: ${many(files.length)}`;
      say(made.isUnsure ? `Kept as unsure ${where}. You can still say what it is.` : `Kept as ${made.class} ${where}.`);
    });
  }

  async function send(mine, label) {
    const { body } = await device.bodyOf(mine), query = label === null ? '' : `?class=${encodeURIComponent(label)}`;
    const answer = await device.ask(`v1/inbox${query}`, body);
    inbox = answer.inbox;
    return answer.kept[0];
  }

  // A drawing becomes a PNG file of the same pixels; a picture stays the file that it is.
  async function collect({ file, pixels, width, height }, label) {
    const data = file ? new Uint8Array(await file.arrayBuffer()) : await png(pixels, width, height), time = new Date().toISOString().replace(/\D/g, '');
    if (files.reduce((sum, each) => sum + each.data.length, data.length) > MOST) throw new Error('This page keeps 50 MB at most: download the pictures, then open it again.');
    const kind = file && /^image\/([a-z]+)/.exec(file.type)?.[1] || 'png', name = `${time.slice(0, 8)}-${time.slice(8)}-${crc32(data).toString(16)}.${kind}`;
    files.push({ name: `${label}/${name}`, data });
    isSaved = false;
    return { class: label, name };
  }

  async function remove({ class: label, name }) {
    if (inbox) ({ inbox } = await device.ask(`v1/inbox?name=${name}`, null, 'DELETE'));
    else files = files.filter(each => each.name !== `${label}/${name}`);
  }

  const take = kept => inTurn(async () => {
    await remove(kept);
    if (last === kept) last = null;
  });

  function nameNew() {
    const name = other.value.trim().normalize();
    if (!labels().includes(name) && !NAME.test(name)) return say('The name of a class is letters and digits.');
    other.value = '';
    keep(name);
  }

  function download() {
    const link = make('a', { href: URL.createObjectURL(zip(files)), download: 'pictures.zip' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    isSaved = true;
    say('Unpack it, and give the folder to mnist-edge train --also.');
  }

  // Whether a drawing is another one with strokes added or taken back.
  const continues = (strokes, before) => Boolean(strokes && before?.slice(0, strokes.length).every((stroke, i) => stroke === strokes[i]));

  // Take what is answered now; nothing without a label is kept.
  function show(newInput, newFound) {
    clearTimeout(timer);
    const isAnswered = Boolean(newFound && newFound.label !== null);
    if (last?.isUnsure && continues(newInput?.strokes, last.input.strokes)) take(last); // it was not finished
    [input, found, last] = isAnswered ? [newInput, newFound, null] : [null, null, null];
    yes.disabled = no.disabled = !isAnswered;
    choose(false);
    say('');
    if (!isAnswered) return;
    names.replaceChildren(...labels().filter(label => label !== found.label).map(label => button(label, () => keep(label))));
    const mine = input;
    if (inbox && !found.accepted) timer = setTimeout(() => keep(null, () => input === mine && !last), SETTLED);
  }

  async function meet() {
    inbox = await device.ask('v1/inbox');
    hint.textContent = 'What you keep is stored in the inbox of this device, to train with. So is, by itself, what the network is unsure of.';
    section.append(hint);
    if (device.isServed) find('intro').append(' What goes into its inbox is sent to it, too.');
  }

  other.addEventListener('keydown', event => event.key === 'Enter' && nameNew());
  classes.addEventListener('keydown', event => {
    if (event.key === 'Escape') choose(false);
    event.stopPropagation(); // these keys are not for the paper
  });
  addEventListener('beforeunload', event => isSaved || event.preventDefault());
  names.setAttribute('role', 'group');
  names.setAttribute('aria-label', 'It is');
  no.setAttribute('aria-controls', 'classes');
  told.setAttribute('role', 'status');
  section.hidden = !('CompressionStream' in window);
  find('answer').after(section);
  return { show, meet };
})();
