// Find, make and describe elements of the page.
const find = id => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function setText(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text; // what stays the same is not told twice
}

// A share as a person reads it.
function percent(share) {
  if (share > 0.999) return 'more than 99.9 %';
  if (share < 0.001) return 'less than 0.1 %';
  return `${(100 * share).toFixed(1)} %`;
}

const duration = milliseconds => milliseconds < 0.1 ? 'less than 0.1 ms' : `${milliseconds.toFixed(1)} ms`;

// A colour of the theme, as red, green and blue.
function colour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map(at => parseInt(text.slice(at, at + 2), 16));
}

function paint(canvas, image) {
  const pixels = new ImageData(SIDE, SIDE);
  image.forEach((v, i) => pixels.data.set([v, v, v, 255], 4 * i));
  canvas.getContext('2d').putImageData(pixels, 0, 0);
}
