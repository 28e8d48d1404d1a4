"""Count instructions per inference and per picture on each board, and compare them with the committed figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import host
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import PREPROCESSINGS
from numpy.typing import NDArray

from . import jobs, matrix, root
from .device import Device

__all__ = ["COUNTED", "TOLERANCE", "compare", "frame", "instructions", "key", "preparation", "versions_of"]

TOLERANCE = 0.02  # share of the committed figure
COUNTED = ("none", "int8")  # quantizations

# Instructions by board, engine, file (as `key` names it) and part: the "engine" alone or the whole "classify"; of the
# preprocessing by board, its name, the picture and "prepare".
Figures = dict[str, dict[str, dict[str, dict[str, float]]]]


def key(file: Path) -> str:
    """Return network, format and quantization of a file: its cost depends on these and not on its weights."""
    contract = sealed_model.read(file).contract
    return f"{contract.origin['architecture']} {contract.format} {contract.quantization}"


def instructions(devices: Sequence[Device], files: Sequence[Path], images: NDArray[np.uint8]) -> Figures:
    """Count the instructions of one inference of each file, on each engine of each board.

    Args:
        devices: the boards; as many work in parallel as there are cores.
        files: sealed model files, each under a name of its own.
        images: uint8 (N, 28, 28), at least forty.

    Raises:
        UnavailableError: no C compiler is installed.
        EmulatorError: a process on a board failed.
    """

    def counts_on(device: Device, engine: str) -> dict[Path, tuple[float, float]]:
        return jobs.instructions(device, engine, matrix.for_engine(engine, files), images)

    runs = [(device, engine) for device in devices for engine in device.board.engines]
    with ThreadPoolExecutor(host.cores()) as pool:
        found = list(pool.map(lambda run: counts_on(*run), runs))
    figures: Figures = {}
    for (device, engine), counts in zip(runs, found, strict=True):
        figures.setdefault(device.board.name, {})[engine] = {
            key(file): {"engine": round(alone), "classify": round(whole)} for file, (alone, whole) in counts.items()
        }
    return figures


def frame() -> NDArray[np.uint8]:
    """Return a camera's frame, uint8 (480, 640): a 7 on unevenly lit paper, with noise."""
    y, x = np.mgrid[:480, :640]
    bar = (abs(y - 140) < 14) & (abs(x - 320) < 100)
    stem = (abs(x - 405 + (y - 140) // 2) < 16) & (abs(y - 255) < 115)
    light = np.linspace(235, 150, 640) + np.random.default_rng(0).normal(0, 4, x.shape)
    return np.clip(light - 120.0 * (bar | stem), 0, 255).astype(np.uint8)


def preparation(devices: Sequence[Device]) -> Figures:
    """Count the instructions that bring a camera's frame to MNIST's form, on each board.

    Raises:
        UnavailableError: no C compiler is installed.
        EmulatorError: a process on a board failed.
    """
    picture = frame()
    with ThreadPoolExecutor(host.cores()) as pool:
        found = pool.map(lambda device: round(jobs.preparation(device, picture)), devices)
    name, size = PREPROCESSINGS[-1], "{1} x {0}".format(*picture.shape)
    return {device.board.name: {name: {size: {"prepare": count}}} for device, count in zip(devices, found, strict=True)}


def compare(
    committed: Mapping[str, Any],
    figures: Figures,
    versions: Mapping[str, Mapping[str, str]],
    part: str = "instructions",
) -> tuple[list[str], list[str]]:
    """Compare figures with the committed ones.

    Args:
        committed: the document of docs/boards.json.
        figures: the new figures.
        versions: the packages of each board, by `root.versions`.
        part: the part of the document that has such figures: "instructions" or "preparation".

    Returns:
        A sentence for each figure that is more than 2 % off or not committed; and a sentence for each board that is not
        compared because its packages have other versions than those of the committed figures.
    """
    wrong, skipped = [], []
    for board, engines in figures.items():
        then, now = committed["versions"].get(board, {}), versions[board]
        if other := [f"{name} {then.get(name, 'missing')} -> {version}" for name, version in now.items()
                     if then.get(name) != version]:  # fmt: skip
            skipped.append(f"{board} is not compared: {', '.join(other)}")
            continue
        for engine, files in engines.items():
            for file, counts in files.items():
                before = committed[part][board].get(engine, {}).get(file)
                for what, count in counts.items():
                    if before is None:
                        wrong.append(f"{board} {engine} {file}: {what} has no committed figure, now {count}")
                    elif abs(count - before[what]) > TOLERANCE * before[what]:
                        change = count / before[what] - 1
                        wrong.append(f"{board} {engine} {file}: {what} takes {count} instructions, {change:+.1%}")
    return wrong, skipped


def versions_of(devices: Sequence[Device]) -> dict[str, dict[str, str]]:
    """Return the versions of the packages that figures may depend on, by board."""
    return {device.board.name: root.versions(device) for device in devices}
