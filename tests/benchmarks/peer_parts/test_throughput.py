from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.models import bundled_models
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image


def test_readers_take_turns_and_their_right_labels_count(part: Callable[[str], Any], tmp_path: Path) -> None:
    throughput = part("throughput")
    pictures = []
    for digit in "38":
        page = np.full((120, 160), 245, np.uint8)
        page[30:110, 70:150] = draw(digit, size=80)
        Image.fromarray(page).save(tmp_path / f"{digit}.png")
        pictures.append((tmp_path / f"{digit}.png", digit))
    Image.new("L", (30, 30), 200).save(tmp_path / "blank.png")
    pictures.append((tmp_path / "blank.png", "0"))
    file = bundled_models()[0]

    with Classifier.load(file) as classifier:
        found = throughput.from_files(throughput.readers(file, classifier), pictures, 1)

    assert list(found) == ["ten lines", "OpenCV's tutorial", "mnist-edge"]
    assert all(row["rate"] > 0 and row["of"] == 3 for row in found.values())
    assert found["OpenCV's tutorial"]["right"] == found["mnist-edge"]["right"] == 2


def test_arrays_are_answered_by_the_engine_alone_and_by_ours(
    part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    throughput = part("throughput")
    for name, value in {"BLOCKS": 2, "ROUNDS": 5, "BATCH_BLOCKS": 2, "BATCH_ROUNDS": 2}.items():
        monkeypatch.setattr(throughput.overhead, name, value)

    found = throughput.arrays(bundled_models(network="small")[0])

    assert found.keys() == {"engine", "logits", "classify"}
    assert min(found.values()) > 0
