"""Run the device's command line: `mnist-edge-runtime COMMAND`; each command is a module of `commands`."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__, json_output
from .commands import benchmark, classify, doctor, inspect, read, selftest, watch
from .engines.registry import ENGINES
from .errors import describe
from .output_capture import hide_warnings

__all__ = ["build_parser", "main"]


def main(
    argv: Sequence[str] | None = None,
    *,
    program: str = "mnist-edge-runtime",
    default_model: Callable[[], Path | str] | None = None,
    default: str = "the one in this package",
) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the arguments, `sys.argv[1:]` by default.
        program: the name shown in help.
        default_model: finds the model where none is named; without it, the one in this package is taken.
        default: the name of that model in help.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name that the terminal's encoding cannot express must not keep the others from being read.
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = build_parser(program, f"Exported model file. (default: {default})").parse_args(argv)
    hide_warnings(["--debug"] if arguments.debug else [])
    try:
        if arguments.model in (None, []) and default_model:
            arguments.model = default_model()
        failure = arguments.run(arguments)
        return failure.exit_code if failure else 0
    except BrokenPipeError:  # the reader of the answers closed the pipe, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # a shell's code for SIGPIPE
    except KeyboardInterrupt:
        return 130  # a shell's code for SIGINT; after Ctrl-C there is nothing to explain
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        message, code = describe(error)
        print(f"error: {message}", file=sys.stderr)
        return code


def build_parser(program: str, model: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program, description="Read handwritten digits with a model file that mnist-edge exported."
    )
    parser.add_argument(
        "--version", action="version", version=f"{program} {__version__}", help="Show the version and exit."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    debug = argparse.ArgumentParser(add_help=False)
    debug.add_argument("--debug", action="store_true", help="Show where an error comes from.")
    common = argparse.ArgumentParser(add_help=False, parents=[debug])
    common.add_argument("--json", action="store_true", help=json_output.HELP)
    engine = argparse.ArgumentParser(add_help=False)
    engine.add_argument("--engine", choices=list(ENGINES), help="Engine to run on. (default: the first that works)")
    answers = argparse.ArgumentParser(add_help=False, parents=[engine])
    answers.add_argument("--accept-all", action="store_true", help="Accept every answer, whatever its confidence.")

    classify.add_command(commands, model, debug, answers)
    watch.add_command(commands, model, debug, answers)
    read.add_command(commands, model, common, answers)
    inspect.add_command(commands, model, common)
    selftest.add_command(commands, model, common, engine)
    benchmark.add_command(commands, model, common)
    doctor.add_command(commands, common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
