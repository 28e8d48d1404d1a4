"""Describe what finds models and data for the commands: the trainer's runs are not known here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .source import Source

__all__ = ["SourceFinder"]


class SourceFinder(Protocol):
    """Finds a model and its data for a command; the joining command line sets it as the `obj` of typer's context."""

    def find(
        self, runs_dir: Path, run: str | None, model: Path | None, data: str | None, golden: str | None = None
    ) -> tuple[Source, Path]:
        """Return the source and the folder for its exports.

        Args:
            runs_dir: the folder of all runs.
            run: the name of a run; the latest if neither it nor `model` is given.
            model: a .keras file instead of a run.
            data: the data set; by default the run's.
            golden: the data set whose test images the exported files carry; by default the source's.
        """

    def find_for(
        self, file: Path, runs_dir: Path, run: str | None, model: Path | None, data: str | None
    ) -> tuple[Source, Path]:
        """Return the source for an exported file; without `run` and `model`, that of the run whose folder it is in."""

    def remember(self, runs_dir: Path, file: Path) -> None:
        """Remember an int8 file of a model of one's own as the one that commands take where none is named."""

    def record(self, runs_dir: Path, run: str | None) -> tuple[Path, Mapping[str, Any]]:
        """Return the folder of a run, by default the latest, and its record."""
