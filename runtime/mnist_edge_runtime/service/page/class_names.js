// The names of classes, compared as `train --also` does: there is no class twice under two names.
const NAME = /^(?=.{1,40}$)[\p{L}\p{N}]+(?:[ _-][\p{L}\p{N}]+)*$/u, NO_CLASSES = ['unsure', 'discarded'];
const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const folded = name => [...name].length > 1 ? name.toUpperCase().toLowerCase() : name; // of single letters, A and a are two

// The value of a digit of any script: each has its ten in a row.
function valueOf(digit) {
  const at = digit.codePointAt(0);
  let first = at;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return (at - first) % 10;
}

function plain(name) {
  const found = folded(name.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, '') || name);
  if (/^\p{Nd}+$/u.test(found)) return Array.from(found, valueOf).join('').replace(/^0+(?=.)/, '');
  return DIGITS.includes(found) ? String(DIGITS.indexOf(found)) : found;
}

// The class that a person means by a name: a label, one of `others`, or a new one.
function classNamed(name, others, labels) {
  if (labels.includes(name)) return name;
  if (!NAME.test(name) || NO_CLASSES.includes(folded(name))) throw new Error('The name of a class is letters and digits.');
  const known = [...labels, ...others], same = known.filter(each => folded(each.normalize()) === folded(name));
  if (same.length) return same.includes(name) ? name : same[0];
  const near = known.find(each => plain(each) === plain(name));
  if (near !== undefined) throw new Error(`${name} is nearly the same name as ${near}: take that class, or another name.`);
  return name;
}
