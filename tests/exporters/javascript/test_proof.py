from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_exporters.integer.network import Network
from mnist_edge_exporters.javascript import proof
from mnist_edge_exporters.javascript.pictures import pictures
from mnist_edge_exporters.javascript.project import Project
from mnist_edge_runtime import BlankError, InputError, VerificationError
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from numpy.typing import NDArray

Make = Callable[..., tuple[Project, Network]]


@pytest.mark.long
def test_pictures_are_prepared_as_by_the_runtime(make: Make, images: NDArray[np.uint8]) -> None:
    """Of all kinds, coloured and transparent ones and noise as well; the blank ones are blank in both."""
    drawn = list(pictures(images[:40], 200))
    expected: list[NDArray[np.uint8] | None] = []
    for picture in drawn:
        try:
            expected.append(to_mnist(picture))
        except BlankError:
            expected.append(None)
    found = proof.answers(make()[0].module, images[:1], drawn).prepared
    unlike = [
        number
        for number, (one, other) in enumerate(zip(found, expected, strict=True))
        if (one is None) != (other is None) or (one is not None and not np.array_equal(one, other))
    ]
    assert unlike == []
    assert any(image is None for image in expected)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("wrong += logit !== ", "wrong += logit === ", "logits of the self-test differ"),
        ("const answer = ", "const answer = missing || ", "ReferenceError: missing is not defined"),
        ("const SIDE = 28;", "const SIDE = 27;", "550 values, expected 27 x 27 pixels"),
    ],
)
def test_faulty_code_is_found(before: str, after: str, message: str, make: Make, images: NDArray[np.uint8]) -> None:
    module = make()[0].module
    assert before in module
    with pytest.raises(VerificationError, match=message):
        proof.answers(module.replace(before, after, 1), images, [])


def test_without_an_engine_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"no JavaScript engine here: install mini-racer .*\[web\]"):
        proof.check_tools()


def test_the_answer_is_the_largest_logit(make: Make, images: NDArray[np.uint8]) -> None:
    found = proof.answers(make()[0].module, images, [])
    assert found.best.tolist() == found.logits.argmax(axis=1).tolist()
