from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(FOLDER)}  # it imports what lies beside it

# Ink that needs no data: the drawings of the demonstration, as MNIST has its digits.
FEW = """
import json
import film
import numpy as np
from mnist_edge_runtime import Classifier, to_mnist
from mnist_edge_runtime.service.stability import STABLE
from mnist_edge_trainer.demo.synthetic_digits import draw

images, labels = np.stack([to_mnist(draw(digit)) for digit in "0123456789"]), np.arange(10)
found, row = [], []
with Classifier.load() as classifier:
    for number in (0, 3):
        texts, shots = film.film(images, labels, 5, number)
        outcome = film.outcome(texts, film.readings(classifier, shots), STABLE)
        found.append([texts, outcome.numbers, outcome.delays, outcome.accepted, outcome.wrong])
        row.append(outcome)
again = [film.film(images, labels, seed, 0) for seed in (5, 5, 6)]
first = [next(shots).jpeg for texts, shots in again]
print(json.dumps([found, film.row(STABLE, row), first[0] == first[1], first[0] == first[2]]))
"""


@pytest.mark.long
def test_the_numbers_of_a_few_films_are_read_and_no_others() -> None:
    result = subprocess.run([sys.executable, "-c", FEW], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    films, row, same, other = json.loads(result.stdout)

    delays = [delay for _, _, found, _, _ in films for delay in found]
    assert len(delays) >= 3
    assert all(4 <= delay <= 30 for delay in delays)
    assert [wrong for *_, wrong in films] == [[], []]
    assert row.startswith(f"| **4** | {len(delays)} of 4 | 0 of ")
    assert (same, other) == (True, False)
    assert int(films[1][0][1]) == int(films[1][0][0]) + 1  # a counter
