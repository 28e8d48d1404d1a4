from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from mnist_edge_runtime.files import atomic_path, rename_new, temporary_path


def _fail_half_way(target: Path) -> None:
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("the disk is full")


def _write_folder(target: Path, text: str) -> None:
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "model").write_text(text)


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    target.write_text("old")
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert (target.read_text(), temporary.parent, temporary.suffix) == ("old", tmp_path, ".json")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="full"):
        _fail_half_way(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_two_writers_use_two_names(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    with atomic_path(target) as first, atomic_path(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"  # the block that ended last


def test_a_folder_is_moved_whole_and_replaces_none_that_holds_anything(tmp_path: Path) -> None:
    target = tmp_path / "run"
    _write_folder(target, "new")
    assert (target / "model").read_text() == "new"

    (target / "model").write_text("old")
    with pytest.raises(OSError, match=r"not empty|exists"):
        _write_folder(target, "new")
    assert (target / "model").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "nothing"):
        pass


def test_a_temporary_path_is_removed_unless_it_was_renamed(tmp_path: Path) -> None:
    with temporary_path(tmp_path / "run") as left, temporary_path(tmp_path / "run") as renamed:
        for folder in (left, renamed):
            folder.mkdir()
            (folder / "model").write_text("new")
        renamed.rename(tmp_path / "run-2")
    assert [path.name for path in tmp_path.iterdir()] == ["run-2"]
    assert (tmp_path / "run-2" / "model").read_text() == "new"


@pytest.mark.parametrize(("number", "named"), [(errno.ENOSPC, ""), (errno.EFBIG, "figures.json"), (errno.EIO, None)])
def test_a_write_on_a_full_disk_says_where(tmp_path: Path, number: int, named: str | None) -> None:
    with pytest.raises(OSError, match=r"\[Errno") as caught, atomic_path(tmp_path / "figures.json"):
        raise OSError(number, os.strerror(number))
    assert caught.value.filename == (str(tmp_path / named) if named is not None else None)


@pytest.mark.parametrize("has_links", [True, False], ids=["with second names", "without"])
def test_a_new_name_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    (tmp_path / "c").symlink_to("nowhere")
    for name in ("b", "c"):
        with pytest.raises(FileExistsError):
            rename_new(tmp_path / "a", tmp_path / name)
    assert [(tmp_path / name).read_text() for name in "ab"] == ["a", "b"]
    rename_new(tmp_path / "a", tmp_path / "d")
    rename_new(tmp_path / "c", tmp_path / "e")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "d", "e"]
    assert ((tmp_path / "d").read_text(), os.readlink(tmp_path / "e")) == ("a", "nowhere")
    with pytest.raises(FileNotFoundError):
        rename_new(tmp_path / "a", tmp_path / "f")


def test_a_file_that_cannot_leave_its_folder_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("a")
    unlink = Path.unlink

    def refuse(path: Path) -> None:
        if path.name == "a":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        unlink(path)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(PermissionError):
        rename_new(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
