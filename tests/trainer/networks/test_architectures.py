from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from mnist_edge_trainer.networks.architectures import ARCHITECTURES, count_macs
from mnist_edge_trainer.runs.run import check_name


class TestClassic:
    def test_it_has_110_474_parameters(self) -> None:
        model = ARCHITECTURES["classic"].build(10)
        assert model.count_params() == 110_474
        assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 110_474

    def test_layer_by_layer(self) -> None:
        convolution = {"kernel_size": (3, 3), "strides": (1, 1), "padding": "valid", "activation": "relu"}
        pooling = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid"}
        expected: list[tuple[str, tuple[int, ...], int, dict[str, Any]]] = [
            ("Conv2D", (26, 26, 32), 320, convolution),
            ("MaxPooling2D", (13, 13, 32), 0, pooling),
            ("Conv2D", (11, 11, 64), 18_496, convolution),
            ("MaxPooling2D", (5, 5, 64), 0, pooling),
            ("Conv2D", (3, 3, 128), 73_856, convolution),
            ("MaxPooling2D", (1, 1, 128), 0, pooling),
            ("Flatten", (128,), 0, {}),
            ("Dense", (128,), 16_512, {"activation": "relu"}),
            ("Dense", (10,), 1_290, {"activation": "softmax"}),
        ]
        found = [
            (
                type(layer).__name__,
                layer.output.shape[1:],
                layer.count_params(),
                {key: layer.get_config()[key] for key in settings},
            )
            for layer, (_, _, _, settings) in zip(ARCHITECTURES["classic"].build(10).layers, expected, strict=True)
        ]
        assert found == expected

    @pytest.mark.parametrize(("classes", "parameters"), [(2, 109_442), (26, 112_538)])
    def test_only_the_last_layer_depends_on_the_classes(self, classes: int, parameters: int) -> None:
        assert ARCHITECTURES["classic"].build(classes).count_params() == parameters

    def test_macs(self) -> None:
        """Kernel height x width x channels in x channels out, at each position of the output."""
        convolutions = 26 * 26 * (3 * 3 * 1 * 32) + 11 * 11 * (3 * 3 * 32 * 64) + 3 * 3 * (3 * 3 * 64 * 128)
        dense = 128 * 128 + 128 * 10
        assert convolutions + dense == 3_106_176
        assert count_macs(ARCHITECTURES["classic"].build(10)) == 3_106_176


LIMITS = {
    "teacher": (110_000, None),
    "base": (60_000, None),
    "small": (20_000, 500_000),
    "tiny": (10_000, None),
    "nano": (5_000, None),
    "pico": (2_000, None),
}


@pytest.mark.parametrize("name", LIMITS)
class TestSmallNetworks:
    def test_size(self, name: str) -> None:
        model = ARCHITECTURES[name].build(10)
        parameters, macs = LIMITS[name]
        assert parameters / 2 < model.count_params() <= parameters
        assert macs is None or count_macs(model) <= macs

    def test_widths_are_multiples_of_8(self, name: str) -> None:
        model = ARCHITECTURES[name].build(10)
        assert all(layer.filters % 8 == 0 for layer in model.layers if type(layer) is layers.Conv2D)

    @pytest.mark.long
    def test_an_int8_file_holds_nothing_but_what_is_quick(self, name: str) -> None:
        """BatchNorm is folded: no MUL, ADD or SUB is left of it, and ReLU belongs to the convolution before it."""
        from ai_edge_litert.interpreter import Interpreter

        image = keras.Input(batch_shape=(1, 28, 28, 1))
        model = keras.Model(image, ARCHITECTURES[name].build(10)(image))
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        images = np.random.default_rng(0).random((20, 1, 28, 28, 1), np.float32)
        converter.representative_dataset = lambda: ([image] for image in images)
        interpreter = Interpreter(model_content=converter.convert(), num_threads=1)
        operators = {operator["op_name"] for operator in interpreter._get_ops_details()}
        operators -= {"QUANTIZE", "DEQUANTIZE", "DELEGATE", "RESHAPE", "SOFTMAX"}
        assert operators == {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_is_before_the_last_layer_or_not_there(name: str) -> None:
    def kinds(model: Any) -> list[type]:
        return [type(layer) for layer in model.layers]

    without, with_it = ARCHITECTURES[name].build(10), ARCHITECTURES[name].build(10, 0.3)
    assert with_it.layers[-2].rate == 0.3
    assert [*kinds(without)[:-1], layers.Dropout, layers.Dense] == kinds(with_it)


def test_macs_heed_strides_and_padding() -> None:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, (3, 5), strides=2, padding="same"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(7, use_bias=False),
        ]
    )
    assert count_macs(model) == 14 * 14 * (3 * 5 * 4) + 4 * 7


@pytest.mark.parametrize("name", ARCHITECTURES)
class TestEveryArchitecture:
    @pytest.mark.parametrize("classes", [2, 10, 26])
    def test_images_in_probabilities_out(self, name: str, classes: int) -> None:
        model = ARCHITECTURES[name].build(classes)
        assert model.input_shape == (None, 28, 28, 1)
        assert model.output_shape == (None, classes)
        images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
        probabilities = model(images).numpy()
        assert probabilities.dtype == np.float32
        assert (probabilities >= 0).all()
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)

    def test_each_image_is_answered_by_itself(self, name: str) -> None:
        model = ARCHITECTURES[name].build(10)
        images = np.random.default_rng(0).random((5, 28, 28, 1), np.float32)
        alone = np.concatenate([model(images[i : i + 1]).numpy() for i in range(5)])
        np.testing.assert_allclose(model(images).numpy(), alone, atol=1e-5)

    def test_every_build_is_new(self, name: str) -> None:
        build = ARCHITECTURES[name].build
        first, second = build(10), build(10)
        assert any((a != b).any() for a, b in zip(first.get_weights(), second.get_weights(), strict=True))

    def test_the_model_bears_a_name_that_a_run_can_bear(self, name: str) -> None:
        assert ARCHITECTURES[name].build(10).name == name
        check_name(name)

    def test_recipes_are_usable(self, name: str) -> None:
        for recipe in (ARCHITECTURES[name].recipe, ARCHITECTURES[name].small_recipe):
            assert recipe.epochs >= 1
            assert recipe.batch_size >= 1
            assert 0 < recipe.learning_rate < 1
