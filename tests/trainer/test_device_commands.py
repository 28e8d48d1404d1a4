"""The commands with their models and pictures are tested in tests/test_cli.py."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from mnist_edge_runtime.__main__ import build_parser
from mnist_edge_trainer import device_commands

MnistEdge = Callable[..., CompletedProcess[str]]


def test_every_command_of_the_device_is_forwarded() -> None:
    parser = build_parser("mnist-edge-runtime", "")
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    assert set(device_commands.HELP) == set(commands.choices)


@pytest.mark.parametrize("command", device_commands.HELP)
def test_help_is_that_of_the_device_with_the_options_that_choose_an_export(mnist_edge: MnistEdge, command: str) -> None:
    text = " ".join(mnist_edge(command, "--help").stdout.split())
    assert text.startswith(f"usage: mnist-edge {command} ")
    assert ("--runs-dir FOLDER" in text) is (command != "doctor")


def test_where_there_is_no_export_only_label_takes_the_bundled_model(
    mnist_edge: MnistEdge, mistake: Callable[..., None], tmp_path: Path
) -> None:
    mistake("inspect --json", 3, "no int8 export yet; make one with mnist-edge export")
    mistake("label .", 3, "unsure")
