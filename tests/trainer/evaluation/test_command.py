"""The command with its models and data is tested in tests/test_cli.py."""

from __future__ import annotations

import inspect

from mnist_edge_trainer.evaluation import command


def test_the_command_says_what_it_writes() -> None:
    assert "Writes metrics and plots beside it." in (inspect.getdoc(command.evaluate) or "")
