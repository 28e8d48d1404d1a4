"""`mnist-edge-runtime doctor`: check which engines work here, and print how to fix the others."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..command_line import print_error
from ..errors import EngineError
from ..json_output import print_json
from ..text_output import printable

if TYPE_CHECKING:
    from ..diagnostics.doctor import DoctorReport, Finding

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor", parents=parents, help="Check which engines work on this machine, and say how to fix the others."
    )
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="Model file to try. (default: the one in this package)"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> EngineError | None:
    from ..diagnostics.doctor import examine  # no other command waits for its import

    report = examine(None if arguments.model is None else Path(arguments.model))
    if arguments.json:
        print_json(report.to_dict())
    else:
        print("\n".join(map(printable, _lines(report))))
    if report.works:
        return None
    error = EngineError(f"no engine here runs {report.model or 'model files'}")
    print_error(error)
    return error


def _lines(report: DoctorReport) -> Iterator[str]:
    host = report.host
    bits = f"{host.bits}-bit" if host.bits == 64 or host.architecture == host.processor else "32-bit, on a kernel of 64"
    libc = f", glibc {'.'.join(map(str, host.libc))}" if host.libc else ""
    yield f"machine         {host.system} {host.processor}{libc}"
    yield f"Python          {host.python}, {bits}, {host.executable}"
    yield f"numpy           {host.numpy}"
    for found in (*report.engines, report.pictures):
        yield from _finding(found, report.works)


def _finding(found: Finding, is_enough: bool) -> Iterator[str]:
    version = f"{found.distribution} {found.version}" if found.version else found.distribution
    yield f"{found.engine:<16}{version}: {'works' if found.works else found.wrong}"
    if found.note:
        yield f"{'':<16}{found.note}"
    if found.fix:
        yield f"{'':<16}{'to have it too' if is_enough and not found.version else 'fix it with'}: {found.fix}"
