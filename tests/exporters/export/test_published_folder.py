from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_exporters.export.published_folder import publish


def test_a_folder_replaces_the_one_before(tmp_path: Path) -> None:
    publish({"a.txt": "one", "src/b.txt": "two"}, tmp_path / "net")
    publish({"src/c.txt": "three\n"}, tmp_path / "net")
    assert [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("*"))] == [
        "net",
        "net/src",
        "net/src/c.txt",
    ]
    assert (tmp_path / "net" / "src" / "c.txt").read_bytes() == b"three\n"


def test_what_cannot_be_written_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    publish({"a.txt": "one"}, tmp_path / "net")
    with pytest.raises(OSError, match=r"a\.txt"):
        publish({"a.txt": "two", "a.txt/b": "three"}, tmp_path / "net")
    assert (tmp_path / "net" / "a.txt").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["net"]
