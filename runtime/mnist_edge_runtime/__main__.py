"""The device's command line: `mnist-edge-runtime classify|read|inspect|selftest|benchmark|doctor`."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import __version__, models
from .commands import benchmark, classify, doctor, read
from .commands.common import load
from .diagnostics.selftest import selftest
from .engines.registry import ENGINES
from .errors import MnistEdgeError, VerificationError, describe
from .json_output import print_json
from .model_file import sealed_model

__all__ = ["main"]


def main(
    argv: Sequence[str] | None = None,
    *,
    program: str = "mnist-edge-runtime",
    default_model: Callable[[], Path | str] | None = None,
    default: str = "the one that ships with this package",
) -> int:
    """Run one command and return its exit code.

    Args:
        argv: the arguments, `sys.argv[1:]` by default.
        program: the name shown in help.
        default_model: finds the model where none is named; without it, that is the one that ships with this package.
        default: what help calls that model.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file name need not be text in the terminal's encoding, and must not keep the others from being read.
        sys.stdout.reconfigure(errors="backslashreplace")
    arguments = _parser(program, f"the exported model file (default: {default})").parse_args(argv)
    try:
        if arguments.model in (None, []) and default_model:
            arguments.model = default_model()
        failure = arguments.run(arguments)
        return failure.exit_code if failure else 0
    except BrokenPipeError:  # whoever read the answers has enough of them, as in `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell makes of SIGPIPE
    except KeyboardInterrupt:
        return 130  # what a shell makes of SIGINT; whoever pressed Ctrl-C needs no explanation
    except Exception as error:
        if arguments.debug:
            traceback.print_exc()
        message, code = describe(error)
        print(f"error: {message}", file=sys.stderr)
        return code


def _parser(program: str, model: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="Run a digit reader that mnist-edge exported.")
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    debug = argparse.ArgumentParser(add_help=False)
    debug.add_argument("--debug", action="store_true", help="show where an error comes from")
    common = argparse.ArgumentParser(add_help=False, parents=[debug])
    common.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    engine = argparse.ArgumentParser(add_help=False)
    engine.add_argument("--engine", choices=list(ENGINES), help="insist on this engine")

    answers = argparse.ArgumentParser(add_help=False, parents=[engine])
    answers.add_argument("--accept-all", action="store_true", help="take every answer, however unsure the network is")

    classify.add_command(commands, model, debug, answers)
    read.add_command(commands, model, common, answers)

    inspect = commands.add_parser("inspect", parents=[common], help="show what a model file promises")
    inspect.add_argument("model", nargs="?", metavar="MODEL", help=model)
    inspect.set_defaults(run=_inspect)

    test = commands.add_parser("selftest", parents=[common, engine], help="hold a model file against this machine")
    test.add_argument("model", nargs="?", metavar="MODEL", help=model)
    test.set_defaults(run=_selftest)

    benchmark.add_command(commands, common, model)
    doctor.add_command(commands, common)
    return parser


def _inspect(arguments: argparse.Namespace) -> None:
    file = arguments.model or models.bundled_models()[0]
    sealed = sealed_model.read(file)
    contract = sealed.contract
    if arguments.json:
        print_json({"model": str(file), **json.loads(contract.to_json())})
        return
    rows = {
        "file": f"{file}, intact",
        "format": f"{contract.format}, {contract.quantization}",
        "payload": f"{contract.payload.size:,} bytes, SHA-256 {contract.payload.sha256}",
        "labels": " ".join(contract.labels),
        "input": f"{contract.input.dtype} {contract.input.shape}, {contract.input.polarity}, "
        f"real value = {contract.input.real_value}, scale {contract.input.scale:.9g}, "
        f"zero point {contract.input.zero_point}",
        "output": f"logits, {contract.output.dtype}, scale {contract.output.scale:.9g}, "
        f"zero point {contract.output.zero_point}",
        "network": f"{_of(contract.origin, 'architecture')}, {_of(contract.origin, 'parameters')} parameters",
        "data": f"{_of(contract.origin, 'dataset', 'name')}, SHA-256 {_of(contract.origin, 'dataset', 'sha256')}",
        "accuracy": f"{_of(contract.parity, 'accuracy')} on {_of(contract.parity, 'images')} test images, "
        f"the Keras model {_of(contract.parity, 'reference_accuracy')}; "
        f"{_of(contract.parity, 'agreement')} the same answer",
        "runtimes": ", ".join(
            f"{_of(row, 'engine')} {_of(row, 'version')} ({_of(row, 'status')})" for row in contract.runtimes
        ),
        "golden": f"{len(sealed.golden.images)} images",
    }
    if (warning := _of(contract.origin, "dataset", "warning")) not in ("unknown", "None"):
        rows["WARNING"] = warning
    width = max(map(len, rows))
    for name, value in rows.items():
        print(f"{name:<{width}}  {value}")


def _of(value: Any, *keys: str) -> str:
    """Return what lies under `keys` in the free parts of a contract, which other versions may fill otherwise."""
    for key in keys:
        value = value.get(key, "unknown") if isinstance(value, Mapping) else "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _selftest(arguments: argparse.Namespace) -> MnistEdgeError | None:
    with load(arguments) as classifier:
        report = selftest(classifier, sealed_model.read(str(classifier.file)).golden)
    if arguments.json:
        print_json({"model": str(classifier.file), **report.to_dict()})
    elif report.passed:
        distance = f"{report.max_lsb} LSB" if report.max_lsb is not None else f"{report.max_difference:.2g}"
        print(f"passed: {report.golden} golden images on {report.engine}, logits within {distance}")
    if report.passed:
        return None
    for failure in report.failures:
        print(f"failed: {failure}", file=sys.stderr)
    return VerificationError("the self-test failed")


if __name__ == "__main__":
    sys.exit(main())
