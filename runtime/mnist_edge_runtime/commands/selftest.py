"""`mnist-edge-runtime selftest`: run a model file's self-test on this machine."""

from __future__ import annotations

import argparse

from ..command_line import tell
from ..diagnostics.selftest import selftest
from ..errors import VerificationError
from ..json_output import print_json
from ..model_file import sealed_model
from ..text_output import printable
from ..time_limit import ENDLESS, SECONDS, time_limit
from .common import load

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of the model."""
    parser = commands.add_parser("selftest", parents=parents, help="Run a model file's self-test on this machine.")
    parser.add_argument("model", nargs="?", metavar="MODEL", help=model)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> VerificationError | None:
    late = f"the self-test did not end within {SECONDS:g} seconds: {ENDLESS}; run no file whose maker you do not know"
    with (
        time_limit(
            SECONDS, f"error: {printable(str(arguments.model or 'the model'))}: {late}", VerificationError.exit_code
        ),
        load(arguments) as classifier,
    ):
        report = selftest(classifier, sealed_model.read(str(classifier.file)).golden)
    if arguments.json:
        print_json({"model": str(classifier.file), **report.to_dict()})
    elif report.passed:
        distance = f"{report.max_lsb} LSB" if report.max_lsb is not None else f"{report.max_difference:.2g}"
        print(f"passed: {report.golden} golden images on {report.engine}, logits within {distance}")
    if report.passed:
        return None
    for failure in report.failures:
        tell(f"failed: {failure}")
    return VerificationError("the self-test failed")
