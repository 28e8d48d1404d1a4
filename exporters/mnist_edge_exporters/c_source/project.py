"""Put a network in C into a folder that Arduino, PlatformIO, CMake and ESP-IDF take, and into a .zip of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from mnist_edge_runtime.acceptance import acceptance
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from ..integer.evaluate import evaluate
from ..integer.network import Network
from . import pictures, template
from .generate import ROUNDINGS, accepted, golden, network_source

__all__ = ["Project", "archive", "golden_images", "make", "spoken"]

_GOLDEN = 10  # images: what the self-test costs a chip
_WORDS = {"litert": "LiteRT (XNNPACK)", "tflm": "TensorFlow Lite Micro and CMSIS-NN"}


@dataclass(frozen=True)
class Project:
    """The files of a folder, by their paths in it, and the figures of the network.

    Attributes:
        name: the C identifier, which is the folder's name, too.
        files: text by path.
        ram: bytes of the buffer for activations.
        constants: bytes of constants on a 32-bit processor.
    """

    name: str
    files: Mapping[str, str]
    ram: int
    constants: int


def make(sealed: SealedModel, network: Network, name: str, rounding: str, origin: Mapping[str, Any]) -> Project:
    """Return the folder of a network.

    Args:
        sealed: the int8 TFLite file, with uint8 images and logits.
        network: its integer network.
        name: a C identifier.
        rounding: a key of `ROUNDINGS`.
        origin: "file", "sha256" and "version", the program's; "images", the number that the C is proven on.

    Raises:
        ModelError: an operator that C has no kernel for.
    """
    contract, how = sealed.contract, ROUNDINGS[rounding]
    program = network_source(network, name, how, **origin)
    chosen = golden_images(sealed)
    logits = np.asarray(evaluate(network, chosen[..., np.newaxis], how), np.uint8)
    acceptance_code, acceptance_bytes = accepted(name, acceptance(contract.output), origin["version"])
    labels, classes = spoken(contract.labels), len(contract.labels)
    values = {
        **origin,
        "name": name,
        "upper": name.upper(),
        "guard": f"{name.upper()}_H",
        "labels": labels,
        "classes": classes,
        "last": classes - 1,
        "zero": contract.output.zero_point,
        "scale": f"{contract.output.scale:.9g}",
        "rounding_words": _WORDS[rounding],
        "ram": program.ram,
        "constants": program.constants,
        "count": len(chosen),
        "golden": chosen.size + logits.size,
        "acceptance_bytes": acceptance_bytes,
        "compared": f"{origin['images'] * classes:,}",
        "pictures": pictures.COUNT,
    }
    document = json.loads(contract.to_json())
    document["c"] = {
        "name": name,
        "rounding": rounding,
        "file": origin["file"],
        "sha256": origin["sha256"],
        "images": origin["images"],
        "differing_logits": 0,
        "answers_unlike_litert": origin.get("unlike", 0),
        "ram_bytes": program.ram,
        "constant_bytes": program.constants,
        "acceptance_bytes": acceptance_bytes,
    }
    files = {
        "README.md": template.fill("project_readme.md", **values),
        f"{name}.json": json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        "CMakeLists.txt": template.fill("CMakeLists.txt", **values),
        "library.properties": template.fill("library.properties", **values),
        "library.json": template.fill("library.json", **values),
        f"src/{name}.h": template.fill("network.h", **values),
        f"src/{name}.c": program.text,
        f"src/{name}_accepted.c": acceptance_code,
        f"src/{name}_prepare.h": template.fill("prepare.h", **values),
        f"src/{name}_prepare.c": template.fill("prepare.c", **values),
        f"src/{name}_golden.c": golden(name, chosen, logits),
        f"examples/{name}/{name}.ino": template.fill("example.ino", **values),
    }
    return Project(name, files, program.ram, program.constants)


def golden_images(sealed: SealedModel) -> NDArray[np.uint8]:
    """Return the first golden image of each class, then others, ten in all."""
    labels = sealed.golden.labels
    first = {str(label): index for index, label in reversed(list(enumerate(labels)))}
    order = [*first.values(), *(index for index in range(len(labels)) if index not in first.values())]
    return sealed.golden.images[sorted(order[:_GOLDEN])]


def spoken(labels: tuple[str, ...]) -> str:
    """Return labels in a line of printable ASCII that no comment, JSON string or script of a page ends in."""
    text = " ".join(labels) if len(labels) <= 20 else f"{len(labels)} classes"
    return "".join(char if " " <= char <= "~" and char not in '*"\\<' else "?" for char in text)


def archive(project: Project) -> bytes:
    """Return the .zip of the folder: the same bytes for the same files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, text in sorted(project.files.items()):
            entry = zipfile.ZipInfo(f"{project.name}/{path}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, text)
    return buffer.getvalue()
