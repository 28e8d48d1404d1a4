"""Measure pictures a second, from an array and from a file to the answer, beside the bare engine and ten lines.

All run on one thread in this process and take turns, picture by picture. The ten lines are those of `cold_start.py`:
Pillow decodes, makes the picture grey, and scales it to 28 x 28; OpenCV's tutorial is that of `preprocessing_speed.py`.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter_ns as now
from typing import Any

import bare_engines
import cold_start
import numpy as np
import overhead
import preprocessing_speed
from mnist_edge_runtime import BlankError, Classifier, load_picture, to_mnist
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.models import bundled_models
from PIL import Image

from .session import Session

__all__ = ["arrays", "from_files", "measure", "readers"]

TURNS = 3  # of all pictures
SAME = 40  # times that a made picture is read in a turn

Read = Callable[[Path], str]


def measure(session: Session) -> dict[str, Any]:
    """Return pictures a second of both networks that ship, from arrays, and of the default one from files."""
    found: dict[str, Any] = {"arrays": {}, "files": {}}
    for network in ("base", "small"):
        for file in bundled_models(network=network):
            session.say(f"arrays: {file.name}")
            found["arrays"][file.name] = arrays(file)
    file = bundled_models()[0]
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "digit.png", Path(folder) / "page.jpg"
        cold_start.start(cold_start.PICTURES, file, *paths)
        sets = {name: [(path, "")] * SAME for name, path in zip(cold_start.PICTURE_RATIOS, paths, strict=True)}
        if session.photos:
            photos = sorted((session.photos / "single").glob("[0-9]/*"))
            sets[f"{len(photos)} photos"] = [(path, path.parent.name) for path in photos]
        with Classifier.load(file) as classifier:
            for name, pictures in sets.items():
                session.say(f"files: {name}")
                found["files"][name] = from_files(readers(file, classifier), pictures, TURNS)
    return {**found, "file": file.name}


def arrays(file: Path) -> dict[str, float]:
    """Return images a second, (28, 28) uint8 one by one: of the engine alone, of `logits` and of `classify`."""
    figures = overhead.measure(file)
    engine = figures["engine_us"]["p50"]
    return {
        "engine": 1e6 / engine,
        "logits": 1e6 / (engine + figures["logits_adds_us"]["p50"]),
        "classify": 1e6 / (engine + figures["classify_adds_us"]["p50"]),
    }


def readers(file: Path, classifier: Classifier) -> dict[str, Read]:
    """Return what takes a picture file to its label: ten lines on the bare engine, OpenCV's tutorial, and ours."""
    sealed = sealed_model.read(file)
    run = bare_engines.load(overhead.ENGINES[sealed.contract.format], sealed.payload)
    labels = sealed.contract.labels

    def bare(image: Any) -> str:
        return labels[int(run(image[np.newaxis, ..., np.newaxis])[0].argmax())]

    def ten_lines(path: Path) -> str:
        return bare(np.asarray(Image.open(path).convert("L").resize((28, 28), Image.Resampling.BOX)))

    def opencv(path: Path) -> str:
        grey = preprocessing_speed.cv2.imread(str(path), preprocessing_speed.cv2.IMREAD_GRAYSCALE)
        return "" if grey is None else bare(preprocessing_speed.tutorial(grey))  # of some formats OpenCV reads nothing

    def ours(path: Path) -> str:
        return classifier.classify(to_mnist(load_picture(path))).label

    found: dict[str, Read] = {"ten lines": ten_lines}
    if preprocessing_speed.cv2 is not None:
        preprocessing_speed.cv2.setNumThreads(1)
        found["OpenCV's tutorial"] = opencv
    return {**found, "mnist-edge": ours}


def from_files(
    readers: Mapping[str, Read], pictures: Sequence[tuple[Path, str]], turns: int
) -> dict[str, dict[str, float]]:
    """Return of each reader pictures a second, the median of the turns, and how many of the labels are right."""
    rates: dict[str, list[float]] = {name: [] for name in readers}
    right = dict.fromkeys(readers, 0)
    for turn in range(turns + 1):  # the first is the warm-up
        spent = dict.fromkeys(readers, 0)
        for path, label in pictures:
            for name, read in readers.items():
                answer, start = "", now()
                with suppress(BlankError):
                    answer = read(path)
                spent[name] += now() - start
                right[name] += turn == 0 and bool(label) and answer == label
        if turn:
            for name, nanoseconds in spent.items():
                rates[name].append(len(pictures) * 1e9 / nanoseconds)
    return {
        name: {
            "rate": statistics.median(rates[name]),
            "right": right[name],
            "of": sum(bool(label) for _, label in pictures),
        }
        for name in readers
    }
