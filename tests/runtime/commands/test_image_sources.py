from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mnist_edge_runtime import InputError, UsageError
from mnist_edge_runtime.commands import image_sources

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
    monkeypatch.setattr(image_sources, "_POLL_SECONDS", 0.01)


@pytest.fixture
def watched(tmp_path: Path, quick: None) -> Iterator[Iterator[str]]:
    """The names that come out of the watched folder; SIGALRM ends a test that waits for nothing."""
    signal.alarm(20)
    pictures = image_sources.open_all([str(tmp_path)], recursive=True, watch=True)
    yield (picture.name for picture in pictures)
    signal.alarm(0)
    pictures.close()  # type: ignore[attr-defined]


def _names(*names: str, recursive: bool = False) -> list[str]:
    return [picture.name for picture in image_sources.open_all(names, recursive=recursive, watch=False)]


def test_files_come_as_they_are_named(write: Write) -> None:
    names = [write("b.png"), write("a.txt"), "missing.jpg"]

    assert _names(*names) == names


def test_a_folder_stands_for_its_pictures_in_order(tmp_path: Path, write: Write) -> None:
    for name in ("notes.txt", ".hidden.png", "deep/c.png", "deep/er/d.png", ".git/e.png"):
        write(name)
    shown = [write("A.PNG"), *(write(f"b{suffix}") for suffix in (".bmp", ".jpeg", ".jpg", ".npy", ".pgm", ".png"))]

    assert _names(str(tmp_path)) == shown
    assert _names(str(tmp_path), recursive=True) == [
        *shown,
        str(tmp_path / "deep/c.png"),
        str(tmp_path / "deep/er/d.png"),
    ]


def test_in_a_folder_nothing_is_waited_for(tmp_path: Path, write: Write) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    gone = tmp_path / "gone.png"
    gone.symlink_to("nowhere")

    assert _names(str(tmp_path)) == [str(gone)]


def test_a_folder_without_pictures_is_bad_input(tmp_path: Path, write: Write) -> None:
    write("deep/c.png")
    (picture,) = image_sources.open_all([str(tmp_path)], recursive=False, watch=False)

    with pytest.raises(InputError, match=r"a folder without pictures \(.*\.png.*\); --recursive"):
        picture.read()


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["a.png"], {"recursive": True}, "--recursive is for folders"),
        (["a.png"], {"watch": True}, r"--watch is for folders; a\.png is none"),
        (["-"], {"watch": True}, "--watch is for folders; - is none"),
        (["-", "-"], {}, "once only"),
    ],
)
def test_options_that_do_not_belong_to_what_is_named(names: list[str], options: dict[str, bool], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        image_sources.open_all(names, **{"recursive": False, "watch": False, **options})


class TestWatch:
    def test_what_is_there_then_what_comes(self, watched: Iterator[str], write: Write) -> None:
        first = write("a.png")
        assert next(watched) == first

        second, third = write("b.png"), write("deep/c.png")

        assert [next(watched), next(watched)] == [second, third]

    def test_a_file_that_is_written_anew_comes_again(self, watched: Iterator[str], write: Write) -> None:
        camera = write("latest.jpg")
        assert next(watched) == camera
        write("latest.jpg", b"newer")
        other = write("other.jpg")

        assert [next(watched), next(watched)] == [camera, other]

    def test_a_file_that_was_removed_and_comes_back_comes_again(self, watched: Iterator[str], write: Write) -> None:
        first, second = write("a.png"), write("b.png")
        assert [next(watched), next(watched)] == [first, second]
        os.remove(first)
        third = write("c.png")
        assert next(watched) == third

        assert write("a.png") == next(watched)

    def test_a_file_still_being_written_is_left(
        self, watched: Iterator[str], write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It grows with each look at the folder, until five have been."""
        growing, looks = tmp_path / "growing.png", 0

        def look(seconds: float) -> None:
            nonlocal looks
            looks += 1
            if looks <= 5:
                with growing.open("ab") as file:
                    file.write(b"more")

        monkeypatch.setattr(image_sources.time, "sleep", look)
        growing.write_bytes(b"begun")

        assert next(watched) == str(growing)
        assert looks >= 6
        assert growing.read_bytes() == b"begun" + 5 * b"more"

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_after_the_picture_at_hand(
        self, watched: Iterator[str], write: Write, number: signal.Signals
    ) -> None:
        handler = signal.getsignal(number)
        first = write("a.png")
        write("b.png")
        assert next(watched) == first
        os.kill(os.getpid(), number)

        assert list(watched) == []
        assert signal.getsignal(number) == handler
