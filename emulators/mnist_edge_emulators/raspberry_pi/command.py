"""The command `scripts/emulated-pi`."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from . import root
from .boards import BOARDS, board
from .errors import BoardError, UsageError

__all__ = ["main"]

_EPILOG = """\
The command sees the board's own files and, under their own paths, the current folder, where it starts, and /tmp. Its
home, /home/pi, is empty, and what it writes there is gone afterwards, unless --home names a folder to keep it. The
runtime and its engines are installed in the environment /opt/reader; mnist-edge-runtime is in the PATH.

    emulated-pi pi5 -- mnist-edge-runtime doctor
    emulated-pi zero2 -- mnist-edge-runtime classify photo.png
    emulated-pi legacy32 -- /opt/reader/bin/python3 script.py

The first call makes the board, in under two minutes, from Debian's packages and wheels; later ones find it in the
user's cache. Exit codes: the command's own; 2 usage; 69 the board cannot be had here (the message says why).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command on an emulated board; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    end = given.index("--") if "--" in given else len(given)
    parser = argparse.ArgumentParser(
        prog="emulated-pi",
        usage="emulated-pi [--offline] [--home DIR] BOARD -- COMMAND...\n       emulated-pi BOARD\n"
        "       emulated-pi --list",
        description="Run a command on a Raspberry Pi that is not there; without one, make the board and say where.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("board", nargs="?", metavar="BOARD", help=", ".join(BOARDS))
    parser.add_argument("--list", action="store_true", help="list the boards")
    parser.add_argument("--offline", action="store_true", help="without any network")
    parser.add_argument("--home", type=Path, metavar="DIR", help="what the board has as /home/pi")
    options = parser.parse_args(given[:end])
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if options.list:
            for each in BOARDS.values():
                print(f"{each.name:9} {each.title}, Python {each.python}: {', '.join(each.engines)}")
            return 0
        if not options.board:
            raise UsageError("name a board; --list lists them")
        device = root.device(board(options.board), lambda sentence: print(sentence, file=sys.stderr))
        if end == len(given):
            print(device.root)
            return 0
        if not given[end + 1 :]:
            raise UsageError("-- is followed by no command")
        with tempfile.TemporaryDirectory() as scratch:
            here = Path.cwd()
            home = options.home.resolve() if options.home else Path(scratch)
            command = device.command(
                given[end + 1 :], home=home, directory=str(here), binds=[(here, str(here))], offline=options.offline
            )
            return _run(command)
    except BoardError as error:
        print(f"emulated-pi: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"emulated-pi: {error.filename or 'the cache'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(command: Sequence[str]) -> int:
    with subprocess.Popen(command) as process:
        try:
            code = process.wait()
        except BaseException:
            process.send_signal(signal.SIGQUIT)  # the one at which proot takes all that runs under it along
            process.wait()
            raise
    return 128 - code if code < 0 else code


def _terminated(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
