from __future__ import annotations

from pathlib import Path

import keras
import pytest
from mnist_edge_runtime.errors import ModelError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.parts import Part
from mnist_edge_trainer.networks.published import weights_file
from mnist_edge_trainer.training import output_layer, pixel_check
from mnist_edge_trainer.training.attempts import measure

FILE = Path("own.keras")


@pytest.fixture
def validation(small: tuple[Dataset, Split]) -> Part:
    return small[1].validation


@pytest.mark.parametrize(
    ("layer", "name", "advised"),
    [
        (keras.layers.Rescaling(1 / 255), "0..255", r"Rescaling\(255\)"),
        (keras.layers.Rescaling(0.5, offset=0.5), "-1..1", r"Rescaling\(2, offset=-1\)"),
        (keras.layers.Rescaling(-1, offset=1), "black on white", r"Rescaling\(-1, offset=1\)"),
    ],
)
def test_a_network_of_other_pixels_is_refused_with_the_layer_for_them(
    layer: keras.Layer, name: str, advised: str, validation: Part
) -> None:
    other = keras.Sequential([keras.Input((28, 28, 1)), layer, *output_layer.load(weights_file("pico")).layers])
    accuracy = measure(other, validation)["accuracy"]
    with pytest.raises(ModelError, match=rf"trained on other pixels: .* as {name} and .*{advised}, \*model\.layers"):
        pixel_check.check(FILE, other, validation, accuracy)


def test_a_network_that_reads_nothing_is_refused(validation: Part) -> None:
    reads = output_layer.load(weights_file("pico"))
    pixel_check.check(FILE, reads, validation, measure(reads, validation)["accuracy"])
    untrained = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, "softmax", kernel_initializer="zeros"),
        ]
    )
    with pytest.raises(ModelError, match=r"own\.keras: reads only .* of the 200 validation images; train it first"):
        pixel_check.check(FILE, untrained, validation, measure(untrained, validation)["accuracy"])
