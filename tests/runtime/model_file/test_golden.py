from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file.golden import Golden

COUNT, CLASSES = 4, 3


@pytest.fixture
def golden() -> Golden:
    random = np.random.default_rng(0)
    return Golden(
        images=random.integers(0, 256, (COUNT, 28, 28), np.uint8),
        labels=np.array(["zero", "ünf", "two", "zero"]),
        predicted=np.array(["zero", "ünf", "two", "two"]),
        probabilities=random.random((COUNT, CLASSES)).astype(np.float32),
        logits={family: random.normal(size=(COUNT, CLASSES)).astype(np.float32) for family in ("xnnpack", "builtin")},
        picture=2,
        prepared=random.integers(0, 256, (28, 28), np.uint8),
    )


def _as_dict(golden: Golden) -> dict[str, Any]:
    arrays = {field.name: getattr(golden, field.name) for field in fields(golden)}
    return {**{name: value for name, value in arrays.items() if name != "logits"}, **golden.logits}


def _pack(golden: Golden, **changes: Any) -> bytes:
    """Return an archive like the real one with arrays replaced, or left out where None."""
    with np.load(io.BytesIO(golden.to_bytes())) as archive:
        arrays = {**{name: archive[name] for name in archive.files}, **changes}
    buffer = io.BytesIO()
    np.savez(buffer, **{name: array for name, array in arrays.items() if array is not None})
    return buffer.getvalue()


def test_a_round_trip_changes_nothing(golden: Golden) -> None:
    found, expected = _as_dict(Golden.from_bytes(golden.to_bytes())), _as_dict(golden)

    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype or name == "picture"


def test_files_from_before_the_prepared_picture_was_kept_are_read(golden: Golden) -> None:
    assert Golden.from_bytes(_pack(golden, prepared=None)).prepared is None


def test_equal_vectors_give_equal_bytes(golden: Golden) -> None:
    copy = replace(golden, images=golden.images.copy(), logits=dict(reversed(list(golden.logits.items()))))

    assert copy.to_bytes() == golden.to_bytes()


def test_the_archive_is_read_by_numpy_without_pickle(golden: Golden) -> None:
    with np.load(io.BytesIO(golden.to_bytes()), allow_pickle=False) as archive:
        assert set(archive.files) == {
            "images", "labels", "predicted", "probabilities", "picture", "prepared", "logits_xnnpack",
            "logits_builtin",
        }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"images": np.zeros((COUNT, 28, 27), np.uint8)},
        {"images": np.zeros((COUNT, 28, 28), np.float32)},
        {"images": np.zeros((COUNT + 1, 28, 28), np.uint8)},
        {"labels": np.array(["zero"])},
        {"predicted": np.array(["zero"])},
        {"probabilities": np.zeros((COUNT, CLASSES + 1), np.float32)},
        {"probabilities": np.float32(0)},
        {"logits_builtin": np.zeros((COUNT - 1, CLASSES), np.float32)},
        {"logits_builtin": np.zeros((COUNT, CLASSES - 1), np.float32)},
        {"prepared": np.zeros((28, 27), np.uint8)},
        {"prepared": np.zeros((28, 28), np.float32)},
        {"picture": np.int32(COUNT)},
        {"picture": np.int32(-1)},
        {"picture": np.array("first")},
        {"picture": np.float64(1.5)},
        {"picture": np.array([1], np.int32)},
        {"labels": np.arange(COUNT)},
        {"labels": np.array([["zero"]] * COUNT)},
        {"predicted": np.array([b"zero"] * COUNT)},
        {"probabilities": np.zeros((COUNT, CLASSES), np.float64)},
        {"probabilities": np.zeros((COUNT, CLASSES, 1), np.float32)},
        {"probabilities": np.full((COUNT, CLASSES), np.nan, np.float32)},
        {"logits_builtin": np.zeros((COUNT, CLASSES), np.int32)},
        {"logits_builtin": np.full((COUNT, CLASSES), np.inf, np.float32)},
        {"images": np.zeros((COUNT, 28, 28, 1), np.uint8)},
        {"images": np.uint8(0)},
        {"images": None},
        {"predicted": None},
        {"picture": None},
        {"labels": np.array([{}, 1, "2", None], object)},
    ],
    ids=lambda changes: ", ".join(
        f"{name} {'missing' if value is None else f'{value.dtype.kind}{value.shape}'}"
        for name, value in changes.items()
    ),
)
def test_arrays_that_do_not_belong_together_are_refused(golden: Golden, changes: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="golden vectors"):
        Golden.from_bytes(_pack(golden, **changes))


def test_no_images_at_all_are_refused(golden: Golden) -> None:
    empty = Golden(
        images=golden.images[:0],
        labels=golden.labels[:0],
        predicted=golden.predicted[:0],
        probabilities=golden.probabilities[:0],
        logits={},
        picture=0,
    )

    with pytest.raises(ModelError, match="golden vectors"):
        Golden.from_bytes(empty.to_bytes())


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"no archive", lambda data: data[:-30], lambda data: data[:200] + data[300:]],
    ids=["empty", "text", "cut short", "bytes missing"],
)
def test_damaged_bytes_are_refused(golden: Golden, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ModelError, match="golden vectors"):
        Golden.from_bytes(damage(golden.to_bytes()))
