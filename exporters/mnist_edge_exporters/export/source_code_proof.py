"""Compare what exported source code answers with the file that it was made of, and say of which file that is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from mnist_edge_runtime.acceptance import acceptance
from mnist_edge_runtime.engines.tensor_codec import decoder
from mnist_edge_runtime.errors import BlankError, VerificationError
from mnist_edge_runtime.model_file.contract import OutputSpec
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from numpy.typing import NDArray

__all__ = ["check", "origin"]

Image = NDArray[np.uint8]


class Answers(Protocol):
    """Raw logits, uint8 (N, classes), acceptance, bool (N,), and the image of each picture, None for a blank one."""

    @property
    def logits(self) -> NDArray[np.uint8]: ...
    @property
    def accepted(self) -> NDArray[np.bool_]: ...
    @property
    def prepared(self) -> tuple[Image | None, ...]: ...


def origin(file: Path, images: int) -> dict[str, Any]:
    """Return what the code says of itself: its file, and the number of test images that it is proven on."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"file": file.name, "sha256": digest, "version": version("mnist-edge"), "images": images}


def check(
    what: str,
    found: Answers,
    output: OutputSpec,
    expected: NDArray[Any],
    engine_logits: NDArray[np.float32] | None,
    pictures: Sequence[Image],
) -> None:
    """Raise VerificationError where the code answers otherwise than the file, or prepares otherwise than the runtime.

    Args:
        what: what is not published then.
        found: what the code answers.
        output: of the file's contract.
        expected: raw logits of the integer network, (N, classes).
        engine_logits: those of the engine, float32 (N, classes); None where the code rounds as another engine.
        pictures: (H, W), or in colour, that the code has prepared.
    """
    differing = int(np.count_nonzero(found.logits != expected))
    if engine_logits is not None:
        differing = max(differing, int(np.count_nonzero(decoder(output)(found.logits) != engine_logits)))
    if differing:
        raise VerificationError(f"no {what} is published: {differing:,} of {found.logits.size:,} logits differ")
    rule = acceptance(output)
    accepted = np.array([rule is None or rule.accepts(raw) for raw in found.logits])
    if others := int(np.count_nonzero(accepted != found.accepted)):
        raise VerificationError(
            f"no {what} is published: {others:,} of {len(accepted):,} answers are accepted otherwise"
        )
    unlike = sum(not _is_same(image, picture) for image, picture in zip(found.prepared, pictures, strict=True))
    if unlike:
        raise VerificationError(
            f"no {what} is published: {unlike:,} of {len(pictures):,} pictures are prepared otherwise"
        )


def _is_same(image: Image | None, picture: Image) -> bool:
    """Return whether the image, None for a blank picture, is what the runtime makes of the picture."""
    try:
        expected = to_mnist(picture)
    except BlankError:
        return image is None
    return image is not None and np.array_equal(image, expected)
