from __future__ import annotations

import os
from collections.abc import Callable
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


def _names(*names: str, recursive: bool = False) -> list[str]:
    found = image_sources.open_all(names, recursive=recursive)
    return [picture.name for picture in found if isinstance(picture, image_sources.Picture)]


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


def test_what_is_left_out_is_said_behind_the_pictures_of_its_folder(
    tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    write("one/notes.txt")
    names = [write("one/a.png"), write("b.png")]

    first, notice, last = image_sources.open_all([str(tmp_path / "one"), names[1]], recursive=False)

    assert [first.name, last.name] == names
    assert isinstance(notice, image_sources.Notice)
    assert capsys.readouterr().err == ""
    notice.show(notice.name)
    assert capsys.readouterr().err == f"{tmp_path / 'one'}: left out, no pictures: 1 text\n"


def test_in_a_folder_nothing_is_waited_for(tmp_path: Path, write: Write) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    gone = tmp_path / "gone.png"
    gone.symlink_to("nowhere")

    assert _names(str(tmp_path)) == [str(gone), str(tmp_path / "pipe.png")]
    pictures = image_sources.open_all([str(tmp_path)], recursive=False)
    for picture, message in zip(pictures, ("No such file", "a named pipe and no file"), strict=True):
        assert isinstance(picture, image_sources.Picture)
        with pytest.raises(InputError, match=message):
            picture.to_mnist("auto")


def test_a_folder_without_pictures_is_bad_input(tmp_path: Path, write: Write) -> None:
    write("deep/c.png")
    (picture,) = image_sources.open_all([str(tmp_path)], recursive=False)
    assert isinstance(picture, image_sources.Picture)

    with pytest.raises(InputError, match=rf"{tmp_path}: a folder without pictures \(PNG, .*\); --recursive"):
        picture.to_mnist("auto")


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["a.png"], {"recursive": True}, "--recursive is for folders"),
        (["-", "-"], {}, "once only"),
    ],
)
def test_options_that_do_not_belong_to_what_is_named(names: list[str], options: dict[str, bool], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        image_sources.open_all(names, **{"recursive": False, **options})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"an essay", "not a picture"),
        (b"P5 4 4 255\n" + bytes(3), "cut short"),
        (b"P5 4 4 255\n" + bytes(16), "blank"),
        (b"P5 2 2 255\n" + bytes(4), "at least 3 x 3"),
    ],
    ids=["missing", "text", "cut short", "blank", "tiny"],
)
def test_messages_name_the_file(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "seven.pgm"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(InputError, match=rf"seven\.pgm: .*{message}"):
        image_sources.Picture.of_file(str(file)).to_mnist("auto")
