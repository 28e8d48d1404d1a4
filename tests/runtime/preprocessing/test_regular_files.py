from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing import regular_files
from mnist_edge_runtime.preprocessing.file_kinds import kind_of
from mnist_edge_runtime.preprocessing.regular_files import kind_of_file, open_regular
from PIL import Image


@pytest.fixture
def in_time() -> Iterator[None]:
    """SIGALRM ends a test that would wait for ever."""
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("name", ["named pipe", "socket", "device", "folder"])
def test_nothing_but_a_file_is_opened(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may not be long
    place = Path("/dev/zero") if name == "device" else Path("digit.png")
    if name == "named pipe":
        os.mkfifo(place)
    elif name == "socket":
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(place))
    elif name == "folder":
        place.mkdir()

    assert kind_of_file(place).name == name
    with pytest.raises(InputError, match=f"a {name} and no file"):
        open_regular(place)


@pytest.mark.usefixtures("in_time")
def test_a_file_that_becomes_a_pipe_before_it_is_opened_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, before = tmp_path / "a.png", os.stat(__file__)
    os.mkfifo(pipe)
    monkeypatch.setattr(regular_files.os, "stat", lambda path: before)

    assert kind_of_file(pipe).name == "named pipe"
    with pytest.raises(InputError, match="named pipe"):
        open_regular(pipe)


def test_a_file_and_a_link_to_it_are_read(tmp_path: Path) -> None:
    file, link = tmp_path / "a.txt", tmp_path / "b.txt"
    Image.fromarray(np.full((30, 20), 200, np.uint8)).save(file, "PNG")
    link.symlink_to(file)

    assert kind_of_file(file) == kind_of_file(link) == kind_of(b"\x89PNG")
    with open_regular(link) as opened:
        assert opened.read() == file.read_bytes()


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kind_of_file(tmp_path / "a.png")
