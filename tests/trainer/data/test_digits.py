from __future__ import annotations

import hashlib

from mnist_edge_trainer.data import datasets, digits


def test_the_digits_are_those_that_models_were_trained_on() -> None:
    """A contract names its data by this hash."""
    found = digits.read()
    assert found.test is not None
    assert (len(found.train.labels), len(found.test.labels)) == (1497, 300)
    assert hashlib.sha256(found.train.images.tobytes()).hexdigest()[:16] == "f596b3c64df02563"
    assert datasets.load("digits").sha256[:16] == "fe531bf4da06a773"
