"""Sorting pictures: nothing is done to them but to move them."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service.labelling import Labelling, locked

LABELS = tuple("0123456789")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own" / "unsure").mkdir(parents=True)
    for name in ("b", "a", "c"):
        (tmp_path / "own" / "unsure" / f"{name}.png").write_text(name)
    (tmp_path / "own" / "unsure" / ".hidden").touch()
    return tmp_path / "own"


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.png"))}


def contents_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.exists()}


def test_pictures_are_moved_and_back(folder: Path) -> None:
    labelling, before = Labelling(folder, LABELS), contents(folder)
    labelling.move(0, "7")
    labelling.move(2, "discarded")
    labelling.move(1, "tick")
    assert contents(folder) == {"7/a.png": "a", "discarded/c.png": "c", "tick/b.png": "b"}
    assert labelling.state() == {
        "folder": str(folder),
        "labels": [*LABELS],
        "classes": ["tick"],
        "lacking": {"tick": 4},
        "pictures": 3,
        "sorted": 3,
        "left": [],
        "last": {"number": 1, "class": "tick"},
        "next": f"mnist-edge train --from small --also {folder}",
    }
    assert [labelling.undo() for _ in range(3)] == [1, 2, 0]
    assert contents(folder) == before
    assert [path.name for path in folder.iterdir()] == ["unsure"]  # an empty class could not be trained
    with pytest.raises(InputError, match="there is nothing to undo"):
        labelling.undo()


def test_a_class_with_enough_pictures_lacks_none(folder: Path) -> None:
    for name in ("tick", "cross", "7"):
        (folder / name).mkdir()
    for number in range(5):
        (folder / "tick" / f"{number}.png").touch()
    (folder / "cross" / ".hidden.png").touch()
    assert Labelling(folder, LABELS).state()["lacking"] == {"cross": 5}


def test_nothing_is_written_over(folder: Path) -> None:
    (folder / "7").mkdir()
    (folder / "7" / "a.png").write_text("other")
    labelling = Labelling(folder, LABELS)
    labelling.move(0, "7")
    assert contents(folder) == {"7/a-1.png": "a", "7/a.png": "other", "unsure/b.png": "b", "unsure/c.png": "c"}
    (folder / "unsure" / "a.png").write_text("came again")
    with pytest.raises(InputError, match=r"unsure/a\.png: is there again; .*7/a-1\.png stays where it is"):
        labelling.undo()
    assert contents(folder)["7/a-1.png"] == "a"


def test_what_comes_as_a_picture_is_moved_is_not_written_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a link that leads nowhere."""
    (folder / "7").mkdir()
    (folder / "7" / "b.png").symlink_to("nowhere.png")
    labelling, link = Labelling(folder, LABELS), os.link

    def come(*arguments: Any, **options: Any) -> None:
        with suppress(FileExistsError), open(folder / "7" / "a.png", "x") as file:
            file.write("came")
        link(*arguments, **options)

    monkeypatch.setattr(os, "link", come)
    labelling.move(0, "7")
    labelling.move(1, "7")
    assert (folder / "7" / "b.png").is_symlink()
    assert contents_of(folder / "7") == {"a.png": "came", "a-1.png": "a", "b-1.png": "b"}
    labelling.undo()
    (folder / "unsure" / "a.png").symlink_to("nowhere.png")
    with pytest.raises(InputError, match=r"unsure/a\.png: is there again; .*7/a-1\.png stays where it is"):
        labelling.undo()


@pytest.mark.parametrize("name", ["../x", "unsure", "", "a/b"])
def test_names_of_no_class_are_refused(folder: Path, name: str) -> None:
    before = contents(folder)
    with pytest.raises(InputError, match="is no name for a class"):
        Labelling(folder, LABELS).move(0, name)
    assert contents(folder) == before


def test_a_folder_that_changes(folder: Path) -> None:
    labelling = Labelling(folder, LABELS)
    (folder / "unsure" / "a.png").unlink()
    (folder / "unsure" / "0.png").write_text("new")
    assert labelling.state()["left"] == [1, 2, 3]  # the new one is the last
    with pytest.raises(InputError, match=r"a\.png: is no longer there"):
        labelling.move(0, "7")
    labelling.move(1, "7")
    (folder / "7" / "b.png").unlink()
    with pytest.raises(InputError, match=r"7/b\.png: is no longer there"):
        labelling.undo()
    for number in (1, 9, -1):
        with pytest.raises(InputError, match=r"no such picture|no longer"):
            labelling.path(number)


def test_a_folder_with_nothing_to_sort(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: there is no such folder; label sorts the pictures in DIR/unsure"):
        Labelling(tmp_path / "nowhere", LABELS)
    with pytest.raises(InputError, match=r"own/unsure/a\.png: is no folder"):
        Labelling(folder / "unsure" / "a.png", LABELS)
    with pytest.raises(InputError, match=r"unsure/unsure: there is no such folder"):
        Labelling(folder / "unsure", LABELS)
    (tmp_path / "empty" / "unsure").mkdir(parents=True)
    with pytest.raises(InputError, match=r"empty/unsure: has no pictures; there is nothing to label"):
        Labelling(tmp_path / "empty", LABELS)


def test_one_process_sorts_a_folder(folder: Path) -> None:
    command = [sys.executable, "-m", "mnist_edge_runtime", "label", str(folder), "--no-open"]
    with locked(folder):
        result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 3
    assert "own: another mnist-edge label sorts it; go on there, or end it first" in result.stderr
    with locked(folder):  # no file is left
        assert sorted(path.name for path in folder.iterdir()) == ["unsure"]
