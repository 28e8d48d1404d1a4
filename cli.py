"""The workstation's command line: parse, call, print, exit code.

Everything heavy is imported inside the command that needs it: `--help` loads no TensorFlow.
"""

from __future__ import annotations

import signal
import sys
import traceback
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from mnist_edge import bundling, deploying, training, workflow
from mnist_edge.options import (
    AsJson,
    Data,
    FilesRun,
    OwnModel,
    RunData,
    RunName,
    RunsDir,
    Targets,
    Tolerances,
    show,
)
from mnist_edge_runtime.errors import VerificationError, describe

__all__ = ["app", "main"]

app = typer.Typer(
    help="Train a digit reader, ship it as one file, and prove that it is still the same reader.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mnist-edge {version('mnist-edge')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Take the options before the command; `main` looks for --debug itself, since errors leave typer first."""


app.command()(training.train)
app.command()(training.tune)


@app.command()
def export(
    format: Annotated[str | None, typer.Option(help="tflite, onnx or all. (default: tflite)")] = None,
    quantize: Annotated[
        str | None, typer.Option(help="none, float16, dynamic, int8, int16x8, int4 or all. (default: int8)")
    ] = None,
    run: RunName = None,
    model: OwnModel = None,
    data: RunData = None,
    constraints: Annotated[
        str | None,
        typer.Option(help='Publish only the best of all files that meets e.g. "kb<=64,accuracy>=0.99,p50us<=50".'),
    ] = None,
    io_dtype: Annotated[str, typer.Option(help="Image and logits of int8 files: uint8, int8 or float32.")] = "uint8",
    granularity: Annotated[str, typer.Option(help="Scales of int8 weights: per-channel, per-tensor.")] = "per-channel",
    opset: Annotated[int, typer.Option(help="Of ONNX files, 13 to 18.")] = 17,
    force: Annotated[bool, typer.Option("--force", help="Make cells that are not worth having, too.")] = False,
    calibration_samples: Annotated[int, typer.Option(help="Training images that quantizers see.", min=10)] = 500,
    golden: Annotated[str | None, typer.Option(help="As --data: whose test images the file carries.")] = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Export a run to TFLite or ONNX and prove on the whole test set that the file answers as the Keras model does."""
    from mnist_edge_exporters import constraints as limits
    from mnist_edge_exporters import spec
    from mnist_edge_exporters.table import table

    wanted = limits.parse(constraints) if constraints is not None else ()
    every = "all" if wanted else None
    cells = spec.select(
        format or every or "tflite",
        quantize or every or "int8",
        io_dtype=io_dtype,
        granularity=granularity,
        opset=opset,
        force=force,
    )
    source, folder = workflow.source_of(runs_dir, run, model, data, golden)
    options = spec.Options(tuple(target_runtime or ()), tuple(tolerance or ()), calibration_samples)
    document: dict[str, Any] = {"run": str(model or folder.parent)}
    if not wanted:
        outcomes = workflow.export(source, cells, folder, options)
        text = table(outcomes)
    else:
        choice, outcomes = workflow.export_best(source, cells, folder, options, wanted)
        document |= choice.to_dict()
        text = choice.table() + (f"\n\nOn the test images:\n{table(outcomes)}" if outcomes else "")
    show(as_json, {**document, "exports": [outcome.to_dict() for outcome in outcomes]}, text)
    workflow.insist([(str(outcome.spec), outcome.failures) for outcome in outcomes], "not published")
    if wanted and choice.reason:
        raise VerificationError(f"nothing is published: {choice.reason}")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An exported file.")],
    run: FilesRun = None,
    model: OwnModel = None,
    data: RunData = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Prove an exported file once more: hold its answers on every runtime against a run's Keras model."""
    from mnist_edge_exporters.spec import Options

    source, _ = workflow.source_of_export(file, runs_dir, run, model, data)
    from mnist_edge_exporters.verify import verify as prove_again

    proof = prove_again(file, source, Options(tuple(target_runtime or ()), tuple(tolerance or ())))
    show(as_json, {"file": str(file), **proof.to_dict()}, "\n".join(proof.lines()))
    workflow.insist([(str(file), proof.failures)], "does not answer as the run")


@app.command()
def drift(
    file: Annotated[Path, typer.Argument(help="An exported file that is quantized.")],
    run: FilesRun = None,
    model: OwnModel = None,
    data: RunData = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show where a quantized file drifts from the float model: noise and error after each of its layers."""
    source, _ = workflow.source_of_export(file, runs_dir, run, model, data)
    from mnist_edge_exporters import drift as drifts

    layers = drifts.measure(file, source)
    show(as_json, {"file": str(file), "layers": [asdict(layer) for layer in layers]}, drifts.table(layers))


@app.command()
def evaluate(
    run: RunName = None,
    model: Annotated[Path | None, typer.Option(help="An exported file or a .keras file instead of a run.")] = None,
    data: RunData = None,
    on: Annotated[str, typer.Option(help="test or validation: which images.")] = "test",
    corruptions: Annotated[bool, typer.Option(help="Measure robustness to light and dirt, too.")] = True,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Measure a run or a file: accuracy, calibration, mistakes, robustness. Figures and pictures stay beside it."""
    from mnist_edge_trainer import evaluate as evaluation

    evaluation.check_part(on)
    subject = workflow.subject_of(runs_dir, run, model, data, on)
    found = evaluation.evaluate(subject, corruptions=corruptions)
    files = [str(file) for file in evaluation.save(found, subject.images, subject.stem)]
    show(as_json, {**found.to_dict(), "files": files}, "\n  ".join([f"{found.table()}\n\nTo look at:", *files]))


@app.command()
def report(
    run: RunName = None, data: RunData = None, runs_dir: RunsDir = Path("runs"), as_json: AsJson = False
) -> None:
    """Write runs/NAME/report.html: the run and all its exports on one page that opens from disk."""
    from mnist_edge_trainer.run import load

    found = load(runs_dir, run)
    source, _ = workflow.source_of(runs_dir, found.name, None, data)
    from mnist_edge_exporters.report import write

    written = write(source, found.folder, found.record)
    show(as_json, {"run": str(found.folder), **written.to_dict()}, f"{written.file}: open it in a browser")


@app.command()
def demo(data: Data = "auto", runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """Go the whole way: train, export everything, prove parity, read pictures of our own making."""
    show(as_json, *workflow.demonstrate(data, runs_dir))


app.command()(bundling.bundle)
app.command()(deploying.deploy)


def _forward(context: typer.Context) -> None:
    from mnist_edge_runtime.__main__ import main as runtime_main
    from mnist_edge_trainer.run import newest_export

    command = [str(context.info_name), *context.args]
    of_the_runs: dict[str, Any] = {
        "default_model": lambda: newest_export(Path("runs")),
        "default": "the newest int8 export",
    }
    code = runtime_main(command, program="mnist-edge", **({} if command[0] == "doctor" else of_the_runs))
    raise typer.Exit(code)


# The device's own commands, options and output: only the model may be left out here.
_FORWARDED = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
for _name, _help in (
    ("classify", "Read the digit in each picture; the model is the newest int8 export unless --model names one."),
    ("read", "Read the handwritten lines of digits on a picture, with the newest int8 export or with --model."),
    ("inspect", "Show what a model file promises; by default the newest int8 export."),
    ("selftest", "Hold a model file against this machine; by default the newest int8 export."),
    ("doctor", "Find out which engines work here, and mend the others."),
    ("benchmark", "Measure how fast model files are on this machine; by default the newest int8 export."),
):
    app.command(_name, help=_help, context_settings=_FORWARDED, add_help_option=False)(_forward)


def main() -> None:
    """Run the command line and exit with the code that the outcome deserves."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up as after Ctrl-C
    try:
        app()
    except Exception as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        message, code = describe(error)
        print(f"error: {message}", file=sys.stderr)
        sys.exit(code)


if __name__ == "__main__":
    main()
