"""Pages and READMEs: their links lead somewhere, and their commands are those of the two command lines."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from mnist_edge.cli import app
from mnist_edge_runtime.__main__ import build_parser

ROOT = Path(__file__).resolve().parent.parent
LISTED = subprocess.run(
    ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=ROOT,
    capture_output=True,
    check=True,
    text=True,
).stdout
PAGES = sorted(name for name in LISTED.split("\0") if name)
PROGRAMS = ("mnist-edge", "mnist-edge-runtime")
TEMPLATES = {"scripts/models.md"}  # its links are those of the page in docs that it becomes
GROUP: Any = typer.main.get_command(app)
FORWARDED = {command.name for command in app.registered_commands if command.name}  # to the device's command line


def _programs(line: str) -> Iterator[list[str]]:
    """Yield each call of one of our programs in a line of shell, also one that ssh is given."""
    tokens = shlex.shlex(line, posix=True, punctuation_chars=True)
    tokens.whitespace_split = True
    words: list[str] = []
    for word in [*tokens, "&&"]:
        if set(word) <= set("&|;<>()"):
            if words and Path(words[0]).name in PROGRAMS:
                yield [Path(words[0]).name, *words[1:]]
            words = []
        else:
            if " " in word and "mnist-edge" in word:
                yield from _programs(word)
            words.append(word)


def _parse(words: list[str]) -> None:
    """Let the command line of the program parse a call, without running it.

    Raises:
        ValueError: The command line does not take it.
    """
    program, *arguments = words
    name = arguments[0] if arguments else ""
    try:
        if program == PROGRAMS[1] or name in FORWARDED:
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
    return [call for line in lines if "mnist-edge" in line for call in _programs(line)]


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
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    (call,) = _programs(line)
    with pytest.raises(ValueError, match="mnist-edge"):
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
