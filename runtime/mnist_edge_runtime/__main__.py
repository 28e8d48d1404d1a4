"""Run the device's command line: `mnist-edge-runtime COMMAND`; each command is a module of `commands`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from . import __version__, command_line, json_output, shell_completion
from .commands import benchmark, classify, doctor, inspect, read, selftest, watch
from .engines.registry import ENGINES
from .errors import UsageError
from .output_capture import hide_warnings

__all__ = ["build_parser", "main"]


def main(
    argv: Sequence[str] | None = None,
    *,
    program: str = "mnist-edge-runtime",
    default_model: Callable[..., Path | str] | None = None,
    options: argparse.ArgumentParser | None = None,
    default: str = "the one in this package",
) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the arguments, `sys.argv[1:]` by default.
        program: the name shown in help.
        default_model: finds the model where none is named; without it, the one in this package is taken.
        options: further options of each command that takes a model; `default_model` gets their values by their names.
        default: the name of that model in help.
    """
    command_line.open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name that the terminal's encoding cannot express must not keep the others from being read.
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = build_parser(program, f"Exported model file. (default: {default})", options).parse_args(argv)
    hide_warnings(["--debug"] if arguments.debug else [])

    def command() -> int:
        chosen = {action.dest: getattr(arguments, action.dest) for action in options._actions} if options else {}
        if arguments.model in (None, []):
            if default_model:
                arguments.model = default_model(**chosen)
                command_line.tell(f"model: {arguments.model}, {default}")
        elif options and any(chosen[each.dest] != each.default for each in options._actions):
            given = next(each for each in options._actions if chosen[each.dest] != each.default)
            raise UsageError(f"{given.option_strings[0]} and a model exclude each other; name one of them")
        failure = arguments.run(arguments)
        return failure.exit_code if failure else 0

    return command_line.run(command, f"{program} {arguments.command}", debug=arguments.debug)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are worded as all others."""

    def error(self, message: str) -> NoReturn:
        command_line.print_error(f"{message} (see {self.prog} --help)")
        sys.exit(UsageError.exit_code)


def build_parser(program: str, model: str, options: argparse.ArgumentParser | None = None) -> argparse.ArgumentParser:
    """Return the parser; `model` is the help of a model, and `options` are more options of the commands with one."""
    parser: argparse.ArgumentParser = _Parser(
        prog=program, description="Read handwritten digits with a model file that mnist-edge exported."
    )
    parser.add_argument(
        "--version", action="version", version=f"{program} {__version__}", help="Show the version and exit."
    )
    parser.add_argument("--debug", action="store_true", help="Show where an error comes from.")
    parser.add_argument(
        "--print-completion",
        choices=shell_completion.SHELLS,
        action=shell_completion.PrintCompletion,
        help="Print the script that completes commands and options in a shell, and exit.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    debug = argparse.ArgumentParser(add_help=False)  # its default would undo a --debug before the command
    debug.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="Show where an error comes from."
    )
    common = argparse.ArgumentParser(add_help=False, parents=[debug])
    common.add_argument("--json", action="store_true", help=json_output.HELP)
    engine = argparse.ArgumentParser(add_help=False)
    engine.add_argument("--engine", choices=list(ENGINES), help="Engine to run on. (default: the first that works)")
    answers = argparse.ArgumentParser(add_help=False, parents=[engine])
    answers.add_argument("--accept-all", action="store_true", help="Accept every answer, whatever its confidence.")

    with_model = [] if options is None else [options]
    classify.add_command(commands, model, debug, answers, *with_model)
    watch.add_command(commands, model, debug, answers, *with_model)
    read.add_command(commands, model, debug, answers, *with_model)
    inspect.add_command(commands, model, common, *with_model)
    selftest.add_command(commands, model, common, engine, *with_model)
    benchmark.add_command(commands, model, common, *with_model)
    doctor.add_command(commands, common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
