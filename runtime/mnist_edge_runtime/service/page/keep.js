// Keep pictures to train with, under the class that a person names: in the inbox of the device, else in this page
// until they are downloaded.
const keeping = (() => {
  const SETTLED = 2000; // milliseconds after which a drawing that is unsure counts as finished
  const MOST = 50e6; // bytes in this page
  const LEAST = 5; // pictures of a class that the network does not know, which a training needs
  const button = (text, action) => {
    const made = make('button', { type: 'button' }, text);
    made.addEventListener('click', action);
    return made;
  };
  const yes = button('Right, keep it', () => keep(found.label)), no = button('No, it is …', () => choose(classes.hidden));
  const undo = button('Do not keep it', () => takeBack(last)), load = button('', download);
  const other = make('input', { type: 'text', maxLength: 40, autocomplete: 'off' }), another = button('Keep', nameNew);
  const names = make('div', { className: 'tools' }), told = make('p', { id: 'kept' });
  const classes = make('div', { id: 'classes', hidden: true }, names, make('div', { className: 'tools' }, make('label', {}, 'Another class ', other), another));
  const section = make('div', { id: 'keep' }, make('div', { className: 'tools' }, yes, no), classes, told, make('div', { className: 'tools' }, undo, load));
  const hint = make('p', { className: 'hint' });
  let inbox = null, found = null, input = null, last = null, timer = 0, files = [], work = Promise.resolve();

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
      const kept = await (inbox ? send(mine, label) : collect(mine, label)), isUnsure = inbox && kept.class === 'unsure';
      if (label === null && !isUnsure) return say(`It is kept as ${kept.class} already.`);
      const made = { ...kept, input: mine, isUnsure };
      if (isUnsure && input !== mine && continues(input?.strokes, mine.strokes)) return remove(made);
      last = made;
      say(described(made));
    });
  }

  function described({ class: name, moved_from: before, isUnsure }) {
    const where = inbox ? `in the inbox of this device: ${many(inbox.pictures)}` : `in this page, until you close it: ${many(files.length)}`;
    if (isUnsure) return `Kept as unsure ${where}. You can still say what it is.`;
    const moved = before && before !== 'unsure' ? ` It was under ${before} before.` : '';
    const lack = labels().includes(name) ? 0 : LEAST - (classesHere().get(name) || 0);
    const lacking = lack > 0 ? ` The network does not know ${name} yet: to learn it, it needs ${LEAST} pictures of it, ${lack} more.` : '';
    return `Kept as ${name} ${where}.${moved}${lacking}`;
  }

  // The classes that pictures are kept of, with the numbers of these.
  function classesHere() {
    if (inbox) return new Map(Object.entries(inbox.classes));
    const found = new Map();
    for (const { label } of files) found.set(label, (found.get(label) || 0) + 1);
    return found;
  }

  async function send(mine, label) {
    const { body } = await device.bodyOf(mine), query = label === null ? '' : `?class=${encodeURIComponent(label)}`;
    const answer = await device.ask(`v1/inbox${query}`, body);
    inbox = answer.inbox;
    return answer.kept[0];
  }

  // A drawing becomes a PNG file of the same pixels; a picture stays the file that it is. None is kept twice.
  async function collect({ file, pixels, width, height }, label) {
    const data = file ? new Uint8Array(await file.arrayBuffer()) : await png(pixels, width, height), time = new Date().toISOString().replace(/\D/g, '');
    const same = files.find(each => each.data.length === data.length && each.data.every((value, i) => value === data[i])), others = files.filter(each => each !== same);
    if (others.reduce((sum, each) => sum + each.data.length, data.length) > MOST) throw new Error('This page keeps 50 MB at most: download the pictures, then open it again.');
    const kind = file && /^image\/([a-z]+)/.exec(file.type)?.[1] || 'png', name = `${label}/${time.slice(0, 8)}-${time.slice(8)}-${crc32(data).toString(16)}.${kind}`;
    files = [...others, { name, label, data, isSaved: false }];
    return { class: label, name, moved_from: same?.label === label ? null : same?.label };
  }

  async function remove({ name }) {
    if (!inbox) {
      files = files.filter(each => each.name !== name);
      return;
    }
    try {
      ({ inbox } = await device.ask(`v1/inbox?name=${name}`, null, 'DELETE'));
    } catch (error) {
      if (error.status === 404) error.message = 'The device can no longer take it back: it was sorted or removed there, or the device was started again.';
      throw error;
    }
  }

  const takeBack = kept => inTurn(async () => {
    if (last !== kept) return;
    try {
      await remove(kept);
    } catch (error) {
      if (error.status === 404) last = null;
      throw error;
    }
    last = null;
    say('It is no longer kept.');
  });

  function nameNew() {
    const name = other.value.trim().normalize();
    try {
      keep(classNamed(name, [...classesHere().keys()], labels()));
      other.value = '';
    } catch (error) {
      say(error.message);
    }
  }

  function download() {
    const link = make('a', { href: URL.createObjectURL(zip(files)), download: 'pictures.zip' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    for (const each of files) each.isSaved = true;
    say('Unpack it, and give the folder to mnist-edge train --also.');
  }

  // Whether a drawing is another one with strokes added or taken back.
  const continues = (strokes, before) => Boolean(strokes && before?.slice(0, strokes.length).every((stroke, i) => stroke === strokes[i]));

  // Take what is answered now; nothing without a label is kept.
  function show(newInput, newFound) {
    clearTimeout(timer);
    const isAnswered = Boolean(newFound && newFound.label !== null);
    if (last?.isUnsure && continues(newInput?.strokes, last.input.strokes)) {
      const kept = last; // it was not finished
      inTurn(() => remove(kept));
    }
    [input, found, last] = isAnswered ? [newInput, newFound, null] : [null, null, null];
    yes.disabled = no.disabled = !isAnswered;
    choose(false);
    say('');
    if (!isAnswered) return;
    names.replaceChildren(...labels().filter(label => label !== found.label).map(label => button(label, () => keep(label))));
    const mine = input;
    if (inbox && !found.accepted) timer = setTimeout(() => keep(null, () => input === mine && last?.input !== mine), SETTLED);
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
  addEventListener('beforeunload', event => files.every(each => each.isSaved) || event.preventDefault());
  names.setAttribute('role', 'group');
  names.setAttribute('aria-label', 'It is');
  no.setAttribute('aria-controls', 'classes');
  told.setAttribute('role', 'status');
  section.hidden = !('CompressionStream' in window);
  find('answer').after(section);
  return { show, meet };
})();
