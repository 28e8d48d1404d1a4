from __future__ import annotations

import errno
import os

import pytest
from mnist_edge_runtime import errors
from mnist_edge_runtime.errors import (
    EngineError,
    InputError,
    MnistEdgeError,
    ModelError,
    UsageError,
    VerificationError,
    describe,
    reason,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (MnistEdgeError, 1),
        (UsageError, 2),
        (InputError, 3),
        (ModelError, 4),
        (EngineError, 4),
        (VerificationError, 5),
    ],
)
def test_a_users_error_keeps_its_message_and_has_its_exit_code(kind: type[MnistEdgeError], code: int) -> None:
    assert describe(kind("the picture is blank")) == ("the picture is blank", code)


def test_every_error_is_a_mnist_edge_error() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]

    assert len(kinds) == 7
    assert all(issubclass(kind, MnistEdgeError) for kind in kinds)


def test_an_engine_error_is_a_model_error() -> None:
    assert issubclass(EngineError, ModelError)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/model.keras"), "runs/model.keras: No space left"),
        (OSError(errno.ENOSPC, "No space left", "runs"), "runs: No space left; make room and repeat the command"),
        (
            OSError(errno.EFBIG, "File too large", "a.png"),
            "a.png: File too large; raise the limit on the size of files",
        ),
        (OSError(errno.EPIPE, os.strerror(errno.EPIPE)), "Broken pipe"),
        (OSError("the disk is gone"), "the disk is gone"),
    ],
    ids=["with a file", "of a full disk", "of a limit", "without a file", "without a number"],
)
def test_what_the_system_refuses_counts_as_bad_input(error: OSError, message: str) -> None:
    described, code = describe(error)

    assert described.startswith(message)
    assert code == 3


def test_lines_of_an_error_are_its_own_and_those_of_names_are_escaped() -> None:
    error = InputError("two of 9:", "a\nb.png", "c.png").at("folder\r")

    assert str(error) == "folder\r: two of 9:\n  a\nb.png\n  c.png"
    assert describe(error) == ("folder\\r: two of 9:\n  a\\nb.png\n  c.png", 3)
    assert describe(UsageError("a\nb"), "p") == ("a\\nb (see p --help)", 2)


def test_messages_of_an_engine_that_stick_together_are_parted() -> None:
    assert reason(RuntimeError("XNNPACK delegateunsupported datatype")) == "XNNPACK delegate: unsupported datatype"


def test_too_little_memory_is_told() -> None:
    assert describe(MemoryError()) == ("there is not enough memory; end other programs, or take a machine with more", 3)


def test_anything_else_is_our_own_fault() -> None:
    message, code = describe(ZeroDivisionError("division by zero"))

    assert code == 1
    assert "internal error" in message
    assert "ZeroDivisionError: division by zero" in message
    assert "--debug" in message


def test_the_reason_is_one_plain_line() -> None:
    assert reason(ValueError("\x1b[1mtwo\n\n  lines\x1b[0m ")) == "two lines"
    assert len(reason(ValueError("word " * 1000))) < 700


def test_keras_reason_stands_after_all_that_it_was_given() -> None:
    outer = "<class 'Functional'> could not be deserialized properly.\n\nconfig={'a': 1}.\n\nException encountered: "
    assert reason(TypeError(f"{outer}{outer}Could not locate class 'Own'. Make sure. Full object config: {{1}}")) == (
        "Could not locate class 'Own'. Make sure."
    )
    call = "Exception encountered when calling Dense.call().\n\n\x1b[1mshapes differ\x1b[0m\n\nArguments received by D"
    assert reason(ValueError(call)) == "shapes differ"


def test_a_dump_of_mlir_becomes_the_missing_operators() -> None:
    dump = "Could not translate MLIR to FlatBuffer.\n<unknown>:0: error: loc(fused): 'tf.Foo' op is neither\n"
    assert reason(RuntimeError(f"{dump}TF Select ops: Foo, Bar\nDetails:\n\ttf.Foo(tensor<1xf32>)")) == (
        "TFLite has no operator for Foo, Bar"
    )
    assert reason(RuntimeError('MLIR\n<unknown>:0: error: loc("x"): it is too large\nnote: loc("y")')) == (
        "it is too large"
    )


def test_an_error_without_words_says_what_and_where() -> None:
    with pytest.raises(KeyError) as raised:
        {}["key"]  # type: ignore[misc]
    assert reason(raised.value) == f"KeyError 'key' in {__name__}.test_an_error_without_words_says_what_and_where"
    assert reason(AssertionError()) == "AssertionError"
