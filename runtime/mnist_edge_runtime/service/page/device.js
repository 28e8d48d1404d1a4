// The device that serves the page: what it runs, and what it answers. A page that was opened from disk has none.
const device = (() => {
  const isServed = document.documentElement.dataset.served === 'true', most = 900_000; // bytes of a body, below the usual limit
  const token = isServed && (fromAddress() || stored());
  if (isServed) addEventListener('hashchange', () => location.hash.startsWith('#token=') && location.reload());

  // The token leaves the address bar, and stays in this tab, so that it is there when the page is loaded again.
  function fromAddress() {
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    if (!given) return null;
    history.replaceState(null, '', location.pathname + location.search);
    stored(given);
    return given;
  }

  function stored(given) {
    try {
      if (given) sessionStorage.setItem('token', given);
      return sessionStorage.getItem('token');
    } catch {
      return null; // a browser that stores nothing asks for it again
    }
  }

  const sentences = {
    401: () => `${token ? 'The device does not know this token, and has a new one since it was started again' : 'The device asks for its token'}: open the whole address that it printed, or scan its QR code.`,
    413: told => `The picture is larger than the device takes: ${told}.`,
    422: told => `The device cannot read this picture: ${told}.`,
    429: () => 'The device is busy: too many pictures wait for it. Try again in a moment.',
    507: told => `The device does not keep it: ${told}.`,
    503: told => `The device has no time for this: ${told}. Try again in a moment.`,
  };

  async function ask(path, body, method = body ? 'POST' : 'GET') {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    if (body) headers['Content-Type'] = body.type || 'application/octet-stream';
    let response, answer = {};
    try {
      response = await fetch(path, { method, body, headers, cache: 'no-store', signal: AbortSignal.timeout(45_000) });
    } catch {
      throw new Error('The device does not answer. Is it switched on, and does mnist-edge-runtime serve still run there?');
    }
    try {
      answer = await response.json();
    } catch {
      if (response.ok) throw new Error('The device answers with something that is no answer.');
    }
    if (response.ok) return answer;
    const told = String(answer.error || 'it does not say why').replace(/\.$/, ''), sentence = sentences[response.status];
    throw Object.assign(new Error(sentence ? sentence(told) : `The device answers with the error ${response.status}: ${told}.`), { status: response.status });
  }

  // The body of a request: a drawing as it is, a picture as its file, made smaller where that is large.
  async function bodyOf(input) {
    if (!input.file) return { body: new Blob([`P5 ${input.width} ${input.height} 255\n`, input.pixels], { type: 'image/x-portable-graymap' }), scale: 1 };
    if (input.file.size <= most) return { body: input.file, scale: 1 };
    const scale = Math.min(1, 1600 / Math.max(input.width, input.height));
    const canvas = make('canvas', { width: Math.round(input.width * scale), height: Math.round(input.height * scale) });
    const context = canvas.getContext('2d');
    context.fillStyle = 'white'; // JPEG has no transparency: it would become black
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(input.bitmap, 0, 0, canvas.width, canvas.height);
    return { body: await new Promise(done => canvas.toBlob(done, 'image/jpeg', 0.9)), scale };
  }

  async function classify(input) {
    const start = performance.now(), { body } = await bodyOf(input);
    const [found] = (await ask('v1/classify?image=1', body)).predictions;
    const image = found.image && Uint8Array.from(atob(found.image), char => char.charCodeAt(0));
    const { prepare, engine } = found.milliseconds;
    return { ...found, image, milliseconds: prepare + engine, all: performance.now() - start };
  }

  async function read(input) {
    const { body, scale } = await bodyOf(input), [found] = (await ask('v1/read', body)).readings;
    for (const { digits } of found.lines) for (const digit of digits) digit.box = digit.box.map(value => value / scale);
    return found;
  }

  return { isServed, classify, read, ask, bodyOf, token: () => token, model: () => ask('v1/model') };
})();
