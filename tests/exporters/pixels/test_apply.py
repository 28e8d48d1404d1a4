from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_exporters.analysis import layer_drift
from mnist_edge_exporters.export.export import export
from mnist_edge_exporters.input_layers import in_front
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.parity.prove import verify
from mnist_edge_exporters.pixels.apply import apply, as_contracted, listed, reading_of
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options, select
from mnist_edge_runtime import Classifier, UsageError
from mnist_edge_runtime.model_file import sealed_model

EXCHANGED = "0,1,2,3,4,5,6,8,7,9"


def test_nothing_asked_for_changes_nothing(own_source: Source) -> None:
    assert apply(own_source) is own_source
    assert apply(own_source, "0..1", listed(own_source.labels)) is own_source
    assert str(reading_of(own_source)) == "0..1"


def test_labels_move_with_the_images(own_source: Source) -> None:
    moved = apply(own_source, labels=EXCHANGED)
    assert moved.labels == tuple("0123456879")
    for before, after in ((own_source.test, moved.test), (own_source.train, moved.train)):
        assert after[0] is before[0]
        names = [[source.labels[index] for index in part[1]] for source, part in ((own_source, before), (moved, after))]
        assert names[0] == names[1]


@pytest.mark.parametrize("labels", ["0,1,2", "0,1,2,3,4,5,6,7,8,8", "", "zero,1,2,3,4,5,6,7,8,9"])
def test_other_labels_than_those_of_the_data_are_refused(labels: str, own_source: Source) -> None:
    with pytest.raises(UsageError, match=r"expected each label of the data once, .*: 0,1,2,3,4,5,6,7,8,9"):
        apply(own_source, labels=labels)


def test_labels_with_commas_are_listed_as_they_are_taken(own_source: Source) -> None:
    names = ("a,b", 'say "c"', "d")
    source = replace(
        own_source, labels=names, **{part: (np.empty(0), np.arange(3)) for part in ("train", "validation")}
    )
    source = replace(source, test=source.train, golden=source.train)
    turned = apply(source, labels=listed(names[::-1]))
    assert turned.labels == names[::-1]
    assert turned.test[1].tolist() == [2, 1, 0]


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_a_file_keeps_the_contract_and_names_what_is_in_front(own_source: Source, tmp_path: Path) -> None:
    """Exported transposed and with exchanged labels, the file answers upright images by their names; verify agrees."""
    exchange = keras.layers.Dense(10, use_bias=False, activation="softmax")
    model = in_front(own_source.model, keras.layers.Permute((2, 1, 3)), keras.layers.Rescaling(-1 / 255, 1))
    own = replace(own_source, model=keras.Sequential([keras.Input((28, 28, 1)), model, exchange]))
    exchange.set_weights([9 * np.eye(10)[[0, 1, 2, 3, 4, 5, 6, 8, 7, 9]]])
    source = apply(own, "transposed,black-on-white,0..255", EXCHANGED)
    outcomes = list(export(source, select("all", "int8"), tmp_path, Options()))
    assert [outcome.failures for outcome in outcomes] == [(), ()]
    images, _ = own_source.test
    expected = reference_probabilities(own_source.model, images).argmax(axis=1)
    for outcome in outcomes:
        assert outcome.file is not None
        contract = sealed_model.read(outcome.file).contract
        assert contract.origin["pixels"] == {"reading": "transposed,black-on-white,0..255"}
        assert contract.labels == tuple("0123456879")
        assert contract.origin["weights_sha256"] == keras_model.weights_sha256(own.model)
        with Classifier.load(outcome.file) as classifier:
            answered = [classifier.classify(image).label for image in images]
        assert np.mean([name == str(index) for name, index in zip(answered, expected, strict=True)]) > 0.98
        again = as_contracted(own, contract)
        assert verify(outcome.file, again, Options()).failures == ()
        assert layer_drift.measure(outcome.file, again)[-1].shape == (10,)


@pytest.mark.long
@pytest.mark.usefixtures("converting_here")
def test_mirrored_networks_are_exported_in_both_formats(own_source: Source, tmp_path: Path) -> None:
    own = replace(own_source, model=in_front(own_source.model, lambda x: x[:, ::-1, ::-1]))
    outcomes = list(export(apply(own, "turned-180"), select("all", "int8"), tmp_path, Options()))
    assert [outcome.failures for outcome in outcomes] == [(), ()]
