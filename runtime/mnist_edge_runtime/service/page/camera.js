// Show the device's camera: the live picture with a box around each digit, and the newest reading on which frames agree.
const cameraSection = (() => {
  const again = 3000; // milliseconds until a picture that broke off is asked for again
  const label = make('p', { id: 'camera-label' }, '–'), words = make('p', { id: 'camera-words' }, 'Looking for a number.');
  const picture = make('canvas', { id: 'live', width: 640, height: 480 }), pause = make('button', { type: 'button', id: 'pause' }, 'Pause');
  let stopped = null, isPaused = false, ended = null, last = null;

  function say(state, text, sentence) {
    const status = find('camera-status');
    status.dataset.state = state;
    setText('camera-label', text);
    setText('camera-words', sentence);
  }

  // The last reading; in front of its sentence, whether the picture stands still.
  function tell() {
    const still = ended ? `The camera has ended (${ended}). ` : isPaused ? 'Paused: the picture stands still. ' : '';
    const told = (state, text, sentence) => say(state, text, still ? `${still}The last reading: ${sentence[0].toLowerCase()}${sentence.slice(1)}` : sentence);
    if (!last) return say('empty', '–', still ? `${still}No number was seen.` : 'Looking for a number.');
    const { text, accepted, reason } = last, sentence = reason ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : '';
    if (accepted) return told('read', text, sentence || 'The frames agree, and each digit is sure.');
    return told(text ? 'unsure' : 'blank', text || '–', text ? `${sentence} Do not rely on it.` : sentence);
  }

  // A film or a folder is at its end: nothing is asked for again, and the last picture and reading stay.
  function end(sentence) {
    ended = sentence.replace(/\.$/, '');
    pause.hidden = true;
    tell();
  }

  // Boxes are in pixels of the frame; what is not sure is dashed.
  async function draw(jpeg, reading) {
    const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' })), context = picture.getContext('2d');
    if (picture.width !== bitmap.width || picture.height !== bitmap.height) Object.assign(picture, { width: bitmap.width, height: bitmap.height });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const unit = Math.max(1, picture.width / 320), accent = `rgb(${colour('--accent')})`, on = `rgb(${colour('--on')})`;
    Object.assign(context, { lineWidth: 1.5 * unit, font: `600 ${11 * unit}px system-ui, sans-serif`, textBaseline: 'bottom', strokeStyle: accent });
    for (const { label: name, box: [left, top, width, height], accepted } of reading.digits) {
      context.setLineDash(accepted ? [] : [4 * unit, 3 * unit]);
      context.strokeRect(left - 2 * unit, top - 2 * unit, width + 4 * unit, height + 4 * unit);
      const shown = accepted ? name : `${name}?`, side = context.measureText(shown).width + 6 * unit;
      context.fillStyle = accent;
      context.fillRect(left - 2.75 * unit, top - 17 * unit, side, 15 * unit);
      context.fillStyle = on;
      context.fillText(shown, left + 0.25 * unit, top - 3 * unit);
    }
    const found = reading.text ? `${reading.text}${reading.accepted ? '' : ', not sure'}` : 'no digit';
    picture.setAttribute('aria-label', `Live picture of the camera: ${found}`);
  }

  // The parts of a multipart body: headers and a JPEG each.
  async function* parts(body) {
    const reader = body.getReader(), text = new TextDecoder();
    let data = new Uint8Array(0);
    async function fill() {
      const { value, done } = await reader.read();
      if (done) return false;
      const joined = new Uint8Array(data.length + value.length);
      joined.set(data);
      joined.set(value, data.length);
      data = joined;
      return true;
    }
    for (;;) {
      let end;
      while ((end = text.decode(data.subarray(0, 65_536)).indexOf('\r\n\r\n')) < 0) if (!await fill()) return;
      const head = text.decode(data.subarray(0, end)), size = Number(/^Content-Length: (\d+)/m.exec(head)[1]), from = end + 4;
      while (data.length < from + size + 2) if (!await fill()) return;
      yield { reading: JSON.parse(/^X-Reading: (.*)$/m.exec(head)[1]), jpeg: data.slice(from, from + size) };
      data = data.slice(from + size + 2);
    }
  }

  async function show() {
    const mine = stopped = new AbortController(), token = device.token();
    try {
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const response = await fetch('v1/camera', { headers, cache: 'no-store', signal: mine.signal });
      if (!response.ok) {
        const { error } = await response.json(), { camera } = await device.ask('v1/reading').catch(() => ({}));
        if (camera?.ended) return end(camera.ended);
        say('failed', '–', `The camera shows nothing: ${error}.`);
      } else {
        for await (const { jpeg, reading } of parts(response.body)) {
          await draw(jpeg, reading);
          last = reading.stable || last;
          if (reading.ended) return end(reading.ended);
          tell();
        }
        say('failed', '–', 'The live picture broke off. It is asked for again.');
      }
    } catch {
      if (!mine.signal.aborted) say('failed', '–', 'The device does not answer. It is asked again.');
    }
    if (!mine.signal.aborted) setTimeout(() => mine === stopped && follow(), again);
  }

  // Nothing is fetched for a page that nobody sees.
  function follow() {
    stopped?.abort();
    stopped = null;
    if (!isPaused && !ended && !document.hidden) show();
  }

  function start() {
    const section = find('camera'), status = make('div', { id: 'camera-status' }, label, words);
    status.setAttribute('role', 'status');
    status.dataset.state = 'empty';
    picture.setAttribute('role', 'img');
    picture.setAttribute('aria-label', 'Live picture of the camera');
    section.append(picture, make('div', {}, make('h2', {}, 'Before the camera'), status, pause));
    section.hidden = false;
    pause.addEventListener('click', () => {
      isPaused = !isPaused;
      pause.textContent = isPaused ? 'Go on' : 'Pause';
      tell();
      follow();
    });
    document.addEventListener('visibilitychange', follow);
    follow();
  }

  return { start };
})();

const startCamera = () => cameraSection.start();
