from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service import mqtt_login
from mnist_edge_runtime.service.mqtt_login import PASSWORD, USER, Login


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640])
def test_a_file_of_two_lines_goes_before_the_environment(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "login"
    file.write_text("reader\npass word \u00fc\n")
    file.chmod(mode)

    assert mqtt_login.read(file, {USER: "other", PASSWORD: "other"}) == Login("reader", "pass word \u00fc")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602])
def test_a_file_that_everybody_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "login"
    file.write_text("reader\nsecret\n")
    file.chmod(mode)

    with pytest.raises(InputError, match=f"everybody on this machine can read it.*: chmod o= {file}"):
        mqtt_login.read(file, {})


@pytest.mark.parametrize(
    "content", [b"", b"reader\n", b"reader\n\n", b"a\nsecret\nc\n", b"\xff\nsecret", b"a" * 5000 + b"\nb"]
)
def test_another_file_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "login"
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(InputError, match="is no login of a broker; it holds two lines") as error:
        mqtt_login.read(file, {})
    assert "secret" not in str(error.value)


def test_the_environment() -> None:
    assert mqtt_login.read(None, {}) is None
    assert mqtt_login.read(None, {USER: "reader", PASSWORD: "secret"}) == Login("reader", "secret")
    assert "secret" not in repr(Login("reader", "secret"))
    for given in (USER, PASSWORD):
        with pytest.raises(InputError, match="one is set and the other is not"):
            mqtt_login.read(None, {given: "a"})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mqtt_login.read(tmp_path / "login", {})
