from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(FOLDER)}  # it imports what lies beside it

FEW = """
import json
import hard_pictures
from mnist_edge_runtime import Classifier

with Classifier.load() as classifier:
    found = {kind: hard_pictures.answers(classifier, kind, range(10), 1) for kind in hard_pictures.KINDS}
digit, picture = hard_pictures.hard_picture("thick", 13, 1)
again = hard_pictures.hard_picture("thick", 13, 1)[1]
other = hard_pictures.hard_picture("thick", 13, 2)[1]
same = [digit, bool((picture == again).all()), other.shape == picture.shape and bool((other == picture).all())]
print(json.dumps([found, same]))
"""
# Of 10 pictures, two less than are read: of 40 of each kind 35 to 40 are, of screens 29, of dots 35.
FEWEST = {"halftone": 5}


@pytest.fixture(scope="module")
def found() -> tuple[dict[str, list[int]], list[object]]:
    result = subprocess.run([sys.executable, "-c", FEW], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    answers, same = json.loads(result.stdout)
    return answers, same


@pytest.mark.long
def test_a_few_hard_pictures_of_each_kind_are_read(found: tuple[dict[str, list[int]], list[object]]) -> None:
    answers, _ = found

    assert len(answers) == 15
    assert not {kind: right for kind, (right, _, _) in answers.items() if right < FEWEST.get(kind, 8)}
    assert sum(right for right, _, _ in answers.values()) >= 137
    assert sum(wrong for _, _, wrong in answers.values()) <= 6


@pytest.mark.long
def test_the_same_seed_gives_the_same_pictures(found: tuple[dict[str, list[int]], list[object]]) -> None:
    assert found[1] == ["3", True, False]
