"""Export a network as C source: from its int8 TFLite file, proven by compiling and running it on the whole test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import ModelError, VerificationError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

from ..c_source import project, proof
from ..c_source.generate import ROUNDINGS
from ..c_source.pictures import COUNT, draw
from ..c_source.project import Project
from ..integer import tflite_reader
from ..integer.evaluate import evaluate
from ..parity.prove import Proof
from ..source import Source
from . import source_code_proof
from .export import Exported
from .leftovers import exporting
from .published_folder import publish

__all__ = ["ExportedC", "export_c"]


@dataclass(frozen=True)
class ExportedC:
    """A published folder of C source, its .zip, and the figures of the network."""

    folder: Path
    archive: Path
    made: Project
    rounding: str
    images: int
    compared: int
    unlike: int

    def to_dict(self) -> dict[str, Any]:
        """Return what `export --json` prints of it."""
        return {
            "folder": str(self.folder),
            "archive": str(self.archive),
            "name": self.made.name,
            "rounding": self.rounding,
            "images": self.images,
            "compared_logits": self.compared,
            "differing_logits": 0,
            "answers_unlike_litert": self.unlike,
            "pictures": COUNT,
            "differing_pictures": 0,
            "ram_bytes": self.made.ram,
            "constant_bytes": self.made.constants,
        }

    def lines(self) -> str:
        """Return the outcome for a person."""
        lines = [
            f"C: {self.made.constants:,} bytes of constants and {self.made.ram:,} of RAM, besides code and stack; "
            f"0 of {self.compared:,} logits differ on {self.images:,} test images",
            f"preprocessing: 0 of {COUNT} drawn pictures differ",
            f"published into {self.folder} and {self.archive.name}",
        ]
        if self.rounding != "litert":
            lines.insert(1, f"{self.unlike:,} of {self.images:,} answers are others than the file's on LiteRT")
        return "\n".join(lines)


def export_c(source: Source, outcome: Exported, folder: Path, name: str, rounding: str) -> ExportedC:
    """Write the network of an int8 TFLite file as C, prove it, and publish it as a folder and a .zip.

    Args:
        source: the model and its data.
        outcome: the published int8 TFLite file, with uint8 images and logits.
        folder: the folder for exports.
        name: a C identifier.
        rounding: "litert", as the file answers, or "tflm".

    Raises:
        InputError: there is no C compiler here.
        ModelError: an operator without an exact formula.
        VerificationError: the compiled C does not answer as the file does, or its rounding changes too many answers.
    """
    assert outcome.file
    command, images = proof.compiler(), source.test[0]
    tell(f"proving the C of {name} on {len(images):,} test images")
    sealed = sealed_model.read(outcome.file)
    try:
        network = tflite_reader.read(sealed.payload)
        expected = evaluate(network, images[..., np.newaxis], ROUNDINGS[rounding])
        unlike = _unlike(expected, outcome.proof)
        origin = {**source_code_proof.origin(outcome.file, len(images)), "unlike": unlike}
        made = project.make(sealed, network, name, rounding, origin)
    except ModelError as error:
        raise ModelError(f"{outcome.file.name} is exported, but no C can be made of it: {error}") from None
    pictures = [draw(seed, images) for seed in range(COUNT)]
    found = proof.answers(made, images, command, pictures)
    engine_logits = outcome.proof.logits if rounding == "litert" else None
    source_code_proof.check("C", found, sealed.contract.output, expected, engine_logits, pictures)
    target, archive = folder / f"{name}-c", folder / f"{name}-c.zip"
    with exporting(folder), source.in_use(), atomic_path(archive) as packed:
        packed.write_bytes(project.archive(made))
        publish(made.files, target)
    return ExportedC(target, archive, made, rounding, len(images), expected.size, unlike)


def _unlike(raw: NDArray[Any], proof: Proof) -> int:
    """Return how many answers are others than those of the proven file.

    Raises:
        VerificationError: more than the file was allowed to have unlike the Keras model.
    """
    assert proof.logits is not None
    assert proof.report
    unlike = int((raw.argmax(axis=1) != proof.logits.argmax(axis=1)).sum())
    if unlike > (1 - proof.report.tolerance["agreement"]) * len(raw):
        raise VerificationError(f"no C is published: by this rounding {unlike:,} answers are others than the file's")
    return unlike
