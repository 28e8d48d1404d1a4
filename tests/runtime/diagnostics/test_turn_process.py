from __future__ import annotations

import sys

import pytest
from mnist_edge_runtime import EngineError
from mnist_edge_runtime.diagnostics.turn_process import InterleavedProcess, failure

CHILD = """
import sys
print(flush=True)
words = []
for line in sys.stdin:
    words.append(line.strip())
    print(flush=True)
print(" ".join(words))
"""


def _process(code: str) -> InterleavedProcess:
    return InterleavedProcess([sys.executable, "-c", code], engine="litert")


def test_processes_take_turns_and_give_their_results() -> None:
    with _process(CHILD) as one, _process(CHILD) as other:
        for process in (one, other):
            process.wait()
        for word in ("single", "batch"):
            for process in (one, other):
                process.take_turn(word)
        assert [process.result().strip() for process in (one, other)] == ["single batch"] * 2


def test_one_that_ends_before_it_is_ready_gives_its_reason() -> None:
    with (
        _process("import sys; sys.exit('no such operator')") as process,
        pytest.raises(EngineError, match=r"^no such op"),
    ):
        process.wait()


def test_one_that_dies_between_two_turns_is_an_error() -> None:
    with _process(CHILD) as process:
        process.wait()
        process._process.kill()
        process._process.wait()
        with pytest.raises(EngineError, match=r"^litert crashed \(SIGKILL\) while running the file$"):
            process.take_turn("single")


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [(-11, "noise", "litert crashed (SIGSEGV) while running the file"), (3, "", "litert ended with exit code 3 while"),
     (4, "noise\nthe reason\n", "the reason")],
)  # fmt: skip
def test_a_failure_in_words(code: int, message: str, reason: str) -> None:
    assert str(failure("litert", code, message)).startswith(reason)
