from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_runtime import host, models
from mnist_edge_runtime.diagnostics import benchmark_worker


def _run(monkeypatch: pytest.MonkeyPatch, file: Path, turns: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(turns))
    monkeypatch.setattr(host, "cores", lambda: 1)
    return benchmark_worker.main([str(file), "litert"])


def test_a_line_for_each_turn_and_the_result_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _run(monkeypatch, models.bundled_models("litert")[0], "single\nengine\nbatch\n")
    *ready, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)

    assert (code, ready) == (0, [""] * 4)
    assert result["images"] >= 200
    assert list(result["latency_us"]) == ["preprocessing", "engine", "rest", "together"]
    assert result["latency_us"]["engine"]["p50"] > result["clock_us"]
    assert [(row["threads"], row["batch"]) for row in result["throughput"]] == [
        (1, size) for size in (1, 4, 16, 64, 256)
    ]


def test_a_file_that_cannot_be_read_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(models.bundled_models("litert")[0].read_bytes()[:-1])

    assert _run(monkeypatch, damaged, "") == 4
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("the file is cut short")


def test_a_file_that_loops_for_ever_ends_at_the_limit(endless: Path) -> None:
    code = "import sys; from mnist_edge_runtime.diagnostics import benchmark_worker as worker; " \
        "worker.SECONDS = 2.0; sys.exit(worker.main(sys.argv[1:]))"  # fmt: skip
    command = [sys.executable, "-c", code, str(endless), "onnxruntime"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr.startswith("it did not load, or answer, within 2 seconds: the model may loop for ever")
