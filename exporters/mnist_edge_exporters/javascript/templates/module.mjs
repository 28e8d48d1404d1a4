// @name@: reads @labels@ from a picture, or from an image of 28 x 28 pixels, white on black as in MNIST.
//
// Made by mnist-edge @version@ from @file@ (SHA-256 @sha256@); do not edit.
// Same logits as that file to the bit, as LiteRT computes them: proven in V8 on @images@ test images, and the
// preprocessing on @pictures@ pictures. No dependency, no WebAssembly, no network. The types are in @name@.d.mts.

const SIDE = 28;

// The kernels of the layers and the preprocessing, made small; mnist-edge has them in readable form.
@kernels@

// What the file promises: labels, origin, accuracy, and how it was proven.
export const contract = @contract@;

// The network, layer by layer: rows x columns x channels. Weights, biases and scales are at the end.
const steps = [
@layers@
];

const answer = network(steps, @weights@, @input@, @output@);

@acceptance@

/** Return the raw logits of an image of 28 x 28 pixels; the real value of one is (logit - @zero@) * @scale@. */
export function logits(image) {
  return answer(image);
}

/** Return what each layer makes of an image: values, of which y[3] is zero, in y[0] rows of y[1] places of y[2] channels. */
export function layers(image) {
  answer(image);
  return steps.map(({ name, y, out }) => ({ name, y, values: out.slice() }));
}

/** Return the label of an image of 28 x 28 pixels, its probability, and whether the answer is accepted. */
export function classify(image) {
  const raw = answer(image), best = raw.indexOf(Math.max(...raw));
  const shares = Array.from(raw, logit => Math.exp(((logit - raw[best]) * @scale@) / @temperature@));
  const sum = shares.reduce((a, b) => a + b), probabilities = shares.map(share => share / sum);
  return {
    label: contract.labels[best], confidence: probabilities[best], probabilities, accepted: accepts(raw), logits: raw,
  };
}

/** Read a picture of one digit, grey, RGB or RGBA with a byte each; return what `classify` does, and the image. */
export function read(pixels, width, height) {
  const image = prepare(pixels, width, height);
  return { ...classify(image), image };
}

/** Ten images that every device answers with the same logits. */
export const golden = {
  images: unpacked(@golden_images@),
  logits: bytes(@golden_logits@),
};

/** Answer the golden images; return how many logits are not as they must be: 0. */
export function selfTest() {
  let wrong = 0;
  for (let i = 0; i < golden.images.length / (SIDE * SIDE); i++) {
    const found = answer(golden.images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE));
    found.forEach((logit, k) => wrong += logit !== golden.logits[i * @classes@ + k]);
  }
  return wrong;
}

export { prepare, BlankError };
