"""The commands that export a run, prove its files and show what became of them.

Everything heavy is imported inside the command that needs it: `--help` loads no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from mnist_edge_runtime import json_output
from mnist_edge_runtime.errors import VerificationError
from mnist_edge_runtime.json_output import print_result

if TYPE_CHECKING:
    from .source import Source

__all__ = ["AsJson", "ModelFile", "RunData", "RunName", "Sources", "drift", "export", "report", "verify"]

AsJson = Annotated[bool, typer.Option("--json", help=json_output.HELP)]
File = Annotated[Path, typer.Argument(help="Exported file.")]
FileRun = Annotated[
    str | None, typer.Option("--run", help="Run that the file came from. (default: its folder's, or the latest)")
]
ModelFile = Annotated[
    Path | None, typer.Option("--model", help="A .keras file instead of a run; its exports are written beside it.")
]
RunData = Annotated[
    str | None, typer.Option("--data", help="Where the run's data is now; with --model, the model's data.")
]
RunName = Annotated[str | None, typer.Option("--run", help="Name of the run. (default: the latest)")]
RunsDir = Annotated[Path, typer.Option(help="Folder of all runs.")]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target-runtime", help="Runtime to prove on, ENGINE or ENGINE==VERSION; repeatable."),
]
Tolerances = Annotated[list[str] | None, typer.Option(help="Tolerance to change, NAME=NUMBER; repeatable.")]


class Sources(Protocol):
    """What finds a model and its data for a command: the `obj` of typer's context, set by who joins the packages."""

    def find(
        self, runs_dir: Path, run: str | None, model: Path | None, data: str | None, golden: str | None = None
    ) -> tuple[Source, Path]:
        """Return the source and the folder for its exports.

        Args:
            runs_dir: the folder of all runs.
            run: the name of a run; the latest if neither it nor `model` is given.
            model: a .keras file instead of a run.
            data: where the data is.
            golden: the data set whose test images the exported files carry; by default the source's own.
        """

    def find_for(
        self, file: Path, runs_dir: Path, run: str | None, model: Path | None, data: str | None
    ) -> tuple[Source, Path]:
        """Do the same for an exported file: with neither `run` nor `model`, take the run whose folder it is in."""

    def record(self, runs_dir: Path, run: str | None) -> tuple[Path, Mapping[str, Any]]:
        """Return the folder of a run, by default the latest, and its record."""


def export(
    context: typer.Context,
    format: Annotated[str | None, typer.Option(help="Format: tflite, onnx or all. (default: tflite)")] = None,
    quantize: Annotated[
        str | None,
        typer.Option(help="Quantization: none, float16, dynamic, int8, int16x8, int4 or all. (default: int8)"),
    ] = None,
    run: RunName = None,
    model: ModelFile = None,
    data: RunData = None,
    constraints: Annotated[
        str | None,
        typer.Option(help='Publish only the best of all files that meets e.g. "kb<=64,accuracy>=0.99,p50us<=50".'),
    ] = None,
    io_dtype: Annotated[
        str, typer.Option(help="Input and output type of int8 files: uint8, int8 or float32.")
    ] = "uint8",
    granularity: Annotated[
        str, typer.Option(help="Scales of int8 weights: per-channel or per-tensor.")
    ] = "per-channel",
    opset: Annotated[int, typer.Option(help="ONNX opset, 13 to 18.")] = 17,
    force: Annotated[bool, typer.Option("--force", help="Also export combinations that are not recommended.")] = False,
    calibration_samples: Annotated[int, typer.Option(help="Size of the calibration set.", min=10)] = 500,
    golden: Annotated[
        str | None, typer.Option(help="Data set whose test images the file carries for its self-test, as --data.")
    ] = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Export a run to TFLite or ONNX and prove on the whole test set that the file answers as the Keras model does."""
    from . import spec
    from .export import selection
    from .export.table import table

    wanted = selection.parse(constraints) if constraints is not None else ()
    every = "all" if wanted else None
    specs = spec.select(
        format or every or "tflite",
        quantize or every or "int8",
        io_dtype=io_dtype,
        granularity=granularity,
        opset=opset,
        force=force,
    )
    source, folder = context.obj.find(runs_dir, run, model, data, golden)
    from .export.export_all import export_all, export_best
    from .parity.prove import raise_on_failures

    options = spec.Options(tuple(target_runtime or ()), tuple(tolerance or ()), calibration_samples)
    document: dict[str, Any] = {"run": str(model or folder.parent)}
    if not wanted:
        outcomes = export_all(source, specs, folder, options)
        text = table(outcomes)
    else:
        choice, outcomes = export_best(source, specs, folder, options, wanted)
        document |= choice.to_dict()
        text = choice.table() + (f"\n\nOn the test images:\n{table(outcomes)}" if outcomes else "")
    print_result(as_json, {**document, "exports": [outcome.to_dict() for outcome in outcomes]}, text)
    raise_on_failures([(str(outcome.spec), outcome.failures) for outcome in outcomes], "not published")
    if wanted and choice.reason:
        raise VerificationError(f"nothing is published: {choice.reason}")


def verify(
    context: typer.Context,
    file: File,
    run: FileRun = None,
    model: ModelFile = None,
    data: RunData = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Prove an exported file again: compare its answers on every runtime with those of a run's Keras model."""
    from .spec import Options

    source, _ = context.obj.find_for(file, runs_dir, run, model, data)
    from .parity.prove import raise_on_failures
    from .parity.verify import verify as prove_again

    proof = prove_again(file, source, Options(tuple(target_runtime or ()), tuple(tolerance or ())))
    print_result(as_json, {"file": str(file), **proof.to_dict()}, "\n".join(proof.lines()))
    raise_on_failures([(str(file), proof.failures)], "does not answer as the run")


def drift(
    context: typer.Context,
    file: File,
    run: FileRun = None,
    model: ModelFile = None,
    data: RunData = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show where a quantized file drifts from the float model: noise and error after each of its layers."""
    source, _ = context.obj.find_for(file, runs_dir, run, model, data)
    from .analysis import layer_drift

    layers = layer_drift.measure(file, source)
    document = {"file": str(file), "layers": [asdict(layer) for layer in layers]}
    print_result(as_json, document, layer_drift.table(layers))


def report(
    context: typer.Context,
    run: RunName = None,
    data: RunData = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Write runs/NAME/report.html: the run and all its exports on one page that opens from disk."""
    folder, record = context.obj.record(runs_dir, run)
    source, _ = context.obj.find(runs_dir, folder.name, None, data)
    from .report.page import write

    written = write(source, folder, record)
    print_result(as_json, {"run": str(folder), **written.to_dict()}, f"{written.file}: open it in a browser")
