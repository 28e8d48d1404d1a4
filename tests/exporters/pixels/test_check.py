"""What networks were trained on is found out, named and put right, and a network that reads well is never stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_exporters.input_layers import in_front
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.pixels.apply import apply
from mnist_edge_exporters.pixels.check import checked
from mnist_edge_exporters.pixels.readings import parse
from mnist_edge_exporters.pixels.scales import Statistics
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import ModelError
from mnist_edge_trainer.data.datasets import Dataset

EXCHANGED = [0, 1, 2, 3, 4, 5, 6, 8, 7, 9]


def _check(source: Source, *, as_is: bool = False) -> Source:
    return checked(source, reference_probabilities(source.model, source.test[0]), as_is=as_is)


def _accuracy(source: Source) -> float:
    return float((reference_probabilities(source.model, source.test[0]).argmax(axis=1) == source.test[1]).mean())


def _exchange() -> Any:
    """Return a layer that exchanges the probabilities of 7 and 8."""
    exchange = keras.layers.Dense(10, use_bias=False, activation="softmax")
    exchange.build((None, 10))
    exchange.set_weights([9 * np.eye(10)[EXCHANGED]])
    return exchange


# What a network that reads images in 0..1 gets to see of its own, and the options that the message must name.
BEHIND: dict[str, tuple[tuple[Any, ...], str]] = {
    "0..255": ((keras.layers.Rescaling(1 / 255),), "--pixels 0..255"),
    "-1..1": ((keras.layers.Rescaling(0.5, 0.5),), "--pixels -1..1"),
    "inverted": ((keras.layers.Rescaling(-1, 1),), "--pixels black-on-white"),
    "inverted 0..255": ((keras.layers.Rescaling(-1 / 255, 1),), "--pixels black-on-white,0..255"),
    "transposed": ((keras.layers.Permute((2, 1, 3)),), "--pixels transposed"),
    "mirrored": ((lambda x: x[:, :, ::-1],), "--pixels mirrored-left-right"),
    "turned left": ((lambda x: keras.ops.rot90(x, -1, axes=(1, 2)),), "--pixels turned-left"),
    "turned 180": ((lambda x: x[:, ::-1, ::-1],), "--pixels turned-180"),
    "turned right, 0..255": (
        (lambda x: keras.ops.rot90(x, 1, axes=(1, 2)), keras.layers.Rescaling(1 / 255)),
        "--pixels turned-right,0..255",
    ),
    "transposed and inverted": (
        (keras.layers.Permute((2, 1, 3)), keras.layers.Rescaling(-1, 1)),
        "--pixels transposed,black-on-white",
    ),
}
# What a network is trained on.
TRAINED: dict[str, tuple[Callable[[Any], Any], list[int] | None, str]] = {
    "x - 0.5": (lambda x: x - 0.5, None, "--pixels -0.5..0.5"),
    "7 and 8 exchanged, inverted 0..255": (
        lambda x: 255 - 255 * x,
        EXCHANGED,
        "--pixels black-on-white,0..255 --labels 0,1,2,3,4,5,6,8,7,9",
    ),
}


def _stops_and_its_advice_works(source: Source, options: str) -> None:
    with pytest.raises(ModelError, match=f"Export it with {re.escape(options)}, or with --as-is") as stopped:
        _check(source)
    before, after = re.findall(r"[\d.]+%", str(stopped.value))[:2]
    assert before == f"{_accuracy(source):.2%}"
    named = dict(zip(options.split()[::2], options.split()[1::2], strict=True))
    right = apply(source, named.get("--pixels"), named.get("--labels"))
    assert after == f"{_accuracy(right):.2%}"
    assert _accuracy(right) > 0.9
    assert _check(right) is right


@pytest.mark.long
@pytest.mark.parametrize("name", BEHIND)
def test_the_reading_of_a_network_is_found(name: str, own_source: Source) -> None:
    seen, options = BEHIND[name]
    _stops_and_its_advice_works(replace(own_source, model=in_front(own_source.model, *seen)), options)


@pytest.mark.long
@pytest.mark.parametrize("name", TRAINED)
def test_what_a_network_was_trained_on_is_found(name: str, trained_on: Callable[..., Source]) -> None:
    seen, order, options = TRAINED[name]
    _stops_and_its_advice_works(trained_on(seen, order), options)


def test_exchanged_labels_are_found(own_source: Source) -> None:
    model = keras.Sequential([own_source.model, _exchange()])
    _stops_and_its_advice_works(replace(own_source, model=model), "--labels 0,1,2,3,4,5,6,8,7,9")


@pytest.mark.long
@pytest.mark.parametrize("reading", ["l2", "standardized-per-pixel"])
def test_a_network_behind_its_own_reading_passes(reading: str, own_source: Source, trained_on: Any) -> None:
    statistics = Statistics.of(own_source.train[0])
    source = trained_on(lambda x: np.asarray(parse(reading).apply(x, statistics)))
    right = apply(source, reading)
    assert _accuracy(right) > 0.9
    assert _check(right) is right


def test_with_as_is_the_export_goes_on_and_says_so(own_source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    source = replace(own_source, model=keras.Sequential([own_source.model, _exchange()]))
    found = _check(source, as_is=True)
    assert capsys.readouterr().err.startswith("WARNING: the network reads ")
    record = found.origin["pixels"]
    assert record["as_is"] is True
    assert record["reading"] == record["better"]["reading"] == "0..1"
    assert record["better"]["labels"] == list("0123456879")
    assert record["better"]["accuracy"] > record["accuracy"] + 0.1
    assert record["better"]["p"] < 1e-4
    assert record["images"] == 300
    assert len(record["warnings"]) == 1
    assert replace(found, origin=source.origin) == source


def test_a_good_reader_of_few_uneven_or_sorted_images_passes(
    own_source: Source, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = own_source.test
    order = np.argsort(labels, kind="stable")
    zeros = np.flatnonzero(labels == 0)
    uneven = np.concatenate([zeros, np.flatnonzero(labels)[: len(zeros) // 3]])
    for chosen in (np.arange(30), np.arange(100), np.repeat(order, 5), uneven):
        source = replace(own_source, test=(images[chosen], labels[chosen]))
        assert _check(source) is source
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("as_is", [False, True])
def test_a_network_that_guesses_is_refused_whatever_its_pixels(own_source: Source, as_is: bool) -> None:
    keras.utils.set_random_seed(5)
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.layers.Dense(10)(keras.layers.Flatten()(image)))
    source = replace(own_source, model=model)
    if as_is:
        assert "no better than guessing" in _check(source, as_is=True).origin["pixels"]["warnings"][0]
    else:
        with pytest.raises(ModelError, match=r"no better than guessing .* and no other scale, polarity or orientation"):
            _check(source)


def test_a_poor_reader_is_warned_of(own_source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    source = own_source
    logits = keras.layers.Dense(10, activation="softmax")
    poor = keras.Sequential([source.model, logits])
    weights = 9 * np.eye(10, dtype=np.float32)
    weights[:, 7] = weights[:, 4] = 0
    bias = np.zeros(10, np.float32)
    bias[[4, 7]] = -9
    logits.set_weights([weights, bias])
    found = _check(replace(source, model=poor))
    low, never = found.origin["pixels"]["warnings"]
    assert re.match(r"the network reads only 7\d\.\d\d% of the 300 test images, where 80% of 10 classes is little", low)
    assert never.startswith("the network never answers 4,7, also for none of the test images of them")
    assert capsys.readouterr().err == f"WARNING: {low}\nWARNING: {never}\n"
    few = replace(source, model=poor, test=(source.test[0][:12], source.test[1][:12]))
    assert _check(few) is few


def test_a_smaller_gain_is_a_warning(
    own_source: Source, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mnist_edge_exporters.pixels import check

    monkeypatch.setattr(check, "_STOPS", 0.99)  # on 300 images no gain below 15 of them is significant
    source = replace(own_source, model=in_front(own_source.model, keras.layers.Rescaling(-1, 1)))
    found = _check(source)
    assert found.origin["pixels"]["better"]["reading"] == "black-on-white"
    assert "as_is" not in found.origin["pixels"]
    assert "Export it with --pixels black-on-white" in capsys.readouterr().err


def test_labels_of_more_than_ten_classes_in_the_order_of_words(own_source: Source) -> None:
    """Keras' `image_dataset_from_directory` sorts "10" before "2"; here each class has its own column of light."""
    classes = 12
    labels = np.tile(np.arange(classes), 40)
    random = np.random.default_rng(0)
    images = random.integers(0, 60, (len(labels), 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label + 2 : 2 * label + 4] = 255
    names = tuple(map(str, range(classes)))
    words = sorted(names)
    weights = np.zeros((28, 28, classes), np.float32)
    for output, name in enumerate(words):
        weights[:, 2 * int(name) + 2 : 2 * int(name) + 4, output] = 1
    image = keras.Input((28, 28, 1))
    dense = keras.layers.Dense(classes, activation="softmax")
    model = keras.Model(image, dense(keras.layers.Flatten()(image)))
    dense.set_weights([weights.reshape(784, classes), np.zeros(classes, np.float32)])
    part = (images, labels)
    source = Source("own", model, names, {}, train=part, validation=part, test=part, golden=part)
    with pytest.raises(ModelError, match=f"Export it with --labels {','.join(words)}, or"):
        _check(source)
    right = apply(source, None, ",".join(words))
    assert right.labels == tuple(words)
    assert _accuracy(right) == 1


@pytest.mark.long
def test_the_shipped_networks_pass(mnist_folder: Any) -> None:
    from mnist_edge_exporters import keras_model
    from mnist_edge_trainer.data import datasets
    from mnist_edge_trainer.networks.published import weights_file

    mnist: Dataset = datasets.load("mnist")
    part, train = (mnist.test_images, mnist.test_labels), (mnist.train_images, mnist.train_labels)
    for name in ("nano", "small"):
        model = keras_model.load(weights_file(name))
        source = Source(name, model, mnist.labels, {}, train=train, validation=part, test=part, golden=part)
        assert _check(source) is source
