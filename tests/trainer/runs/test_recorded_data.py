from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.data.own_pictures import OwnPictures
from mnist_edge_trainer.runs import recorded_data


@pytest.fixture
def own() -> OwnPictures:
    images = np.arange(4 * 784, dtype=np.uint16).astype(np.uint8).reshape(4, 28, 28)
    return OwnPictures(images, np.array(["7", "7", "tick", "tick"]), np.array([True, False, False, True]))


def test_a_data_set_is_found_by_what_was_recorded_of_it_alone(digits: Dataset) -> None:
    described = {"name": "digits and own pictures", "base": {"name": "digits", "sha256": digits.sha256}, "source": "x"}
    assert recorded_data.load("mine", described, None).sha256 == digits.sha256
    described["base"] = {"name": "digits", "sha256": "0" * 64}
    with pytest.raises(InputError, match="other data than run 'mine' was trained on"):
        recorded_data.load("mine", described, None)


def test_own_pictures_are_those_of_the_record(own: OwnPictures, tmp_path: Path) -> None:
    own.save(file := tmp_path / "own.npz")
    recorded: dict[str, Any] = {"own": own.describe()}
    found = recorded_data.load_own(file, recorded)
    assert found is not None
    assert found.describe() == own.describe()
    assert recorded_data.load_own(file, {}) is None
    OwnPictures(own.images, own.labels, ~own.held_out).save(file)
    with pytest.raises(InputError, match=r"own\.npz: has changed since the run was trained on it"):
        recorded_data.load_own(file, recorded)
    file.unlink()
    with pytest.raises(InputError, match=r"own\.npz: is missing"):
        recorded_data.load_own(file, recorded)
