from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mnist_edge_runtime.service import folder_watcher

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return the function that writes a file, by default an old one, and gives its name."""

    def write(name: str, content: bytes = b"old", *, age: float = 60) -> str:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        then = file.stat().st_mtime - age
        os.utime(file, (then, then))
        return str(file)

    return write


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_watcher, "_POLL_SECONDS", 0.01)


@pytest.fixture
def watched(tmp_path: Path, quick: None) -> Iterator[Iterator[str]]:
    """The files that come out of the watched folder; SIGALRM ends a test that would wait for ever."""
    signal.alarm(60)
    files = folder_watcher.watch([tmp_path], recursive=True, tell=print)
    yield files
    signal.alarm(0)
    files.close()  # type: ignore[attr-defined]


def test_what_is_there_then_what_comes(watched: Iterator[str], write: Write) -> None:
    first = write("a.png")
    assert next(watched) == first

    second, third = write("b.png"), write("deep/c.png")

    assert [next(watched), next(watched)] == [second, third]


def test_a_file_that_is_rewritten_comes_again(watched: Iterator[str], write: Write) -> None:
    camera = write("latest.jpg")
    assert next(watched) == camera
    write("latest.jpg", b"newer")
    other = write("other.jpg")

    assert [next(watched), next(watched)] == [camera, other]


def test_what_changes_is_told_once(tmp_path: Path, quick: None) -> None:
    folder, told = tmp_path / "inbox", []
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"%PDF-1.7")
    files = folder_watcher.watch([folder], recursive=False, tell=told.append)
    looks = 0

    def look(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            (folder / "a.pdf").unlink()
            folder.rmdir()
        if looks == 10:
            folder.mkdir()
            (folder / "a.png").write_bytes(b"picture")
            os.utime(folder / "a.png", (1, 1))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folder_watcher.time, "sleep", look)
        assert next(files) == str(folder / "a.png")
    files.close()  # type: ignore[attr-defined]

    assert told == [
        f"{folder}: left out, no pictures: 1 PDF",
        f"error: {folder}: No such file or directory; it is watched again when it is back",
        f"{folder}: is back, and watched",
    ]


def test_a_file_that_was_removed_and_comes_back_comes_again(watched: Iterator[str], write: Write) -> None:
    first, second = write("a.png"), write("b.png")
    assert [next(watched), next(watched)] == [first, second]
    os.remove(first)
    third = write("c.png")
    assert next(watched) == third

    assert write("a.png") == next(watched)


def test_a_file_still_being_written_is_left(
    watched: Iterator[str], write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It grows with each look at the folder, until five have been."""
    growing, looks = tmp_path / "growing.png", 0

    def look(seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks <= 5:
            with growing.open("ab") as file:
                file.write(b"more")

    monkeypatch.setattr(folder_watcher.time, "sleep", look)
    growing.write_bytes(b"begun")

    assert next(watched) == str(growing)
    assert looks >= 6
    assert growing.read_bytes() == b"begun" + 5 * b"more"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_the_picture_at_hand(
    watched: Iterator[str], write: Write, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    first = write("a.png")
    write("b.png")
    assert next(watched) == first
    os.kill(os.getpid(), number)

    assert list(watched) == []
    assert signal.getsignal(number) == handler
