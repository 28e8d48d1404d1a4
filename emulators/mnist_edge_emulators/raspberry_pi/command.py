"""Parse and run the command `emulators/emulated-pi`."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from mnist_edge_runtime.errors import InputError, MnistEdgeError, UsageError, describe

from . import root
from .boards import BOARDS, board

__all__ = ["main", "parser"]

_EPILOG = """\
The command sees the board's own files and, under their own paths, the current folder, in which it starts, and /tmp.
Its home, /home/pi, is an empty temporary folder unless --home names one. The runtime and its engines are installed in
the environment /opt/reader; mnist-edge-runtime is in the PATH.

    emulated-pi pi5 -- mnist-edge-runtime doctor
    emulated-pi zero2 -- mnist-edge-runtime classify photo.png
    emulated-pi legacy32 -- /opt/reader/bin/python3 script.py

The first call makes the board from Debian's packages and wheels, in under two minutes; later calls take it from the
user's cache ($MNIST_EDGE_EMULATORS). Exit codes: the command's own; 2 usage; 3 a file or folder cannot be used, or the
product is not installed in this Python; 69 something that the board needs is not available here (the message names it).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command on an emulated board; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    options = parser().parse_args(given[:end])
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if options.list:
            for each in BOARDS.values():
                print(f"{each.name:9} {each.title}, Python {each.python}: {', '.join(each.engines)}")
            return 0
        if not options.board:
            raise UsageError("name a board; --list lists them")
        chosen, command = board(options.board), given[end + 1 :]
        if end < len(given) and not command:
            raise UsageError("no command follows --")
        if options.home and not options.home.is_dir():
            raise InputError(f"{options.home}: no such folder; make it, or name another with --home")
        device = root.device(chosen, lambda sentence: print(sentence, file=sys.stderr))
        if not command:
            print(device.root)
            return 0
        with tempfile.TemporaryDirectory() as scratch:
            here = Path.cwd()
            home = options.home.resolve() if options.home else Path(scratch)
            binds = [(here, str(here))]
            return _run(device.command(command, home=home, directory=str(here), binds=binds, offline=options.offline))
    except (MnistEdgeError, OSError) as error:
        message, code = describe(error)
        # Not "error:", as the product's own commands say on the board.
        print(f"emulated-pi: {message}", file=sys.stderr)
        return code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def parser() -> argparse.ArgumentParser:
    """Return the parser of what stands before `--`."""
    parser = argparse.ArgumentParser(
        prog="emulated-pi",
        usage="emulated-pi [--offline] [--home DIR] BOARD -- COMMAND...\n       emulated-pi BOARD\n"
        "       emulated-pi --list",
        description="Run a command on an emulated Raspberry Pi, or on a PC without VNNI. Without a command, make the "
        "board and print the path of its root folder.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("board", nargs="?", metavar="BOARD", help=f"One of {', '.join(BOARDS)}.")
    parser.add_argument("--list", action="store_true", help="List the boards.")
    parser.add_argument("--offline", action="store_true", help="Cut off the network.")
    parser.add_argument("--home", type=Path, metavar="DIR", help="Folder that is /home/pi on the board.")
    return parser


def _run(command: Sequence[str]) -> int:
    with subprocess.Popen(command) as process:
        try:
            code = process.wait()
        except BaseException:
            process.send_signal(signal.SIGQUIT)  # at which proot ends all processes that run under it
            process.wait()
            raise
    return 128 - code if code < 0 else code


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
