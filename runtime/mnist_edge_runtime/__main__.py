"""Run the device's command line: `mnist-edge-runtime COMMAND`; each command is a module of `commands`."""

from __future__ import annotations

import argparse
import io
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

from . import __version__, command_line, json_output, shell_completion
from .engines.registry import ENGINES
from .errors import UsageError
from .models import NETWORKS
from .output_capture import hide_warnings

__all__ = ["build_parser", "main"]

# The commands in the order of the help, and which options each shares with others.
_COMMANDS = {
    "classify": "answers",
    "watch": "answers",
    "read": "answers",
    "serve": "answers",
    "label": "model",
    "inspect": "common",
    "selftest": "engine",
    "benchmark": "common",
    "doctor": "common",
}


def main(
    argv: Sequence[str] | None = None,
    *,
    program: str = "mnist-edge-runtime",
    default_model: Callable[..., Path | str | None] | None = None,
    options: argparse.ArgumentParser | None = None,
    default: str = "the one in this package",
) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the arguments, `sys.argv[1:]` by default.
        program: the name shown in help.
        default_model: finds the model where none is named; without it, or where it finds none, the one in this package
            is taken.
        options: further options of each command that takes a model; `default_model` gets their values by their names.
        default: the name of that model in help.
    """
    command_line.open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name that the terminal's encoding cannot express must not keep the others from being read.
        sys.stdout.reconfigure(errors="backslashreplace")
    argv = sys.argv[1:] if argv is None else argv
    model = f"Exported model file. (default: {default})"
    arguments = build_parser(program, model, options, _named_command(argv)).parse_args(argv)
    hide_warnings(["--debug"] if arguments.debug else [])

    def command() -> int:
        chosen = {action.dest: getattr(arguments, action.dest) for action in options._actions} if options else {}
        if not _is_named(arguments, options) and default_model:
            arguments.model = default_model(**chosen)
            if arguments.model is not None:
                command_line.tell(f"model: {arguments.model}, {default}")
        failure = arguments.run(arguments)
        return failure.exit_code if failure else 0

    return command_line.run(command, f"{program} {arguments.command}", debug=arguments.debug)


def _is_named(arguments: argparse.Namespace, options: argparse.ArgumentParser | None) -> bool:
    """Return whether the command line names a model file or a network; raise UsageError if it names two models."""
    network, model = getattr(arguments, "network", None), arguments.model not in (None, [])
    actions = options._actions if options else []
    named = [each.option_strings[0] for each in actions if getattr(arguments, each.dest) != each.default]
    named += ["--network"] if network else []
    named += ["a model"] if model else []
    if (network or model) and len(named) > 1:
        raise UsageError(f"{named[0]} and {named[-1]} exclude each other; name one of them")
    return bool(network or model)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are worded as all others, and propose what is nearly the unknown word."""

    _given: Sequence[str] = ()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # What begins like a negative number is a value, such as -5,0,10,10, of which its option says what is wrong.
        self._negative_number_matcher = re.compile(r"-\.?\d")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        self._given = sys.argv[1:] if args is None else args
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        import difflib

        if unknown := re.search(r"unrecognized arguments: .*?(--[^ ]+)|invalid choice: '(.*?)'", message):
            choices = re.findall(r"'(.*?)'", message.partition("choose from")[2])
            near = difflib.get_close_matches(unknown[1] or unknown[2], choices or _every_option(self), 1)
            message += f". Did you mean {near[0]}?" if near else ""
        elif lacking := re.match(r"argument (?:\S+/)?(--[\w-]+): expected one argument", message):
            value = next((after for option, after in pairwise(self._given) if option == lacking[1]), "")
            is_value = value.startswith("-") and value not in self._option_string_actions
            message += f"; write {lacking[1]}={value} for a value that begins with -" if is_value else ""
        command_line.print_error(f"{message} (see {self.prog} --help)")
        sys.exit(UsageError.exit_code)


def _every_option(parser: argparse.ArgumentParser) -> list[str]:
    """Return the options of a parser and of all its commands."""
    commands = [each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    parsers = [parser, *(command for choices in commands for command in choices.values())]
    return [option for each in parsers for action in each._actions for option in action.option_strings]


def _named_command(argv: Sequence[str]) -> str | None:
    """Return the command that the arguments begin with; None where only a parser of all of them tells."""
    first = next((argument for argument in argv if argument != "--debug"), None)
    return first if first in _COMMANDS else None


def build_parser(
    program: str, model: str, options: argparse.ArgumentParser | None = None, only: str | None = None
) -> argparse.ArgumentParser:
    """Return the parser.

    Args:
        program: the name shown in help.
        model: the help of a model.
        options: more options of the commands with one.
        only: the one command that is parsed, which need not wait for the import of the others.
    """
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
    engine.add_argument(
        "--allowed-signers",
        metavar="FILE",
        help="Signers of whom one must have signed the model. (default: ~/.config/mnist-edge/allowed_signers, if any)",
    )
    answers = argparse.ArgumentParser(add_help=False, parents=[engine])
    answers.add_argument("--accept-all", action="store_true", help="Accept every answer, whatever its confidence.")

    network = argparse.ArgumentParser(add_help=False)
    network.add_argument("--network", choices=NETWORKS, help="Network of this package, in place of a model file.")
    with_model = [network] if options is None else [network, options]
    parents = {"answers": (debug, answers), "common": (common,), "engine": (common, engine), "model": (debug, engine)}
    for name, kind in _COMMANDS.items():
        if only in (None, name):
            add_command = import_module(f".commands.{name}", __package__).add_command
            if name == "doctor":
                add_command(commands, common)
            else:
                add_command(commands, model, *parents[kind], *with_model)
    return parser


if __name__ == "__main__":
    sys.exit(main())
