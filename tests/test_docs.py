"""Pages and READMEs: their links lead somewhere, and their commands are those of the two command lines."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from mnist_edge.cli import app
from mnist_edge_emulators.microcontroller import command as microcontroller
from mnist_edge_emulators.raspberry_pi import command as raspberry_pi
from mnist_edge_exporters.installer import __main__ as installer
from mnist_edge_runtime.__main__ import build_parser

from .conftest import tracked

ROOT = Path(__file__).resolve().parent.parent
PAGES = tracked("*.md")
INSTALLER = "install.sh"  # which is given to sh
EMULATORS = {"emulated-pi": raspberry_pi.parser, "emulated-chip": microcontroller.parser}
PROGRAMS = {"mnist-edge", "mnist-edge-runtime", INSTALLER, *EMULATORS}
BEFORE = re.compile(r"!|time|sudo|ssh|sh|[\w.-]+@[\w.-]+|[A-Za-z_]\w*=.*", re.DOTALL)  # what stands before a program
TEMPLATES = {"scripts/models.md"}  # its links are those of the page in docs that it becomes
GROUP: Any = typer.main.get_command(app)
FORWARDED = {command.name for command in app.registered_commands if command.name}  # to the device's command line


def _programs(line: str) -> Iterator[list[str]]:
    """Yield each call of one of our programs in a line of shell, also one that another program is given."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    words: list[str] = []
    for word in [*tokens, "&&"]:
        if set(word) <= set("&|;<>()"):
            yield from _call(words)
            words = []
        else:
            if " " in word and any(name in word for name in PROGRAMS):
                yield from _programs(word)
            words.append(word)


def _call(words: list[str]) -> Iterator[list[str]]:
    """Yield the call that a command makes, and the one that it hands to an emulated board, behind --."""
    start = next((at for at, word in enumerate(words) if not BEFORE.fullmatch(word)), len(words))
    program, *arguments = [Path(word).name if at == 0 else word for at, word in enumerate(words[start:])] or [""]
    if program in EMULATORS and "--" in arguments:
        end = arguments.index("--")
        yield [program, *arguments[:end]]
        yield from _call(arguments[end + 1 :])
    elif program in PROGRAMS:
        yield [program, *arguments]


def _parse(words: list[str]) -> None:
    """Let the command line of the program parse a call, without running it.

    Raises:
        ValueError: The command line does not take it.
    """
    program, *arguments = words
    name = arguments[0] if arguments else ""
    try:
        if program in EMULATORS:
            EMULATORS[program]().parse_args(arguments)
        elif program == INSTALLER:
            installer.parser(Path()).parse_args(arguments)
        elif program == "mnist-edge-runtime" or name in FORWARDED:
            build_parser(program, "").parse_args(arguments)
        elif name in GROUP.commands:
            command = GROUP.commands[name]
            command.make_context(name, arguments[1:], parent=GROUP.context_class(GROUP, info_name=program))
        else:
            raise ValueError("no such command")
    except SystemExit as error:
        raise ValueError(f"{shlex.join(words)}: exit code {error.code}") from error
    except Exception as error:
        raise ValueError(f"{shlex.join(words)}: {error}") from error


def _calls(page: str) -> list[list[str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [call for line in lines if any(name in line for name in PROGRAMS) for call in _programs(line)]


@pytest.mark.parametrize("page", PAGES)
def test_the_command_lines_take_every_command_of_a_shell_block(page: str) -> None:
    for call in _calls(page):
        _parse(call)


def test_there_are_commands_to_parse() -> None:
    assert sum(len(_calls(page)) for page in PAGES) > 30


@pytest.mark.parametrize(
    "line",
    [
        "mnist-edge trian",
        "mnist-edge train --epoch 5",
        "mnist-edge train --epochs five",
        "mnist-edge classify --modle FILE photo.png",
        "mnist-edge-runtime watch --region 1,2",
        "ssh pi 'reader/bin/mnist-edge-runtime self-test'",
        "cd runs && mnist-edge export --formats tflite",
        "! mnist-edge export --formats tflite",
        "sudo mnist-edge-runtime serve --prot 80",
        "MNIST_EDGE_DATA=data HOME='a b' mnist-edge trian",
        "ssh pi@raspberrypi.local .local/share/mnist-edge/current/bin/mnist-edge-runtime classfy photo.png",
        "sudo sh mnist-edge/install.sh --prefix /opt/mnist-edge --services serve",
        "emulators/emulated-chip --image seven.npy cortex-m4 exports/nano-c",
        "emulators/emulated-pi --hom home pi4",
        "emulators/emulated-pi --home home pi4 -- sh mnist-edge/install.sh --roll-back",
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    call = [*_programs(line)][-1]
    with pytest.raises(ValueError, match=r"mnist-edge|install\.sh|emulated-"):
        _parse(call)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in TEMPLATES])
def test_every_relative_link_leads_to_a_file(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_every_page_of_docs_stands_in_its_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    listed = [
        line for block in re.findall(r"^```{toctree}\n(.*?)^```", index, re.M | re.S) for line in block.splitlines()
    ]
    docs = [Path(page) for page in PAGES if page.startswith("docs/") and page != "docs/index.md"]
    assert [page.stem for page in docs if not any(entry and Path(page.stem).match(entry) for entry in listed)] == []
