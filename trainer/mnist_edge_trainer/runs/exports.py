"""Find the newest int8 export, wherever it was published.

The exports of runs are in runs/NAME/exports. Those of a model of one's own are beside it, so that the path of the last
one stands in runs/latest-export.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file.formats.registry import FORMATS

from .run import LATEST_EXPORT, load

__all__ = ["int8_options", "newest_int8", "remember"]


def int8_options() -> argparse.ArgumentParser:
    """Return the options that choose among the int8 exports, with the arguments of `newest_int8` as values."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--run", dest="of_run", metavar="NAME", help="Run whose newest int8 export is taken.")
    options.add_argument("--runs-dir", type=Path, default=Path("runs"), metavar="FOLDER", help="Folder of all runs.")
    return options


def newest_int8(runs_dir: Path, of_run: str | None = None, *, or_none: bool = False) -> Path | None:
    """Return the int8 export that was published last: of a run, or of all runs and models of one's own.

    With `or_none`, return None where there is none of any run.

    Raises:
        InputError: there is none, or no such run.
    """
    folder = load(runs_dir, of_run).folder.name if of_run else "[!.]*"
    exports = [path for end in FORMATS for path in runs_dir.glob(f"{folder}/exports/[!.]*-int8.{end}")]
    pointer = runs_dir / LATEST_EXPORT
    if not of_run and pointer.is_file():
        exports += [path for path in [Path(pointer.read_text(encoding="utf-8").strip())] if path.is_file()]
    if not exports and or_none and not of_run:
        return None
    if not exports:
        command = f"mnist-edge export --run {of_run}" if of_run else "mnist-edge export"
        where = runs_dir / (of_run or "")
        raise InputError(f"{where}: no int8 export yet; make one with {command}, or take --network base")
    return max(exports, key=lambda path: path.stat().st_mtime_ns)


def remember(runs_dir: Path, file: Path) -> None:
    """Remember the int8 export of a model of one's own for `newest_int8`."""
    runs_dir.mkdir(parents=True, exist_ok=True)
    with atomic_path(runs_dir / LATEST_EXPORT) as temporary:
        temporary.write_text(f"{file.resolve()}\n", encoding="utf-8")
