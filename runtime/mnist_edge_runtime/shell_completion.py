"""Write the script that completes the device's command line in a shell: commands, options, choices, else files."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["SHELLS", "PrintCompletion", "script"]

SHELLS = ("bash", "zsh")
_ZSH = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n"  # which runs those of bash
_SCRIPT = """\
_{function}() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" command="" words="" each
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$each" in {commands}) command="$each"; break ;; esac
    done
    case "$command $previous" in
{choices}
    *)
        case "$command" in
{options}
        esac
        [[ -z "$command" || "$word" == -* ]] || words=""
        ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _{function} {program}
"""


class PrintCompletion(argparse.Action):
    """Print the script of a shell, and end the process."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        print(script(parser, values), end="")
        parser.exit()


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for a shell, one of `SHELLS`."""
    (commands,) = (each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    options = [f'        {name}) words="{" ".join(_options(each))}" ;;' for name, each in commands.items()]
    options.append(f'        *) words="{" ".join([*commands, *_options(parser)])}" ;;')
    choices = [f"    {line}" for name, each in commands.items() for line in _choices(name, each._actions)]
    filled = _SCRIPT.format(
        function=parser.prog.replace("-", "_"),
        program=parser.prog,
        commands="|".join(commands),
        options="\n".join(options),
        choices="\n".join([*choices, *(f"    {line}" for line in _choices("", parser._actions))]),
    )
    return (_ZSH if shell == "zsh" else "") + filled


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from action.option_strings


def _choices(command: str, actions: Sequence[argparse.Action]) -> Iterator[str]:
    """Yield what may stand behind each option that takes one of a few words."""
    for action in actions:
        for option in action.option_strings if action.choices else ():
            yield f'"{command} {option}") words="{" ".join(map(str, action.choices or ()))}" ;;'
