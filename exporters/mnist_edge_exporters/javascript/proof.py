"""Run a network in JavaScript in V8, in a process of its own: the arguments of the child are MODULE INPUT OUTPUT.

`mini-racer` brings V8 as a Python package; beside other native libraries in one process it was seen to hang.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.child_process import run_module
from mnist_edge_runtime.errors import InputError, VerificationError
from mnist_edge_runtime.host import install_extra
from numpy.typing import NDArray

from .generate import as_script
from .template import check_minifier

__all__ = ["HARNESS", "Answers", "answers", "check_tools"]

_SECONDS = 3600  # for the whole test set, with tens of milliseconds an image for large networks
_STEP = 500  # images that are handed over together
# What runs in V8 beside the module: JSON out, bytes in as base64.
HARNESS = """
function answerAll(text) {
  const pixels = bytes(text), out = [];
  for (let i = 0; i < pixels.length; i += 784) {
    const image = pixels.subarray(i, i + 784), found = classify(image);
    out.push([...found.logits, contract.labels.indexOf(found.label), found.accepted ? 1 : 0]);
  }
  return JSON.stringify(out);
}
function prepareOne(text, width, height) {
  try {
    return Array.from(prepare(bytes(text), width, height)).join();
  } catch (error) {
    if (error instanceof BlankError) return '';
    throw error;
  }
}
"""


class Answers(NamedTuple):
    """What the network answers in V8.

    Attributes:
        logits: raw, uint8 (N, classes).
        best: the class of each image, (N,).
        accepted: bool (N,).
        prepared: for each picture its image, (28, 28); None where the picture is blank.
    """

    logits: NDArray[np.uint8]
    best: NDArray[np.int64]
    accepted: NDArray[np.bool_]
    prepared: tuple[NDArray[np.uint8] | None, ...]


def check_tools() -> None:
    """Check that V8 is here, and what makes the code small.

    Raises:
        InputError: one of them is not.
    """
    if find_spec("py_mini_racer") is None:
        raise InputError(
            "--format web proves its code by running it, and there is no JavaScript engine here: install mini-racer "
            f"{install_extra('web')}"
        )
    check_minifier()


def answers(module: str, images: NDArray[np.uint8], pictures: Sequence[NDArray[np.uint8]]) -> Answers:
    """Return what the module answers, whose self-test passes.

    Args:
        module: its text.
        images: uint8 (N, 28, 28).
        pictures: uint8, grey, RGB or RGBA, to be prepared.

    Raises:
        VerificationError: it cannot be run, throws, or fails its self-test.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as name:
        text, source, target = (Path(name) / file for file in ("module.js", "in.npz", "out.npz"))
        text.write_text(as_script(module), encoding="utf-8")
        np.savez(source, images, *pictures)
        child = run_module(__name__, str(text), str(source), str(target), seconds=_SECONDS)
        if child.code:
            raise VerificationError(f"the JavaScript failed: {child.reason}")
        with np.load(target) as found:
            prepared = tuple(image if image.any() else None for image in found["prepared"])
            return Answers(found["logits"], found["best"], found["accepted"], prepared)


def main(module: str, source: str, target: str) -> int:
    """Run the self-test, then answer images and prepare pictures, in the child."""
    from py_mini_racer import JSEvalException, MiniRacer

    with np.load(source) as loaded:
        images, *pictures = (loaded[name] for name in loaded.files)
    try:
        with MiniRacer() as engine:
            engine.eval(Path(module).read_text(encoding="utf-8") + HARNESS)
            if wrong := engine.eval("selfTest()"):
                print(f"{wrong} logits of the self-test differ", file=sys.stderr)
                return 1
            rows: list[list[int]] = []
            for start in range(0, len(images), _STEP):
                rows += json.loads(str(engine.call("answerAll", _base64(images[start : start + _STEP]))))
            prepared = [
                _image(engine.call("prepareOne", _base64(picture), picture.shape[1], picture.shape[0]))
                for picture in pictures
            ]
    except JSEvalException as error:
        print(str(error).strip().splitlines()[0], file=sys.stderr)  # others quote the source
        return 1
    found = np.array(rows)
    np.savez(
        target,
        logits=found[:, :-2].astype(np.uint8),
        best=found[:, -2],
        accepted=found[:, -1].astype(np.bool_),
        prepared=np.array(prepared, np.uint8).reshape(-1, *images.shape[1:]),
    )
    return 0


def _base64(array: NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _image(text: Any) -> NDArray[np.uint8]:
    """Return an image from its values, black where the picture is blank: no image of a digit is."""
    return np.array(str(text).split(","), np.uint8) if text else np.zeros(784, np.uint8)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
