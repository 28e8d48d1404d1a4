"""The limits are judged, not the speed of this machine: figures of its own making pass and fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_runtime import models

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "overhead.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SCRIPT.parent)}  # it imports what lies beside it

JUDGE = """
import json, runpy, sys
script = runpy.run_path(sys.argv[1])
figures = {key: {"p50": value} for key, value in json.loads(sys.argv[2]).items()}
print(json.dumps(script["failures"]({"model": "digits.tflite", **figures})))
"""
BRIEFLY = """
import runpy, sys
sys.argv = [sys.argv[1], "--json", *sys.argv[2:]]
script = runpy.run_path(sys.argv[0])
limits = {"BLOCKS": 2, "ROUNDS": 5, "BATCH_BLOCKS": 2, "BATCH_ROUNDS": 2}
script["main"].__globals__.update(limits, LOGITS_US=1e9, CLASSIFY_US=1e9, BATCH_SHARE=0)
sys.exit(script["main"]())
"""


@pytest.mark.parametrize(
    ("logits", "classify", "share", "missed"),
    [(2.5, 8.0, 0.95, []), (2.6, 7.0, 0.99, ["what logits adds"]), (1.0, 8.1, 0.9, ["what classify", "the share"])],
)
def test_figures_beyond_a_limit_fail(logits: float, classify: float, share: float, missed: list[str]) -> None:
    figures = json.dumps({"logits_adds_us": logits, "classify_adds_us": classify, "batch_share": share})
    result = subprocess.run(
        [sys.executable, "-c", JUDGE, SCRIPT, figures], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )
    found = json.loads(result.stdout)

    assert len(found) == len(missed)
    assert all(sentence.startswith(f"digits.tflite: {start}") for sentence, start in zip(found, missed, strict=True))


@pytest.mark.long
def test_each_engine_is_measured_beside_the_classifier() -> None:
    command = [sys.executable, "-c", BRIEFLY, SCRIPT, *models.bundled_models()]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)

    assert [row["engine"] for row in found["results"]] == ["litert", "onnxruntime"]
    for row in found["results"]:
        assert row["engine_us"]["p50"] > 0
        assert row["classify_ratio"]["p50"] > 0
        assert row["batch_share"]["p50"] > 0
