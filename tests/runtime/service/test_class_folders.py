"""The names of class folders: labels of the model, and classes of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service.class_folders import class_folder, move, next_command, there

LABELS = (*"0123456789", "A")


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", "", ".x", "x.", "unsure", "Discarded", "a\nb", "a" * 41, "CON\0", " 7", "a\u202eb"]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(InputError, match="is no name for a class; take one of 0, 1, 2"):
        class_folder(name, LABELS)


@pytest.mark.parametrize("label", ["..", "a/b", "unsure", ".hidden", "a\\b"])
def test_a_label_of_the_model_that_is_no_name_of_a_folder(label: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        class_folder(label, (label, "x"))


@pytest.mark.parametrize("name", ["seven", "07", "\u0667", "\uff17", "Seven", "t-ick", "TI CK"])
def test_a_name_beside_which_a_training_refuses_another(name: str) -> None:
    with pytest.raises(InputError, match=r"is nearly the same name as the class '(7|Tick)'; take that one, or another"):
        class_folder(name, LABELS, ["Tick"])


@pytest.mark.parametrize(("label", "folder"), [("7", "seven"), ("7", "07"), ("Cat", "cat")])
def test_a_label_beside_a_folder_of_nearly_its_name(label: str, folder: str) -> None:
    with pytest.raises(
        InputError, match=f"the folder '{folder}' has nearly the name of the class '{label}'; rename it"
    ):
        class_folder(label, (label, "x"), [folder, label])


def test_a_folder_of_the_same_text_in_another_encoding() -> None:
    assert class_folder("H\u00e4kchen", LABELS, ["Ha\u0308kchen"]) == "Ha\u0308kchen"


def test_a_picture_is_moved_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "a.png").symlink_to(tmp_path / "nowhere")
    (tmp_path / "7" / "a-1.png").write_text("other")
    (tmp_path / "a.png").write_text("a")
    assert move(tmp_path / "a.png", tmp_path / "7") == tmp_path / "7" / "a-2.png"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["7", "a-1.png", "a-2.png", "a.png"]
    assert (tmp_path / "7" / "a-2.png").read_text() == "a"
    assert (tmp_path / "7" / "a.png").is_symlink()


def test_a_class_of_ones_own(tmp_path: Path) -> None:
    """Capital letters make no second one, but of letters that are classes themselves."""
    found = []
    for name in ("Tick", "tick", "zwei H\u00e4kchen", "zwei Ha\u0308kchen", "A", "a", "plus_minus", "7"):
        found.append(class_folder(name, LABELS, there(tmp_path)))
        (tmp_path / found[-1]).mkdir(exist_ok=True)
    assert found == ["Tick", "Tick", "zwei H\u00e4kchen", "zwei H\u00e4kchen", "A", "a", "plus_minus", "7"]
    for name in ("unsure", "discarded", ".hidden"):
        (tmp_path / name).mkdir()
    assert there(tmp_path) == sorted({*found})
    assert next_command(Path("my own")) == "mnist-edge train --from small --also 'my own'"
