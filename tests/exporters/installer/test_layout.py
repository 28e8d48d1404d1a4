"""A folder that no bundle has made is left alone; links are read and switched."""

from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_exporters.installer import layout

from .conftest import sh, tree


@pytest.mark.parametrize("name", ["versions/1.0/app.py", "install.sh", "versions", "current/app.py", "photos/cat.png"])
def test_a_folder_of_somebody_elses_is_left_alone(name: str, unpacked: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    (place / name).parent.mkdir(parents=True)
    (place / name).write_text("mine")
    before = tree(place)
    refused = sh(unpacked, "--prefix", place, code=3).stderr
    assert "which no bundle has made; name an empty or a new folder with --prefix" in refused
    assert tree(place) == before


@pytest.mark.parametrize("names", [[], [".lock"], [".lock", ".new/version"], ["versions"]])
def test_a_folder_that_a_killed_installation_left_is_taken(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).mkdir(parents=True)
    layout.check(tmp_path)
    layout.check(tmp_path / "none")


def test_links_are_switched(tmp_path: Path) -> None:
    assert layout.linked(tmp_path, "current") is None
    for identity in ("0123456789ab", "ba9876543210"):
        layout.link(tmp_path, "current", identity)
        assert layout.linked(tmp_path, "current") == identity
    assert [path.name for path in tmp_path.iterdir()] == ["current"]
