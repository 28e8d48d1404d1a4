// Pictures that are chosen, photographed, pasted or dropped.
const MOST_PIXELS = 20e6;

// A picture, decoded; throws an Error with a sentence.
async function opened(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none' });
  } catch {
    throw new Error('This is no picture that the browser can open.');
  }
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new Error(`${width} × ${height} pixels are more than 20 megapixels: scale it down.`);
  const context = make('canvas', { width, height }).getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return { bitmap, file, width, height, pixels: context.getImageData(0, 0, width, height).data };
}

function acceptPictures(open) {
  for (const id of ['file', 'photo']) {
    find(id).addEventListener('change', event => {
      const [file] = event.target.files;
      if (file) open(file);
      event.target.value = '';
    });
  }
  document.addEventListener('paste', event => {
    const file = [...event.clipboardData.files].find(each => each.type.startsWith('image/'));
    if (file) open(file);
  });
  document.addEventListener('dragover', event => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  for (const kind of ['dragleave', 'drop']) {
    document.addEventListener(kind, event => {
      event.preventDefault();
      document.body.classList.remove('dropping');
      if (kind === 'drop' && event.dataTransfer.files.length) open(event.dataTransfer.files[0]);
    });
  }
}
