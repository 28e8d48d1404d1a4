"""Measure the shipped networks on chips: flash, RAM, stack, instructions, and logits that differ."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_exporters.c_source import project
from mnist_edge_exporters.export.published_folder import publish
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_runtime import host, models
from mnist_edge_runtime.diagnostics.needs import missing
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

from . import emulator, firmware
from .chips import CHIPS, Chip
from .firmware import Exported

__all__ = [
    "TOLERANCE",
    "Row",
    "compare",
    "document",
    "exported",
    "instructions",
    "measure",
    "name",
    "rows",
    "shipped",
    "written",
]

TOLERANCE = 0.02  # share of the committed figure
_IMAGES = 100
_LARGE = 1_000_000  # multiply-accumulates: larger networks answer fewer images
_IMAGES_OF_LARGE = 10
_MODELS = Path(__file__).resolve().parents[3] / "models"


@dataclass(frozen=True)
class Row:
    """A network on a chip.

    Attributes:
        network: its architecture.
        chip: the chip's name.
        flash, ram: bytes, as `firmware.Program` has them.
        missing: what the chip's part lacks for it; then the figures below are 0.
        stack: bytes.
        instructions: for an image.
        images: number of images.
        compared: number of their logits.
        differing: logits of these that are not those of the integer network.
        wrong: logits of the self-test that are wrong.
    """

    network: str
    chip: str
    flash: int
    ram: int
    missing: str = ""
    stack: int = 0
    instructions: int = 0
    images: int = 0
    compared: int = 0
    differing: int = 0
    wrong: int = 0


def shipped(engine: str | None = None) -> list[Path]:
    """Return the int8 files of the wheel and of the repository, for one engine or for all."""
    bundled = [file for network in models.NETWORKS for file in models.bundled_models(engine, network)]
    formats = {file.suffix for file in bundled}
    return [*bundled, *sorted(file for file in _MODELS.iterdir() if file.suffix in formats)]


def name(file: Path) -> str:
    """Return the architecture of a file's network."""
    return str(sealed_model.read(file).contract.origin.get("architecture", file.stem))


def exported(file: Path, folder: Path) -> Exported:
    """Write the network of an int8 TFLite file as C into a new folder below `folder`."""
    return written(sealed_model.read(file), folder / name(file))


def written(sealed: SealedModel, folder: Path) -> Exported:
    """Write the network of an int8 TFLite file as C into a new folder."""
    origin = {
        "file": "network.tflite",
        "sha256": hashlib.sha256(sealed.payload).hexdigest(),
        "version": version("mnist-edge"),
        "images": _IMAGES,
    }
    made = project.make(sealed, tflite_reader.read(sealed.payload), "network", "litert", origin)
    publish(made.files, folder)
    return firmware.read(folder)


def rows(files: Sequence[Path], images: NDArray[np.uint8]) -> list[Row]:
    """Measure each file on each chip; as many run in parallel as there are cores.

    Raises:
        UnavailableError: the compiler or qemu is not available.
        EmulatorError: a program does not compile or ends as it should not.
    """
    emulator.tools()
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(host.cores()) as pool:
        jobs = []
        for file in files:
            folder, network = exported(file, Path(scratch)), tflite_reader.read(sealed_model.read(file).payload)
            origin = sealed_model.read(file).contract.origin
            is_large = int(origin.get("macs") or 0) > _LARGE
            some = images[: _IMAGES_OF_LARGE if is_large else _IMAGES]
            expected = np.asarray(evaluate(network, some[..., np.newaxis]), np.uint8)
            jobs += [pool.submit(measure, name(file), folder, chip, some, expected) for chip in CHIPS.values()]
        return [job.result() for job in jobs]


def measure(network: str, folder: Exported, chip: Chip, images: NDArray[np.uint8], expected: NDArray[np.uint8]) -> Row:
    """Measure one network on one chip, if the chip's part holds it."""
    with tempfile.TemporaryDirectory() as scratch:
        program = firmware.compiled(folder, chip, Path(scratch))
        if lacks := missing(chip.part, program.flash, program.ram):
            return Row(network, chip.name, program.flash, program.ram, lacks)
        found = emulator.run(program, chip, images, folder.classes)
    return Row(
        network,
        chip.name,
        program.flash,
        program.ram,
        stack=found.stack,
        instructions=round(found.instructions),
        images=len(images),
        compared=expected.size,
        differing=int(np.count_nonzero(found.logits != expected)),
        wrong=found.wrong,
    )


def document(measured: Sequence[Row]) -> dict[str, Any]:
    """Return docs/chips.json."""
    networks: dict[str, dict[str, Any]] = {}
    for row in measured:
        kept = {key: value for key, value in vars(row).items() if key not in ("network", "chip")}
        networks.setdefault(row.network, {})[row.chip] = kept
    return {"ziglang": version("ziglang"), "networks": networks}


def instructions(document: Mapping[str, Any], network: str) -> dict[str, int]:
    """Return the instructions of a network on each chip that holds it."""
    found = document.get("networks", {}).get(network, {})
    return {chip: row["instructions"] for chip, row in found.items() if not row["missing"]}


def compare(committed: Mapping[str, Any], measured: Sequence[Row]) -> tuple[list[str], str]:
    """Compare figures with the committed ones.

    Returns:
        A sentence for each figure that is more than 2 % off or not committed; and why nothing is compared, if so.
    """
    now = version("ziglang")
    if committed["ziglang"] != now:
        return [], f"chips are not compared: ziglang {committed['ziglang']} -> {now}"
    wrong = []
    for row in measured:
        before = committed["networks"].get(row.network, {}).get(row.chip)
        for key in ("flash", "ram", "stack", "instructions"):
            value = getattr(row, key)
            if before is None:
                wrong.append(f"{row.network} on {row.chip}: {key} has no committed figure, now {value:,}")
            elif abs(value - before[key]) > TOLERANCE * before[key]:
                wrong.append(f"{row.network} on {row.chip}: {key} is {value:,}, committed {before[key]:,}")
    return wrong, ""
