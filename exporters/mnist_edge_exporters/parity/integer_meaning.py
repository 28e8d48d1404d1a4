"""Compare a file's integer network with LiteRT, logit by logit: one more runtime of int8 TFLite files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from mnist_edge_runtime.engines.tensor_codec import decoder, encoder
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import Contract
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from ..integer import tflite_reader
from ..integer.evaluate import evaluate
from ..spec import Quantization

__all__ = ["NAME", "VERSION", "IntegerAnswers", "answers", "has_integer_meaning"]

NAME, VERSION = "integer", "1"  # a formula that changes is a new version
_STEP = 1_000  # images between two lines of progress


@dataclass(frozen=True)
class IntegerAnswers:
    """What the integer network of a file answers.

    Attributes:
        logits: float32 (N, classes); None where an operator has no exact formula.
        runtime: its entry among the runtimes of the contract.
    """

    logits: NDArray[np.float32] | None
    runtime: Mapping[str, Any]

    @property
    def line(self) -> str:
        """The outcome of the comparison for a person."""
        if self.logits is None:
            return str(self.runtime["reason"])
        other, count = self.runtime.get("compared_with"), self.logits.size
        if other is None:
            return "not compared with LiteRT, which did not run it here"
        return f"{self.runtime['differing_logits']:,} of {count:,} logits differ from {other}"


def has_integer_meaning(contract: Contract) -> bool:
    """Return whether a file is of the kind that integer networks are read from."""
    return (contract.format, contract.quantization) == ("tflite", Quantization.INT8)


def answers(sealed: SealedModel, images: NDArray[np.uint8], ran: Mapping[str, NDArray[np.float32]]) -> IntegerAnswers:
    """Return the answers of the integer network, and in how many logits LiteRT differs from it.

    Args:
        sealed: an int8 TFLite file.
        images: uint8 (N, 28, 28).
        ran: the logits of each target that ran for the same images, by its name, such as "litert==2.3.0".
    """
    entry: dict[str, Any] = {"engine": NAME, "version": VERSION}
    try:
        network = tflite_reader.read(sealed.payload)
    except ModelError as error:
        return IntegerAnswers(None, {**entry, "status": "no formula", "reason": str(error)})
    encode, decode = encoder(sealed.contract.input), decoder(sealed.contract.output)
    parts = []
    for start in range(0, len(images), _STEP):
        if sys.stderr.isatty():
            print(f"\rinteger network: {start:,} of {len(images):,} images", end="", file=sys.stderr, flush=True)
        parts.append(decode(evaluate(network, encode(images[start : start + _STEP]))))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    logits = np.concatenate(parts)
    entry |= {"status": "ran", "images": len(images)}
    other = next((name for name in ran if name.startswith("litert==")), None)
    if other is not None:
        differing = int(np.count_nonzero(logits != ran[other]))
        entry |= {"compared_with": other, "differing_logits": differing}
    return IntegerAnswers(logits, entry)
