"""Hold what all parts share: the folder of their files, environments of their own, data, and the record of figures."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import own_environment
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.models import bundled_models
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.networks.published import weights_file

__all__ = ["CALIBRATION", "HERE", "PACKAGES", "ROOT", "Record", "Session", "machine"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CALIBRATION = 500  # training images, as many as `mnist-edge export` draws

# Of each environment: what pip installs with all that it asks for, and what it installs alone.
PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "converters": (
        (
            "tensorflow==2.21.0", "keras==3.15.1", "tf2onnx==1.17.0", "onnx==1.23.2", "onnxruntime==1.32.0",
            "ai-edge-litert==2.3.0", "ai-edge-quantizer==0.10.0", "numpy==1.26.4",
        ),
        (),
    ),
    # rapidocr asks for the OpenCV with windows, which needs libraries of a desktop.
    "readers": (
        (
            "opencv-python-headless==4.11.0.86", "onnxruntime==1.32.0", "numpy==1.26.4", "pillow==13.0.0",
            "pyclipper==1.4.0",
            "shapely==2.2.0", "PyYAML==6.0.3", "omegaconf==2.4.0", "requests==2.34.2",
            "colorlog==6.12.0", "six==1.17.0", "tqdm==4.70.1",
        ),
        ("rapidocr==3.10.0",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Session:
    """Attributes: the folder of environments and made files; photos, if there are any; whether to tell progress."""

    folder: Path
    photos: Path | None = None
    tell: bool = True

    def say(self, line: str) -> None:
        """Tell progress on stderr."""
        if self.tell:
            print(line, file=sys.stderr, flush=True)

    def environment(self, name: str) -> Path:
        """Return the interpreter of one of the environments, made where it is not there yet."""
        return own_environment.make(self.folder / "environments" / name, *PACKAGES[name])

    def versions(self, name: str, *packages: str) -> str:
        """Return the versions of packages in one of the environments, as a sentence lists them."""
        return own_environment.versions(self.environment(name), packages)

    def test(self) -> tuple[Any, Any]:
        """Return MNIST's test images and their labels."""
        return _mnist().test_images, _mnist().test_labels

    def split(self) -> datasets.Split:
        """Return MNIST's training and validation images, as every training here splits them."""
        return datasets.split(_mnist())

    def calibration(self) -> Path:
        """Return a file with the training images that quantizers learn their ranges from."""
        return self._saved("calibration.npy", lambda: self.split().train.images[:CALIBRATION])

    def keras_answers(self, model: Path) -> Any:
        """Return what Keras answers to the test images, (N, classes)."""
        images = self._saved("test.npy", lambda: self.test()[0])
        file = self.folder / f"{model.stem}-{_digest(model)[:8]}-answers.npy"
        if not file.is_file():
            worker = [self.environment("converters"), HERE / "converters_worker.py", "answers", model, images, file]
            subprocess.run(worker, check=True, capture_output=True)
        return np.load(file)

    def _saved(self, name: str, make: Callable[[], Any]) -> Path:
        file = self.folder / name
        if not file.is_file():
            file.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(file) as temporary, temporary.open("wb") as stream:
                np.save(stream, make())
        return file


@cache
def _mnist() -> datasets.Dataset:
    return datasets.load("mnist")


@dataclass
class Record:
    """The figures of all parts in a file, so that an interrupted run continues.

    A part counts as measured only on this machine, of the networks that ship now.
    """

    file: Path
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file.is_file():
            self.parts = json.loads(self.file.read_text(encoding="utf-8"))

    def has(self, part: str) -> bool:
        found = self.parts.get(part, {})
        return found.get("machine") == machine() and found.get("networks") == networks()

    def measure(self, part: str, figures: Callable[[], Any]) -> None:
        """Measure a part and keep its figures."""
        load = round(os.getloadavg()[0], 1)
        self.parts[part] = {"machine": machine(), "networks": networks(), "load": load, "figures": figures()}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.file) as temporary:
            temporary.write_text(json.dumps(self.parts, indent=1) + "\n", encoding="utf-8")


def machine() -> str:
    """Return what is measured on, as a sentence names it."""
    here = Host.here()
    return f"{here.cpu}, {here.cores} cores, {here.system} {here.release} {here.processor}, Python {here.python}"


@cache
def networks() -> str:
    """Return a short hash of the networks that ship."""
    files = [weights_file("small"), weights_file("base"), *bundled_models(), *bundled_models(network="small")]
    return hashlib.sha256("".join(map(_digest, files)).encode()).hexdigest()[:16]


def _digest(file: Path) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
