"""Print the answers of `classify`, `watch` and `read` as text, JSON, JSON lines or CSV.

Each record is flushed as soon as it is known, and none is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..answer_fields import blank_fields, line_text, lines_fields, prediction_fields
from ..errors import MnistEdgeError
from ..json_output import HELP
from ..prediction import Prediction
from ..text_output import cell, percent, printable

if TYPE_CHECKING:
    from ..line_reader import Digit
    from .stdin_images import Id

__all__ = ["WRITERS", "Writer", "add_options"]

_HELP = {
    "json": HELP,
    "jsonl": "Print one JSON document a line, each as soon as it is known.",
    "csv": "Print a table of comma-separated values.",
}


def add_options(parser: argparse.ArgumentParser, *forms: str) -> None:
    """Add the options that choose one of `forms`, such as --csv; `form` is "text" without them."""
    parser.set_defaults(form="text")
    group = parser.add_mutually_exclusive_group()
    for form in forms:
        group.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=_HELP[form])


class Writer:
    """Print each answer on stdout as a line of text; the base of the other formats."""

    def __init__(self, model: str) -> None:
        self._model = model

    def answered(self, name: str, prediction: Prediction, own_id: Id = None) -> None:
        """Print the prediction for the picture `name`; as text the sender's id stands in place of the name."""
        name, label = printable(name if own_id is None else str(own_id)), printable(prediction.label)
        if prediction.accepted:
            _print(f"{name}: {label}  {percent(prediction.confidence)}")
        else:
            _print(f"{name}: unsure  perhaps {label}, {percent(prediction.confidence)}: {prediction.reason}")

    def blank(self, name: str, reason: str, own_id: Id = None) -> None:
        """Print that the picture `name` is blank, and why."""
        _print(f"{printable(name if own_id is None else str(own_id))}: unsure  {reason}")

    def read(self, name: str, lines: list[list[Digit]], reason: str | None = None) -> None:
        """Print the lines of digits on the picture `name`, or why there are none; as text an empty name is left out."""
        before = f"{printable(name)}: " if name else ""
        if reason:
            _print(f"{before}unsure  {reason}")
        for line in lines:
            unsure = [str(place) for place, digit in enumerate(line, start=1) if not digit.prediction.accepted]
            least = min(digit.prediction.confidence for digit in line)
            shown = f"{before}{printable(line_text(line))}  each at least {percent(least)}"
            _print(shown + (f"  unsure of digit {', '.join(unsure)}" if unsure else ""))

    def failed(self, name: str, error: MnistEdgeError, own_id: Id = None) -> None:
        """Print that the picture `name` could not be read; as text nothing, since stderr has the error in any case."""

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


class _JsonLines(Writer):
    def answered(self, name: str, prediction: Prediction, own_id: Id = None) -> None:
        self._write({**_named(name, own_id), **prediction_fields(prediction)})

    def blank(self, name: str, reason: str, own_id: Id = None) -> None:
        self._write({**_named(name, own_id), **blank_fields(reason)})

    def read(self, name: str, lines: list[list[Digit]], reason: str | None = None) -> None:
        self._write({"file": name, **lines_fields(lines, reason)})

    def failed(self, name: str, error: MnistEdgeError, own_id: Id = None) -> None:
        self._write({**_named(name, own_id), "error": str(error)})

    def _write(self, entry: dict[str, Any]) -> None:
        _print(json.dumps(entry, allow_nan=False))


class _Json(_JsonLines):
    """One document, written entry by entry: a list of a million entries would not fit a small device's memory."""

    def __enter__(self) -> Writer:
        self._separator = ""
        _print(f'{{"model": {json.dumps(self._model)}, "predictions": [', end="")
        return self

    def _write(self, entry: dict[str, Any]) -> None:
        _print(self._separator + json.dumps(entry, allow_nan=False), end="")
        self._separator = ", "

    def __exit__(self, *unused: object) -> None:
        _print("]}")


class _Csv(Writer):
    def __enter__(self) -> Writer:
        import csv

        self._table = csv.writer(sys.stdout, lineterminator="\n")
        self._row("file", "label", "confidence", "accepted", "reason", "error", "id")
        return self

    def answered(self, name: str, prediction: Prediction, own_id: Id = None) -> None:
        accepted = "true" if prediction.accepted else "false"
        self._row(name, prediction.label, f"{prediction.confidence:.6f}", accepted, prediction.reason, None, own_id)

    def blank(self, name: str, reason: str, own_id: Id = None) -> None:
        self._row(name, None, f"{0:.6f}", "false", reason, None, own_id)

    def failed(self, name: str, error: MnistEdgeError, own_id: Id = None) -> None:
        self._row(name, None, None, None, None, str(error), own_id)

    def _row(self, *values: Id) -> None:
        self._table.writerow([cell(printable(value)) if isinstance(value, str) else value for value in values])
        sys.stdout.flush()


WRITERS: Mapping[str, Callable[[str], Writer]] = {"text": Writer, "json": _Json, "jsonl": _JsonLines, "csv": _Csv}


def _named(name: str, own_id: Id) -> dict[str, Id]:
    return {"file": name} if own_id is None else {"file": name, "id": own_id}


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()
