from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service import token


def test_a_new_one_is_a_token_and_another_one_each_time(tmp_path: Path) -> None:
    found = {token.generate() for _ in range(20)}
    assert len(found) == 20
    for number, each in enumerate(found):
        file = tmp_path / str(number)
        file.write_text(f"{each}\n")
        assert token.given(str(file)) == each


def test_the_file_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(token.VARIABLE, raising=False)
    assert token.given(None) is None
    monkeypatch.setenv(token.VARIABLE, "of-the-environment")
    assert token.given(None) == "of-the-environment"
    (tmp_path / "token").write_text("of-the-file-itself")
    assert token.given(str(tmp_path / "token")) == "of-the-file-itself"


@pytest.mark.parametrize(
    "content", [b"", b"short", b"sixteen letters and spaces", b"\xff" * 20, b"a" * 2000, "é".encode() * 20]
)
def test_what_is_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(InputError, match="--token-file"):
        token.given(str(tmp_path / "token"))


def test_a_token_that_is_missing_or_bad_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No such file"):
        token.given(str(tmp_path / "none"))
    monkeypatch.setenv(token.VARIABLE, "short")
    with pytest.raises(InputError, match=f"{token.VARIABLE}: no token"):
        token.given(None)
