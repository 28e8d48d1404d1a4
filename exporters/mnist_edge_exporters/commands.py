"""The commands export, verify, drift and report: prove a run's files and show the results.

Everything heavy is imported inside the command that needs it: `--help` loads no TensorFlow.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from mnist_edge_runtime.errors import UsageError, VerificationError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file.formats.registry import for_suffix

from . import spec
from .options import (
    AsJson,
    File,
    FileRun,
    Imports,
    Labels,
    ModelFile,
    Pixels,
    RunData,
    RunName,
    RunsDir,
    Targets,
    Tolerances,
)

if TYPE_CHECKING:
    from .source import Source
    from .source_finder import SourceFinder

__all__ = ["check_reading", "drift", "export", "report", "verify"]


def check_reading(model: Path | None, pixels: str | None = None, labels: str | None = None) -> None:
    """Raise UsageError where --pixels or --labels is given for a run or an exported file."""
    if (pixels is not None or labels is not None) and (model is None or for_suffix(model.suffix)):
        raise UsageError(
            "--pixels and --labels are for a Keras model that --model names: the network of a run has them from its "
            "data, an exported file has them in it"
        )


def export(
    context: typer.Context,
    format: Annotated[
        str | None,
        typer.Option(
            help=f"Format: {', '.join(spec.formats())}, all of these, or source code made of the int8 TFLite file: "
            "c, or web, a page and a JavaScript module. (default: tflite)"
        ),
    ] = None,
    quantize: Annotated[
        str | None,
        typer.Option(help=f"Quantization: {', '.join(spec.Quantization)} or all. (default: int8)"),
    ] = None,
    run: RunName = None,
    model: ModelFile = None,
    data: RunData = None,
    imports: Imports = None,
    pixels: Pixels = None,
    labels: Labels = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Export a network also if it reads its images better in another way.")
    ] = False,
    constraints: Annotated[
        str | None,
        typer.Option(
            help='Publish only the best file that meets the limits, such as "kb<=64,accuracy>=0.99,p50us<=50".'
        ),
    ] = None,
    io_dtype: Annotated[
        str, typer.Option(help="Input and output type of int8 files: uint8, int8 or float32.")
    ] = "uint8",
    granularity: Annotated[
        str, typer.Option(help="Granularity of the scales of int8 weights: per-channel or per-tensor.")
    ] = "per-channel",
    opset: Annotated[int, typer.Option(help=f"ONNX opset, {spec.OPSETS[0]} to {spec.OPSETS[-1]}.")] = 17,
    force: Annotated[bool, typer.Option("--force", help="Also export combinations that are not recommended.")] = False,
    calibration_samples: Annotated[
        int | None, typer.Option(help="Number of calibration images. (default: 500)", min=10)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the network, a C identifier, for --format c and web. (default: from the run's name)"
        ),
    ] = None,
    rounding: Annotated[
        str | None,
        typer.Option(help="Rounding of --format c: litert, as the file answers, or tflm. (default: litert)"),
    ] = None,
    golden: Annotated[
        str | None,
        typer.Option(help="Data set whose test images the files carry for their self-test. (default: that of --data)"),
    ] = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Export a run to TFLite, ONNX, C or the web, and prove on the whole test set that it answers as Keras does."""
    from .export import selection

    wanted = selection.parse(constraints) if constraints is not None else ()
    every = "all" if wanted else None
    from .c_source import options as c_options

    is_source = c_options.check(format, name, rounding, constraints)
    if format == "web":  # before the conversion, which takes a while
        from .javascript.proof import check_tools

        check_tools()
    specs = spec.select(
        format or every or "tflite",
        quantize or every or "int8",
        io_dtype=io_dtype,
        granularity=granularity,
        opset=opset,
        force=force,
    )
    check_reading(model, pixels, labels)
    finder: SourceFinder = context.obj
    source, folder = finder.find(runs_dir, run, model, data, golden)
    from .export.export_all import export_all, export_best, table
    from .parity.prove import raise_on_failures
    from .pixels.apply import apply

    source = apply(source, pixels, labels)
    options = spec.Options(tuple(target_runtime or ()), tuple(tolerance or ()), calibration_samples, as_is)
    document: dict[str, Any] = {"run": str(model or folder.parent)}
    if not wanted:
        outcomes = export_all(source, specs, folder, options)
        text = table(outcomes)
    else:
        selected, outcomes = export_best(source, specs, folder, options, wanted)
        document |= selected.to_dict()
        text = selected.table() + (f"\n\nOn the test images:\n{table(outcomes)}" if outcomes else "")
    if is_source and outcomes[0].file:
        from .c_source.generate import identifier
        from .export.export_c import export_c
        from .export.export_web import export_web

        title = identifier(name or source.name, is_given=name is not None)
        made = (
            export_c(source, outcomes[0], folder, title, rounding or "litert")
            if format == "c"
            else export_web(source, outcomes[0], folder, title)
        )
        document["sources"] = [made.to_dict()]
        text = f"{text}\n{made.lines()}"
    for outcome in outcomes:
        if model and outcome.file and outcome.spec.quantization is spec.Quantization.INT8:
            finder.remember(runs_dir, outcome.file)
    print_result(as_json, {**document, "exports": [outcome.to_dict() for outcome in outcomes]}, text)
    raise_on_failures([(str(outcome.spec), outcome.failures) for outcome in outcomes], "not published")
    if wanted and selected.reason:
        raise VerificationError(f"nothing is published: {selected.reason}")


def verify(
    context: typer.Context,
    file: File,
    run: FileRun = None,
    model: ModelFile = None,
    data: RunData = None,
    imports: Imports = None,
    target_runtime: Targets = None,
    tolerance: Tolerances = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Prove an exported file again: compare its answers on each runtime with those of a run's Keras model."""
    source = _source_of(context, file, runs_dir, run, model, data)
    from .parity import prove

    with source.in_use():
        proof = prove.verify(file, source, spec.Options(tuple(target_runtime or ()), tuple(tolerance or ())))
        with source.unchanged():
            pass  # or the proof is of another network than the run's
    print_result(as_json, {"file": str(file), **proof.to_dict()}, "\n".join(proof.lines()))
    prove.raise_on_failures([(str(file), proof.failures)], "does not answer as the run's Keras model")


def _source_of(
    context: typer.Context, file: Path, runs_dir: Path, run: str | None, model: Path | None, data: str | None
) -> Source:
    """Return the source of an exported file; a Keras file as its contract says that it was exported.

    A run is read as it was trained: what the file under test says of it would not prove the file.
    """
    finder: SourceFinder = context.obj
    source, _ = finder.find_for(file, runs_dir, run, model, data)
    from mnist_edge_runtime.model_file import sealed_model

    from .pixels.apply import as_contracted

    return as_contracted(source, sealed_model.read(file).contract) if model else source


def drift(
    context: typer.Context,
    file: File,
    run: FileRun = None,
    model: ModelFile = None,
    data: RunData = None,
    imports: Imports = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Show where a quantized file drifts from the float model: noise and error after each layer."""
    source = _source_of(context, file, runs_dir, run, model, data)
    from .analysis import layer_drift

    layers = layer_drift.measure(file, source)
    with source.unchanged():
        pass
    document = {"file": str(file), "layers": [asdict(layer) for layer in layers]}
    print_result(as_json, document, layer_drift.table(layers))


def report(
    context: typer.Context,
    run: RunName = None,
    data: Annotated[str | None, typer.Option(help="Data set of the run, if it has moved.")] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Write runs/NAME/report.html, a page with the run and all its exports that opens from disk."""
    finder: SourceFinder = context.obj
    folder, record = finder.record(runs_dir, run)
    source, _ = finder.find(runs_dir, folder.name, None, data)
    from .report.page import write

    with source.in_use():
        written = write(source, folder, record)
    print_result(as_json, {"run": str(folder), **written.to_dict()}, f"{written.file}: open it in a browser")
