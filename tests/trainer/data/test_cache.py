from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_trainer.data import cache


@pytest.mark.parametrize("value", [None, ""])
def test_without_variables_it_lies_in_the_home_folder(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "KERAS_HOME"):
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)

    assert cache.mnist_file() == tmp_path / ".cache" / "mnist-edge" / "mnist.npz"
    assert cache.keras_file() == tmp_path / ".keras" / "datasets" / "mnist.npz"


def test_variables_name_other_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "ours"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "theirs"))

    assert cache.mnist_file() == tmp_path / "ours" / "mnist-edge" / "mnist.npz"
    assert cache.keras_file() == tmp_path / "theirs" / "datasets" / "mnist.npz"
