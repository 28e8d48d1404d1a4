from __future__ import annotations

import argparse
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
    return parser.parse_args(words, argparse.Namespace(accept_all=True, engine=None, form="text", debug=False))


def test_the_options_and_their_defaults() -> None:
    found = _parsed()

    assert (found.model, found.no_verify, found.recursive, found.preprocess) == (None, False, False, "auto")
    with pytest.raises(SystemExit):
        _parsed("--preprocess", "blur")


def test_no_verify_needs_the_name_of_a_model() -> None:
    with pytest.raises(UsageError, match="--no-verify is for a model file without a contract; name it with --model"):
        common.load_any(_parsed("--no-verify"))


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
