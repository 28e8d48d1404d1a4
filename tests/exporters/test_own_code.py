from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from mnist_edge_exporters import own_code
from mnist_edge_runtime import InputError, UsageError

DOUBLING = """
import keras
from keras.layers import Dense

class Doubling(keras.layers.Layer):
    def call(self, x):
        return x * 2
"""


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own_layers.py").write_text(DOUBLING)
    yield
    own_code.request(None)
    sys.modules.pop("own_layers", None)
    keras.saving.get_custom_objects().clear()


@pytest.mark.parametrize("name", ["own_layers", "own_layers.py", "./own_layers.py"])
def test_the_classes_that_a_module_defines_are_registered(name: str) -> None:
    assert own_code.request([name]) == [name]
    own_code.import_requested()
    assert own_code.requested() == (name,)
    assert list(keras.saving.get_custom_objects()) == ["Doubling"]


def test_the_next_command_starts_without_them() -> None:
    own_code.request(["own_layers"])
    own_code.request(None)
    own_code.import_requested()
    assert "own_layers" not in sys.modules


@pytest.mark.parametrize("name", ["no_such_layers", "no_such.layers", "none.py"])
def test_a_module_that_is_missing_is_told(name: str) -> None:
    own_code.request([name])
    with pytest.raises(UsageError, match=f"--import {name}: there is no such module in this folder"):
        own_code.import_requested()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_library", "needs a module that is not installed: no_such_library"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("def broken(:", "cannot be imported: SyntaxError: invalid syntax"),
    ],
)
def test_a_module_that_fails_is_told(code: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "own_layers.py").write_text(code)
    own_code.request(["own_layers"])
    with pytest.raises(InputError, match=message):
        own_code.import_requested()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    own_code.request(["pipe.py"])
    with pytest.raises(InputError, match=r"pipe\.py: is a named pipe, expected a regular file"):
        own_code.import_requested()
