"""Write docs/cli.md: every command, argument and option of both command lines, as they define them."""

from __future__ import annotations

import argparse
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_edge.cli import app
from mnist_edge_runtime.__main__ import build_parser
from mnist_edge_runtime.files import atomic_path

__all__ = ["PAGE", "Command", "device", "page", "workstation"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
HEAD = """\
# Command line

Written by `python scripts/cli_page.py` from the definitions of both command lines. `mnist-edge` is the workstation's,
`mnist-edge-runtime` the device's. Each command has `--help`.

Exit codes: 0 done; 2 usage; 3 bad input (an image, a data set, a run, no space, no permission); 4 bad or unfit model
file; 5 parity, self-test or a constraint not met, or a host where a deployment failed; 1 a fault of the program.
Results go to stdout, progress and errors to stderr.
"""
COMPLETION = (  # typer's own
    ("--install-completion", "Install completion for the current shell."),
    ("--show-completion", "Show completion for the current shell, to copy it or customize the installation."),
)
FORWARDED = """
## `mnist-edge {names}`

Commands of the device, with the options below. Where no model is named, they take the newest int8 export, of a run in
`runs/` or of a model of one's own (its path stands in `runs/latest-export`), and say so on stderr; `--run NAME` takes
that of a run, in the folder of `--runs-dir`. `doctor` takes the bundled model.
"""


@dataclass(frozen=True)
class Command:
    """A command: its name, what it does, and how each argument or option is written, with its help."""

    name: str
    summary: str
    parameters: Sequence[tuple[str, str]]


def workstation() -> Iterator[Command]:
    """Yield the commands of `mnist-edge`, but for those that it forwards to the device's command line."""
    assert app.registered_callback
    parameters = [*_parameters(app.registered_callback.callback), *COMPLETION]
    yield Command("mnist-edge", app.info.help or "", parameters)
    for command in app.registered_commands:
        assert command.callback
        if command.name is None:
            summary = inspect.getdoc(command.callback) or ""
            yield Command(f"mnist-edge {command.callback.__name__}", summary, _parameters(command.callback))


def device() -> Iterator[Command]:
    """Yield the commands of `mnist-edge-runtime`."""
    parser = build_parser("mnist-edge-runtime", "Exported model file. (default: the one in this package)")
    yield Command(parser.prog, parser.description or "", _actions(parser))
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    summaries = {each.dest: each.help or "" for each in commands._choices_actions}
    for name, command in commands.choices.items():
        yield Command(f"{parser.prog} {name}", summaries[name], _actions(command))


def page() -> str:
    """Return the page."""
    forwarded = "|".join(command.name for command in app.registered_commands if command.name)
    parts = [HEAD, *map(_section, workstation()), FORWARDED.format(names=forwarded), *map(_section, device())]
    return "".join(parts)


def _section(command: Command) -> str:
    rows = "".join(f"| `{_cell(written)}` | {_cell(text)} |\n" for written, text in command.parameters)
    table = f"\n| | |\n|---|---|\n{rows}" if rows else ""
    return f"\n## `{command.name}`\n\n{' '.join(command.summary.split())}\n{table}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _parameters(command: Callable[..., Any] | None) -> list[tuple[str, str]]:
    """Return how each parameter of a command of typer's is written, and its help with the default."""
    assert command
    found = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if typing.get_origin(parameter.annotation) is not typing.Annotated:
            continue  # typer's context
        kind, described = typing.get_args(parameter.annotation)
        if isinstance(kind, types.UnionType):
            kind = next(each for each in typing.get_args(kind) if each is not types.NoneType)
        repeated = typing.get_origin(kind) is list
        value = (typing.get_args(kind)[0] if repeated else kind).__name__.upper()
        is_argument = type(described).__name__ == "ArgumentInfo"
        # Inside of Annotated, typer keeps the first declaration where the default stands elsewhere.
        declared = (described.default, *(described.param_decls or ()))
        names = [name for name in declared if isinstance(name, str) and name.startswith("-")]
        written = ", ".join(names) or f"--{parameter.name.replace('_', '-')}"
        if is_argument:
            written = parameter.name.upper() + (" ..." if repeated else "")
        elif kind is not bool:
            written += f" {value}"
        elif not names:
            written += f", --no-{parameter.name.replace('_', '-')}"
        text = described.help or ""
        if kind is not bool and parameter.default not in (None, inspect.Parameter.empty):
            text += f" (default: {parameter.default})"
        found.append((written, text))
    return found


def _actions(parser: argparse.ArgumentParser) -> list[tuple[str, str]]:
    """Return how each argument or option of argparse's is written, and its help; but for --help, which all have."""
    found = []
    for action in parser._actions:
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
            continue
        value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
        written = ", ".join(action.option_strings) + ("" if action.nargs == 0 else f" {value}")
        written += " ..." if action.nargs == "+" else ""
        found.append((written.strip(), (action.help or "") % {"default": action.default}))
    return found


if __name__ == "__main__":
    with atomic_path(PAGE) as temporary:
        temporary.write_text(page(), encoding="utf-8")
