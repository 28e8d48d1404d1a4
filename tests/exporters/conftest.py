"""A small network of a person's own, trained in seconds, images to calibrate with, and bundles."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.bundle import archive, wheel_files
from mnist_edge_exporters.bundle.build import build
from mnist_edge_exporters.bundle.manifest import BundleManifest, Package
from mnist_edge_exporters.converters import calibration
from mnist_edge_exporters.converters.calibration import Calibration
from mnist_edge_exporters.signing import signature_of
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError, models
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset


@pytest.fixture(scope="session")
def own_file(digits: Dataset, once: Callable[..., Path]) -> Path:
    """Return the .keras file of a functional model that another project might have made, ending in softmax."""
    return once("own_network", lambda folder: _train(digits).save(folder / "own.keras")) / "own.keras"


@pytest.fixture(scope="session")
def own_network(own_file: Path) -> Any:
    import keras

    return keras.saving.load_model(own_file)


def _train(digits: Dataset) -> Any:
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    tf.config.experimental.enable_op_determinism()  # the same network whichever test asks for it first
    image = keras.Input((28, 28, 1))
    x = keras.layers.Conv2D(16, 5, strides=2)(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Conv2D(32, 3, strides=2, activation="relu")(x)
    x = keras.layers.Conv2D(32, 3, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    pixels = digits.train_images[..., np.newaxis] / np.float32(255)
    model.fit(pixels, digits.train_labels, batch_size=32, epochs=25, verbose=0)
    return model


@pytest.fixture(scope="session")
def core(digits: Dataset, once: Callable[..., Path]) -> Any:
    """Return a dense network from 784 pixels in 0..1 to the logits of the digits, to be wrapped in other shapes."""
    import keras

    def train(folder: Path) -> None:
        import tensorflow as tf

        keras.utils.set_random_seed(0)
        tf.config.experimental.enable_op_determinism()
        layers = [keras.layers.Dense(24, activation="relu"), keras.layers.Dense(10)]
        model = keras.Sequential([keras.Input((784,)), *layers])
        model.compile(keras.optimizers.Adam(0.005), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        pixels = digits.train_images.reshape(-1, 784) / np.float32(255)
        model.fit(pixels, digits.train_labels, batch_size=32, epochs=15, verbose=0)
        model.save(folder / "core.keras")

    return keras.saving.load_model(once("core_network", train) / "core.keras")


@pytest.fixture(scope="session")
def drawn(digits: Dataset) -> Calibration:
    return calibration.sample(digits.train_images, digits.train_labels, digits.labels, (digits.test_images,))


@pytest.fixture(scope="session")
def own_source(own_network: Any, digits: Dataset) -> Source:
    split = datasets.split(digits)
    return Source(
        name="own",
        model=own_network,
        labels=digits.labels,
        origin={"architecture": "own", "dataset": digits.describe()},
        train=split.train,
        validation=split.validation,
        test=(digits.test_images, digits.test_labels),
        golden=(digits.test_images, digits.test_labels),
    )


@pytest.fixture(scope="session")
def amd64_bundle(once: Callable[..., Path]) -> Path:
    """The shipped network, packed for Debian Bookworm on a PC; skips where its wheels cannot be had."""
    (model,) = models.bundled_models("litert", "small")
    name = "digits.tar.gz"
    try:
        return once("bundle", lambda folder: build(model, "bookworm-amd64", folder / name)) / name
    except InputError as error:
        pytest.skip(str(error))


_RUNTIME = """\
import os, sys, time
from pathlib import Path

def main(default_model, default):
    is_new = ".new" in Path(__file__).resolve().parts
{selftest}
"""
SELFTESTS = {
    "good": "print('passed: as it promises')",
    "bad": "sys.exit('failed: class 3 instead of 8')",
    "late": "sys.exit(0 if is_new else 'failed: only where it was not meant to')",
    "slow": "Path.home().joinpath('testing').touch()\nfor _ in range(600): time.sleep(0.1)",
}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return what packs a bundle whose installer is the real one and whose runtime is a few lines, for this machine."""
    folder = tmp_path_factory.mktemp("small")

    def pack(
        selftest: str = "good", variant: str = "", zeros: int = 0, key: Path | None = None, **changes: object
    ) -> Path:
        model, noise = b"a model" + variant.encode(), os.urandom(600_000)
        source = _RUNTIME.format(selftest=textwrap.indent(SELFTESTS[selftest], "    "))
        members = [("mnist_edge_runtime/__init__.py", b""), ("mnist_edge_runtime/__main__.py", source.encode())]
        wheel = wheel_files.zipped([*members, ("noise", noise), ("zeros", bytes(zeros))])
        packages = {"wheels/runtime.whl": wheel}
        manifest = BundleManifest(
            target="this-machine",
            python=f"{sys.version_info[0]}.{sys.version_info[1]}",
            multiarch=sys.implementation._multiarch,
            glibc=platform.libc_ver()[1],
            engine="none",
            runtime="0.1.0",
            model="digits.tflite",
            model_sha256=hashlib.sha256(model).hexdigest(),
            installed_bytes=1_000_000,
            packages=tuple(
                Package("runtime", "0.1.0", name, hashlib.sha256(data).hexdigest(), "mnist-edge")
                for name, data in packages.items()
            ),
        )
        contents = {"model/digits.tflite": model, archive.SBOM: b"{}", **packages}
        contents |= archive.scripts()
        contents[archive.MANIFEST] = replace(manifest, **changes).to_json().encode()
        path = folder / f"{len(list(folder.iterdir()))}.tar.gz"
        archive.write(contents, path, key and (lambda sums: signature_of(sums, key)))
        return path

    return pack
