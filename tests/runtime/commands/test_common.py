from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import EngineError, InputError, UsageError, models
from mnist_edge_runtime.commands import common
from mnist_edge_runtime.commands.image_sources import Picture
from mnist_edge_runtime.model_file import sealed_model


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    common.add_classify_options(parser, "the model")
    defaults = argparse.Namespace(accept_all=True, allowed_signers=None, engine=None, form="text", debug=False)
    return parser.parse_args(words, defaults)


def test_the_options_and_their_defaults() -> None:
    found = _parsed()

    assert (found.model, found.no_verify, found.recursive, found.preprocess) == (None, False, False, "auto")
    with pytest.raises(SystemExit):
        _parsed("--preprocess", "blur")


def test_no_verify_needs_the_name_of_a_model() -> None:
    with pytest.raises(UsageError, match="--no-verify is for a model file without a contract; name it with --model"):
        common.load_any(_parsed("--no-verify"))


def test_a_caution_in_the_contract_is_told_where_the_file_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = sealed_model.read(models.bundled_models("litert")[0])
    contract = replace(sealed.contract, origin={"dataset": {"warning": "a demonstration\x1b"}})
    (file := tmp_path / "demo.tflite").write_bytes(sealed_model.seal(sealed.payload, contract, sealed.golden))
    common.load(_parsed("--model", str(file))).close()
    assert "WARNING: a demonstration\\x1b\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (MemoryError(), InputError, "a.png: there is not enough memory for this picture; scale it down"),
        (ZeroDivisionError("division by zero"), InputError, "a.png: cannot be read, by a fault of this program: "),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), InputError, "a.png: cannot be read"),
        (OSError(5, "Input/output error"), InputError, "a.png: Input/output error"),
        (EngineError("the model answers with NaN"), EngineError, "a.png: the model answers with NaN"),
    ],
)
def test_one_picture_never_ends_a_stream(
    error: Exception, kind: type[Exception], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> np.ndarray:
        raise error

    (model, *_) = models.bundled_models("litert")
    image = sealed_model.read(model).golden.images[0]
    arguments = _parsed("--model", str(model))
    pictures = [Picture("a.png", load), Picture("digit", lambda: image)]
    with common.load_any(arguments) as classifier:
        failure, seen = common.answer_all(pictures, classifier, arguments)

    assert type(failure) is kind
    assert np.array_equal(np.asarray(seen), image)
    assert capsys.readouterr().err.startswith(f"error: {message}")


def test_a_bad_and_a_blank_picture_do_not_stop_the_others(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (model, *_) = models.bundled_models("litert")
    golden = sealed_model.read(model).golden
    image = golden.images[golden.picture]
    pictures = [
        Picture.of_file(str(tmp_path / "missing.png")),
        Picture("blank", lambda: np.zeros((28, 28), np.uint8)),
        Picture("digit", lambda: image),
    ]
    arguments = _parsed("--model", str(model))
    with common.load_any(arguments) as classifier:
        failure, seen = common.answer_all(pictures, classifier, arguments)
    out, err = capsys.readouterr()

    assert isinstance(failure, InputError)
    assert np.array_equal(np.asarray(seen), image)
    blank, digit = out.splitlines()
    assert blank.startswith("blank: unsure  ")
    assert digit.startswith(f"digit: {golden.predicted[golden.picture]}  ")
    assert err.startswith("error: ")
    assert "missing.png" in err


def _limited(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the device's command line with a limit of two seconds."""
    code = "from mnist_edge_runtime import time_limit; time_limit.SECONDS = 2.0; " \
        "import sys; from mnist_edge_runtime.__main__ import main; sys.exit(main())"  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def four(tmp_path: Path) -> Path:
    file = tmp_path / "four.npy"
    golden = sealed_model.read(models.bundled_models()[0]).golden
    np.save(file, 255 - np.kron(golden.images[golden.picture], np.ones((4, 4), np.uint8)))
    return file


@pytest.mark.parametrize("command", ["classify", "read"])
def test_a_model_that_never_loads_ends_the_command(endless: Path, four: Path, command: str) -> None:
    result = _limited(command, "--model", endless, four)

    assert (result.returncode, result.stdout) == (4, "")
    assert result.stderr == (
        f"error: {endless}: did not load within 2 seconds: the model may loop for ever, or this machine is too slow "
        "for it\n"
    )


@pytest.mark.parametrize(("command", "step"), [("classify", "answer a picture"), ("read", "read the picture")])
def test_a_model_that_never_answers_ends_the_command(endless_on_ink: Path, four: Path, command: str, step: str) -> None:
    result = _limited(command, "--model", endless_on_ink, four)

    assert (result.returncode, result.stdout) == (4, "")
    assert f"{endless_on_ink}: did not {step} within 2 seconds" in result.stderr


@pytest.mark.long
def test_the_wait_for_pictures_has_no_limit() -> None:
    code = "from mnist_edge_runtime import time_limit; time_limit.SECONDS = 0.5; " \
        "import sys; from mnist_edge_runtime.__main__ import main; sys.exit(main())"  # fmt: skip
    command = [sys.executable, "-c", code, "classify", "--jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for line, found in (('{"pixels": [[0, 300]]}', "error"), ('{"pixels": [[0, 0]]}', "3 x 3")):
            time.sleep(1.5)
            process.stdin.write(line + "\n")
            process.stdin.flush()
            assert found in process.stdout.readline()
        process.stdin.close()
        assert process.wait() == 3
