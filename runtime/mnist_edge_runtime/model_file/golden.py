"""Store the golden vectors: images inside the model file, with the answers that an intact device must give."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .contract import IMAGE_SHAPE

__all__ = ["Golden"]

_MAX_BYTES = 64 * 1024 * 1024  # unpacked


@dataclass(frozen=True)
class Golden:
    """G images and the expected answers.

    Attributes:
        images: uint8 (G, 28, 28).
        labels: the true label of each, str (G,).
        predicted: the label that the Keras model gave, str (G,).
        probabilities: those of the Keras model, float32 (G, classes).
        logits: for each family of kernels the file's expected logits, float32 (G, classes).
        picture: the index of the image that the self-test also prepares from a picture.
        prepared: what that picture is prepared to, uint8 (28, 28); None in files made before it was kept.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.str_]
    predicted: NDArray[np.str_]
    probabilities: NDArray[np.float32]
    logits: Mapping[str, NDArray[np.float32]]
    picture: int
    prepared: NDArray[np.uint8] | None = None

    def to_bytes(self) -> bytes:
        """Return the arrays as an .npz archive; equal vectors give equal bytes."""
        arrays = {
            "images": self.images,
            "labels": self.labels,
            "predicted": self.predicted,
            "probabilities": self.probabilities,
            "picture": np.array(self.picture, np.int32),
            **({} if self.prepared is None else {"prepared": self.prepared}),
            **{f"logits_{family}": logits for family, logits in sorted(self.logits.items())},
        }
        buffer = io.BytesIO()
        # numpy stamps every member with 1980-01-01, so no date enters the bytes.
        np.savez_compressed(buffer, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Golden:
        """Read what `to_bytes` wrote.

        Raises:
            ModelError: not such an archive, or arrays that do not belong together.
        """
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as archive:
                if sum(member.file_size for member in archive.zip.infolist()) > _MAX_BYTES:
                    raise ValueError(f"they would unpack to more than {_MAX_BYTES >> 20} MiB")
                arrays = {name: archive[name] for name in archive.files}
            golden = cls(
                images=arrays["images"],
                labels=arrays["labels"],
                predicted=arrays["predicted"],
                probabilities=arrays["probabilities"],
                logits={name[len("logits_") :]: a for name, a in arrays.items() if name.startswith("logits_")},
                picture=int(arrays["picture"].item()),
                prepared=arrays.get("prepared"),
            )
            golden._check(arrays["picture"])
        except Exception as error:
            raise ModelError(f"the golden vectors inside the file cannot be read ({error}); export again") from None
        return golden

    def _check(self, picture: NDArray[np.generic]) -> None:
        """Raise ValueError where an array has another dtype or shape than `to_bytes` writes, or holds NaN."""
        answers = {
            "probabilities": self.probabilities,
            **{f"logits_{name}": each for name, each in self.logits.items()},
        }
        count, classes = len(self.images), self.probabilities.shape[-1:]
        for name, array, kind, shape in (
            ("images", self.images, "uint8", (count, *IMAGE_SHAPE)),
            ("labels", self.labels, "U", (count,)),
            ("predicted", self.predicted, "U", (count,)),
            ("picture", picture, "int32", ()),
            *([] if self.prepared is None else [("prepared", self.prepared, "uint8", IMAGE_SHAPE)]),
            *((name, array, "float32", (count, *classes)) for name, array in answers.items()),
        ):
            if array.shape != shape or kind not in (array.dtype.name, array.dtype.kind):
                raise ValueError(f"{name} are {array.dtype} {array.shape}, expected {kind} {shape}")
        if not all(np.isfinite(array).all() for array in answers.values()):
            raise ValueError("an expected answer is NaN or infinite")
        if not 0 <= self.picture < count:
            raise ValueError(f"picture is {self.picture} of {count} images")
