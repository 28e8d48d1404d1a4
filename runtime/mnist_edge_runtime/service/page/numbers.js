// Show a number that the device read: its digits, and boxes around them on the paper.
function showReading({ lines, reason, milliseconds }) {
  const digits = lines.flatMap(line => line.digits), unsure = digits.filter(digit => !digit.accepted);
  paper.frame(digits);
  if (!digits.length) {
    showNothing('blank', reason ? `There is no number to be seen. The device says: “${reason.replace(/\.$/, '')}”.` : 'There is no number to be seen in this picture.', []);
    return;
  }
  const text = lines.map(line => line.digits.map(digit => digit.accepted ? digit.label : `${digit.label}?`).join('')).join(' / ');
  const count = digits.length === 1 ? 'One digit' : `${digits.length} digits`;
  if (unsure.length) show('unsure', text, `${count}, of which ${unsure.length} marked with ? may be wrong: do not rely on them.`);
  else {
    const least = percent(Math.min(...digits.map(digit => digit.confidence)));
    show('read', text, `${count}, and the network is ${/than/.test(least) ? '' : 'at least '}${least} sure of each.`);
  }
  showImage(null);
  find('chances').tBodies[0].replaceChildren(...digits.map(({ label, confidence, accepted }) => {
    const bar = make('span', { className: 'bar' });
    bar.style.setProperty('--share', confidence);
    return make('tr', {}, make('th', { scope: 'row' }, accepted ? label : `${label}?`), make('td', {}, bar, make('span', { className: 'share' }, short(confidence))));
  }));
  setText('timing', `Read by the device in ${duration(milliseconds.prepare + milliseconds.engine)}.`);
}
