from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mnist_edge_runtime.model_file import sealed_model

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]

ENGINE = {".tflite": "litert", ".onnx": "onnxruntime"}


def test_a_good_file_passes(invoke: Invoke, model_file: Path) -> None:
    code, out, err = invoke("selftest", model_file)

    assert (code, err) == (0, "")
    assert out.startswith("passed: ")
    assert ENGINE[model_file.suffix] in out


def test_json(invoke: Invoke, model_file: Path) -> None:
    sealed = sealed_model.read(model_file)

    code, out, err = invoke("selftest", "--json", model_file)
    report = json.loads(out)

    assert (code, err) == (0, "")
    assert report.keys() >= {"model", "engine", "golden", "max_lsb", "passed"}
    assert report["model"] == str(model_file)
    assert report["engine"] == ENGINE[model_file.suffix]
    assert report["golden"] == len(sealed.golden.images)
    assert report["max_lsb"] == (0 if sealed.contract.quantization == "int8" else None)
    assert report["passed"] is True


def test_a_file_that_answers_wrongly_fails(invoke: Invoke, mislabelled: Path) -> None:
    code, out, err = invoke("selftest", mislabelled)

    assert (code, out) == (5, "")
    assert "failed: " in err
    assert "another class" in err
    assert "Traceback" not in err


def test_json_of_a_failure(invoke: Invoke, mislabelled: Path) -> None:
    code, out, _ = invoke("selftest", "--json", mislabelled)
    report = json.loads(out)

    assert code == 5
    assert report["passed"] is False
    assert report["failures"]


def test_a_file_that_loops_for_ever_ends_at_the_limit(endless: Path) -> None:
    code = "from mnist_edge_runtime.commands import selftest; selftest.SECONDS = 2.0; " \
        "import sys; from mnist_edge_runtime.__main__ import main; sys.exit(main())"  # fmt: skip
    command = [sys.executable, "-c", code, "selftest", "--json", str(endless)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (result.returncode, result.stdout) == (5, "")
    assert result.stderr == (
        f"error: {endless}: the self-test did not end within 2 seconds: the model may loop for ever, or this machine "
        "is too slow for it; run no file whose maker you do not know\n"
    )


def test_golden_vectors_that_cannot_be_read_are_a_damaged_file(
    invoke: Invoke, refused: Refused, int8_file: Path, reseal: Callable[..., Path]
) -> None:
    file = reseal(int8_file, golden=lambda golden: replace(golden, images=golden.images[:-1]))

    assert "golden vectors" in refused(invoke("selftest", file), 4)
