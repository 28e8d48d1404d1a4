"""The trained networks that the repository carries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file

MODELS = Path(__file__).resolve().parent.parent / "models"
MOST_PARAMETERS = {"base": 60_000, "small": 20_000, "tiny": 10_000, "nano": 5_000, "pico": 2_000}
BUNDLED = [file for network in models.NETWORKS for file in models.bundled_models(network=network)]
FILES = sorted([*MODELS.glob("*-int8.*"), *BUNDLED])


def test_there_is_each_network_in_each_form() -> None:
    assert {path.name for path in (*MODELS.iterdir(), *FILES)} == {
        f"{name}{end}" for name in MOST_PARAMETERS for end in ("-int8.tflite", "-int8.onnx")
    }
    assert tuple(MOST_PARAMETERS) == PUBLISHED


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_keeps_its_promise_here_and_carries_none_of_mnists_images(file: Path, digits: Dataset) -> None:
    sealed = sealed_model.read(file)
    with Classifier.load(file) as classifier:
        assert selftest(classifier, sealed.golden).failures == ()
    known = digits.test_images.astype(int)
    nearest = np.array([np.abs(known - image).mean(axis=(1, 2)).min() for image in sealed.golden.images])
    # Files that keep no prepared picture have the digits as an earlier recipe scaled them: rounded by floats, so that a
    # few are a pixel wider.
    assert not nearest.any() if sealed.golden.prepared is not None else (nearest < 0.1).mean() > 0.9


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_is_what_its_contract_and_its_name_say(file: Path) -> None:
    contract = sealed_model.read(file).contract
    name = file.name.removesuffix(f"-int8{file.suffix}")
    assert (contract.origin["architecture"], contract.quantization, contract.format) == (name, "int8", file.suffix[1:])
    assert contract.origin["dataset"]["name"] == "mnist"
    assert contract.parity
    assert contract.parity["images"] == 10_000
    assert contract.output.threshold is not None


@pytest.mark.parametrize("name", MOST_PARAMETERS)
def test_the_keras_model_is_the_network_of_the_files(name: str) -> None:
    file = weights_file(name)
    model = keras_model.load(file)
    files = [each for each in FILES if each.name.startswith(name)]
    expected = {sealed_model.read(each).contract.origin["weights_sha256"] for each in files}
    assert expected == {keras_model.weights_sha256(model)}
    assert model.count_params() <= MOST_PARAMETERS[name]
    built = ARCHITECTURES[name].build(10)
    assert [tuple(weight.shape) for weight in model.weights] == [tuple(weight.shape) for weight in built.weights]
    assert file.stat().st_size < 2_000_000
    assert np.isfinite(np.concatenate([weight.numpy().ravel() for weight in model.weights])).all()
