"""Export a network as JavaScript and as a page: from its int8 TFLite file, proven in V8 on the whole test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import ModelError, VerificationError
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

from ..integer import tflite_reader
from ..integer.evaluate import evaluate
from ..javascript import project, proof
from ..javascript.pictures import COUNT, pictures
from ..javascript.project import Project
from ..source import Source
from . import source_code_proof
from .export import Exported
from .leftovers import exporting
from .published_folder import publish

__all__ = ["ExportedWeb", "export_web", "proven"]


@dataclass(frozen=True)
class ExportedWeb:
    """A published folder with a module and a page, and the figures of the proof."""

    folder: Path
    made: Project
    images: int
    compared: int

    def to_dict(self) -> dict[str, Any]:
        """Return what `export --json` prints of it."""
        return {
            "folder": str(self.folder),
            "page": str(self.folder / f"{self.made.name}.html"),
            "name": self.made.name,
            "images": self.images,
            "compared_logits": self.compared,
            "differing_logits": 0,
            "pictures": COUNT,
            "module_bytes": len(self.made.module),
        }

    def lines(self) -> str:
        """Return the outcome for a person."""
        name = self.made.name
        return (
            f"web: {name}.mjs, {len(self.made.module) / 1000:.1f} KB; 0 of {self.compared:,} logits differ on "
            f"{self.images:,} test images, 0 of {COUNT} pictures are prepared otherwise\n"
            f"published into {self.folder}: open {name}.html in a browser"
        )


def export_web(source: Source, outcome: Exported, folder: Path, name: str) -> ExportedWeb:
    """Write the network of an int8 TFLite file for the web, prove it in V8, and publish it as a folder.

    Args:
        source: the model and its data.
        outcome: the published int8 TFLite file, with uint8 images and logits.
        folder: the folder for exports.
        name: what the files are called.

    Raises:
        InputError: there is no JavaScript engine or no minifier here.
        ModelError: an operator without an exact formula.
        VerificationError: the JavaScript does not answer as the file does.
    """
    assert outcome.file
    proof.check_tools()
    images = source.test[0]
    made, compared = proven(outcome.file, images, outcome.proof.logits, name)
    target = folder / f"{name}-web"
    with exporting(folder), source.in_use():
        publish(made.files, target)
    return ExportedWeb(target, made, len(images), compared)


def proven(file: Path, images: NDArray[np.uint8], logits: NDArray[np.float32] | None, name: str) -> tuple[Project, int]:
    """Return the files of the network in an int8 TFLite file, proven in V8, and the number of compared logits.

    Args:
        file: the file, with uint8 images and logits.
        images: the test images, uint8 (N, 28, 28).
        logits: what the engine answers to them, float32 (N, classes).
        name: what the files are called.

    Raises:
        ModelError: an operator without an exact formula.
        VerificationError: the JavaScript does not answer as the file does.
    """
    tell(f"proving the JavaScript of {name} on {len(images):,} test images")
    sealed = sealed_model.read(file)
    try:
        network = tflite_reader.read(sealed.payload)
        made = project.make(sealed, network, name, {**source_code_proof.origin(file, len(images)), "pictures": COUNT})
    except ModelError as error:
        raise ModelError(f"{file.name} is exported, but no JavaScript can be made of it: {error}") from None
    drawn = list(pictures(images, COUNT))
    found, expected = proof.answers(made.module, images, drawn), evaluate(network, images[..., np.newaxis])
    source_code_proof.check("page", found, sealed.contract.output, expected, logits, drawn)
    if others := int(np.count_nonzero(found.logits.argmax(axis=1) != found.best)):
        raise VerificationError(f"no page is published: {others:,} of {len(images):,} images get another class")
    return made, expected.size
