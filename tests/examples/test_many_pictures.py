"""The examples on local clusters: every answer is that of one process."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COUNT = 10_000


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 10,000 pictures of 28 x 28, among them a blank one and one that is cut short."""
    folder = tmp_path_factory.mktemp("pictures")
    strokes = np.random.default_rng(0).integers(4, 24, (COUNT, 6, 2))
    for number, points in enumerate(strokes):
        image = np.zeros((28, 28), np.uint8)
        for (row, column), (next_row, next_column) in pairwise(points):
            image[min(row, next_row) : max(row, next_row) + 2, column : column + 2] = 255
            image[next_row : next_row + 2, min(column, next_column) : max(column, next_column) + 2] = 255
        pixels = bytes(784) if number == 77 else image.tobytes()
        (folder / f"{number:05}.pgm").write_bytes(b"P5 28 28 255\n" + pixels[: 600 if number == 78 else None])
    return folder


@pytest.fixture(scope="module")
def expected(pictures: Path) -> dict[str, tuple[str, float, str]]:
    """The answers of a single process, by the name of the file."""

    def answer(file: Path) -> tuple[str, float, str]:
        try:
            found = classifier.classify(file)
        except InputError as error:
            return "", 0.0, str(error).removeprefix(f"{file}: ")
        return found.label if found.accepted else "unsure", found.confidence, ""

    with Classifier.load() as classifier:
        found = {file.name: answer(file) for file in pictures.iterdir()}
    assert len(found) == COUNT
    assert len({label for label, _, _ in found.values()}) > 5
    assert sum(1 for *_, error in found.values() if error) >= 2
    return found


@pytest.mark.long
@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_every_answer_is_that_of_one_process(
    engine: str, pictures: Path, expected: dict[str, tuple[str, float, str]], tmp_path: Path
) -> None:
    pytest.importorskip(engine, reason="the extra `examples` is not installed")
    private = {"HOME": str(tmp_path), "RAY_USAGE_STATS_ENABLED": "0"}  # nothing is kept or sent
    environment = {**_quick_to_start(tmp_path), **private}
    command = [sys.executable, EXAMPLES / f"many_pictures_{engine}.py", pictures, tmp_path / "answers"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert result.returncode == 0, result.stderr[-2000:]

    entries = [entry for file in (tmp_path / "answers").iterdir() for entry in _entries(file)]
    found = {Path(entry["file"]).name: entry for entry in entries}
    assert len(entries) == len(found) == COUNT
    for name, (label, confidence, error) in expected.items():
        entry = found[name]
        assert (entry["label"], float(entry["confidence"])) == (label, confidence)
        assert entry["error"].removeprefix(f"{entry['file']}: ") == error


def _quick_to_start(folder: Path) -> dict[str, str]:
    """Return an environment whose Python starts quickly: Ray gives its agents 15 s, without an option for more.

    Ray imports jsonschema in every process, which imports rfc3987_syntax where the validation of the bill of materials
    brought it; that takes three seconds, and jsonschema does without.
    """
    (folder / "instead").mkdir()
    (folder / "instead/rfc3987_syntax.py").write_text('raise ImportError("left out, for its import takes seconds")\n')
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_"))}
    return {**unmeasured, "PYTHONPATH": str(folder / "instead")}


def _entries(file: Path) -> list[dict[str, Any]]:
    lines = file.read_text().splitlines()
    return [*csv.DictReader(lines)] if file.suffix == ".csv" else [*map(json.loads, lines)]


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_an_example_is_short_and_on_the_page(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= 40
    assert f"- `{file.name}`: " in (EXAMPLES / "README.md").read_text()
