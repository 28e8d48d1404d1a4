/** What the file promises, as docs/model-file.md of mnist-edge has it. */
export declare const contract: { readonly labels: readonly string[]; readonly [key: string]: unknown };

/** The network's answer to one image. */
export interface Prediction {
  /** The most probable class. */
  label: string;
  /** Its probability, 0 to 1. */
  confidence: number;
  /** Of all classes, in the order of the contract's labels. */
  probabilities: number[];
  /** False where the network is too unsure for its answer to be used. */
  accepted: boolean;
  /** The raw logits, the same on every device. */
  logits: Uint8Array;
}

/** Thrown for a picture without ink. */
export declare class BlankError extends Error {}

/** Return the raw logits of an image, 784 values from 0 (black) to 255 (white ink), row by row. */
export declare function logits(image: ArrayLike<number>): Uint8Array;

/** What a layer makes of an image, from the first layer to the logits. */
export interface LayerOutput {
  /** The operator, such as "Convolution 3 x 3". */
  name: string;
  /** Rows, columns and channels of the values, and the value that stands for zero. */
  y: readonly [number, number, number, number];
  /** Row by row, in each all channels of a place. */
  values: Int8Array | Uint8Array;
}

/** Return what each layer makes of an image, 784 values from 0 (black) to 255 (white ink), row by row. */
export declare function layers(image: ArrayLike<number>): LayerOutput[];

/** Return the answer to an image, 784 values from 0 (black) to 255 (white ink), row by row. */
export declare function classify(image: ArrayLike<number>): Prediction;

/**
 * Bring a picture of one digit to 28 x 28 pixels, white on black: any size from 3 x 3, any colours.
 *
 * @param pixels 1, 3 (RGB) or 4 (RGBA) bytes a pixel, row by row, such as the `data` of an ImageData.
 * @throws BlankError if there is no ink, RangeError if the number of bytes does not fit.
 */
export declare function prepare(pixels: Uint8Array | Uint8ClampedArray, width: number, height: number): Uint8Array;

/** Read a picture: `prepare` and then `classify`; the image that the network saw is in the answer. */
export declare function read(
  pixels: Uint8Array | Uint8ClampedArray, width: number, height: number,
): Prediction & { image: Uint8Array };

/** Images one behind the other, 784 values each, and the raw logits that every device must give. */
export declare const golden: { images: Uint8Array; logits: Uint8Array };

/** Answer the golden images; return how many logits are not as they must be: 0. */
export declare function selfTest(): number;
