"""Publish a folder of generated files by renames: the files of an earlier export are replaced together."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from mnist_edge_runtime.files import temporary_path

__all__ = ["publish"]


def publish(files: Mapping[str, str], target: Path) -> None:
    """Write files, text by their paths in the folder, into the folder `target`; what it was before is removed."""
    with temporary_path(target) as new, temporary_path(target) as old:
        shutil.rmtree(new, ignore_errors=True)
        for path, text in files.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        if target.exists():
            target.rename(old)
        new.rename(target)
