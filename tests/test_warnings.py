"""A library's warning, with its file and line, is never on a user's screen; --debug shows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A command in which a library warns, whatever filters it has set before.
WARNS = """
import argparse, sys, warnings

def warn(*unused, **options):
    warnings.resetwarnings()
    warnings.simplefilter("always")
    warnings.warn("the library's own words", UserWarning)
    warnings.warn("soon gone", DeprecationWarning)
    print("done")

"""
RUNTIME = """
from mnist_edge_runtime.commands import inspect
inspect._run = warn
from mnist_edge_runtime.__main__ import main
sys.exit(main())
"""
WORKSTATION = """
from mnist_edge import cli
import mnist_edge_runtime.commands.inspect as inspect
inspect._run = warn
cli.main()
"""


def _run(code: str, *options: str, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *python, "-c", WARNS + code, "inspect", *options, "digits.onnx"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("code", [RUNTIME, WORKSTATION], ids=["mnist-edge-runtime", "mnist-edge"])
def test_warnings_are_hidden_unless_asked_for(code: str) -> None:
    hidden, shown, kept = _run(code), _run(code, "--debug"), _run(code, python=("-W", "default"))

    assert (hidden.stdout, hidden.stderr) == ("done\n", "")
    for result in (shown, kept):
        assert result.stdout == "done\n"
        assert "UserWarning: the library's own words" in result.stderr
