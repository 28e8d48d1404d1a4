from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.models import bundled_models


@pytest.mark.parametrize("file", bundled_models(network="small"), ids=lambda file: file.suffix)
def test_a_file_answers_as_the_classifier_does(file: Path, part: Callable[[str], Any]) -> None:
    images = sealed_model.read(file).golden.images
    with Classifier.load(file) as classifier:
        expected = classifier.logits(images)

    outcome = part("plain_files").run(file, images)

    assert (outcome.takes, outcome.gives) == ("uint8", "uint8")
    assert (outcome.answers.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert np.corrcoef(outcome.answers.ravel(), expected.ravel())[0, 1] > 0.9999
