from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof
from mnist_edge_exporters.c_source.project import Project
from mnist_edge_exporters.integer.network import Network
from mnist_edge_runtime import InputError, VerificationError
from numpy.typing import NDArray

Make = Callable[..., tuple[Project, Network]]


def _changed(made: Project, path: str, before: str, after: str) -> Project:
    assert before in made.files[path]
    return replace(made, files={**made.files, path: made.files[path].replace(before, after, 1)})


@pytest.mark.parametrize(
    ("path", "before", "after", "message"),
    [
        ("src/net.c", "return best;", "return worst;", "does not compile without warnings"),
        ("src/net.c", "logits[i] = found[i]", "logits[i] = found[i] + 1", "logits of the self-test differ"),
        ("src/net.c", "logits[i] > logits[best]", "logits[i] < logits[best]", "classify does not return the largest"),
        ("src/net.c", "int best = 0, i;", "int best = *(volatile int *)0, i;", "SIGSEGV"),
    ],
)
def test_faulty_code_is_found(
    path: str, before: str, after: str, message: str, make: Make, images: NDArray[np.uint8]
) -> None:
    made, _ = make()
    with pytest.raises(VerificationError, match=message):
        proof.answers(_changed(made, path, before, after), images, proof.compiler())


def test_without_a_compiler_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(proof.shutil, "which", lambda name: None)
    monkeypatch.setattr(proof, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="install gcc or clang, or ziglang"):
        proof.compiler()
    monkeypatch.setenv("CC", "ccache gcc")
    assert proof.compiler() == ("ccache", "gcc")


def test_a_compiler_that_is_not_there_is_told(make: Make, images: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="no-such-cc cannot be run"):
        proof.answers(make()[0], images, ("no-such-cc",))
