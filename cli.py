"""The workstation's command line: parse, call, print, exit code.

Everything heavy is imported inside the command that needs it: `--help` loads no TensorFlow.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from mnist_edge_runtime.errors import UsageError, VerificationError, describe
from mnist_edge_runtime.quiet import quiet

if TYPE_CHECKING:
    from mnist_edge_exporters.export import Exported, Source
    from mnist_edge_trainer.config import TrainConfig
    from mnist_edge_trainer.run import Run

__all__ = ["app", "main"]

app = typer.Typer(
    help="Train a digit reader, ship it as one file, and prove that it is still the same reader.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

RunsDir = Annotated[Path, typer.Option(help="The folder of all runs.")]
Data = Annotated[str, typer.Option(help="auto, mnist, digits, or a folder or .npz file in MNIST's form.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False) -> None:
    """Take the options before the command; `main` looks for --debug itself, since errors leave typer first."""


@app.command()
def train(
    arch: Annotated[str, typer.Option(help="The network: classic.")] = "classic",
    data: Data = "auto",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images.  [default: the recipe's]")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images in a step.  [default: the recipe's]")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam.  [default: the recipe's]")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
    name: Annotated[str | None, typer.Option(help="The run's name.  [default: the network's]")] = None,
    runs_dir: RunsDir = Path("runs"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a network and write its run: model, figures, plots."""
    from mnist_edge_trainer.config import TrainConfig

    config = TrainConfig(arch, epochs, batch_size, learning_rate, seed)
    run = _train(config, data, name or arch, runs_dir, overwrite)
    if as_json:
        print(json.dumps({"run": str(run.folder), **run.record}, ensure_ascii=False))
    else:
        _print_run(run)


@app.command()
def export(
    format: Annotated[str, typer.Option(help="tflite, onnx or all.")] = "tflite",
    quantize: Annotated[str, typer.Option(help="none, int8 or all.")] = "int8",
    run: Annotated[str | None, typer.Option(help="The run to export.  [default: the latest]")] = None,
    model: Annotated[Path | None, typer.Option(help="A .keras file of your own instead of a run.")] = None,
    data: Annotated[str | None, typer.Option(help="Where the run's data is now; for --model: its data.")] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Export a run to TFLite or ONNX and prove on the whole test set that the file answers as the Keras model does."""
    from mnist_edge_exporters import spec

    if run and model:
        raise UsageError("--run and --model exclude each other; name one of them")
    cells = spec.select(format, quantize)
    if model:
        source, folder, origin = _source_of_file(model, data or "auto"), model.parent / "exports", str(model)
    else:
        from mnist_edge_trainer.run import load

        chosen = load(runs_dir, run)
        source, folder, origin = _source_of_run(chosen, data), chosen.exports, str(chosen.folder)
    outcomes = _export(source, cells, folder)
    if as_json:
        print(json.dumps({"run": origin, "exports": [outcome.to_dict() for outcome in outcomes]}, ensure_ascii=False))
    else:
        _print_exports(outcomes)
    _insist_on_parity(outcomes)


@app.command()
def demo(data: Data = "auto", runs_dir: RunsDir = Path("runs")) -> None:
    """Go the whole way: train, export everything, prove parity, read pictures of our own making."""
    from mnist_edge_exporters import spec
    from mnist_edge_trainer.config import TrainConfig
    from mnist_edge_trainer.demonstration import read_drawings
    from mnist_edge_trainer.run import newest_export

    started = time.monotonic()
    run = _train(TrainConfig(), data, "demo", runs_dir, overwrite=False)
    _print_run(run)
    outcomes = _export(_source_of_run(run, data if data != "auto" else None), spec.select("all", "all"), run.exports)
    print()
    _print_exports(outcomes)
    _insist_on_parity(outcomes)
    model = run.exports / f"{run.name}-tflite-int8.tflite"
    pictures = run.folder / "pictures"
    readings = read_drawings(model, pictures)
    print(f"\nPictures drawn here and read by {model.name}:")
    for reading in readings:
        verdict = "" if reading.label == reading.drawn else f"   (a {reading.drawn} was drawn)"
        print(f"  {reading.file}  ->  {reading.label}  {reading.confidence:.1%}{verdict}")
    print(f"\nAll of it took {time.monotonic() - started:.0f} seconds. To look at:")
    for path in (run.folder / "learning_curves.png", run.folder / "sample_predictions.png", pictures / "readings.png"):
        print(f"  {path}")
    print(f"To go on: mnist-edge classify {readings[3].file}")
    print(f"          mnist-edge selftest {newest_export(runs_dir)}")


def _forward(context: typer.Context) -> None:
    from mnist_edge_runtime.__main__ import main as runtime_main
    from mnist_edge_trainer.run import newest_export

    command = [str(context.info_name), *context.args]
    code = runtime_main(command, program="mnist-edge", default_model=lambda: newest_export(Path("runs")))
    raise typer.Exit(code)


# The device's own commands, options and output: only the model may be left out here.
_FORWARDED = {"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
for _name, _help in (
    ("classify", "Read the digit in each picture; the model is the newest int8 export unless --model names one."),
    ("inspect", "Show what a model file promises; by default the newest int8 export."),
    ("selftest", "Hold a model file against this machine; by default the newest int8 export."),
):
    app.command(_name, help=_help, context_settings=_FORWARDED, add_help_option=False)(_forward)


def _load_tensorflow() -> None:
    """Import it without its greetings, which are for its developers; no setting silences them all."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import tensorflow  # noqa: F401


def _train(config: TrainConfig, data: str, name: str, runs_dir: Path, overwrite: bool) -> Run:
    from mnist_edge_trainer import data as datasets
    from mnist_edge_trainer import run

    run.check_name(name)
    dataset = datasets.load(data)
    split = datasets.split(dataset)
    _load_tensorflow()
    from mnist_edge_trainer.fit import train as fit

    return run.save(fit(config, dataset, split), dataset, runs_dir, name, overwrite=overwrite)


def _source_of_run(run: Run, data: str | None) -> Source:
    dataset = run.dataset(data)
    keys = ("architecture", "parameters", "macs", "seed", "dataset", "split")
    origin: dict[str, Any] = {key: run.record[key] for key in keys}
    origin["dataset"] = {key: value for key, value in origin["dataset"].items() if key != "source"}
    return _source(run.name, run.model_file, dataset, origin)


def _source_of_file(model: Path, data: str) -> Source:
    from mnist_edge_trainer import data as datasets

    dataset = datasets.load(data)
    return _source(model.stem, model, dataset, {"architecture": model.stem, "dataset": dataset.describe()})


def _source(name: str, model_file: Path, dataset: Any, origin: dict[str, Any]) -> Source:
    _load_tensorflow()
    from mnist_edge_exporters import network
    from mnist_edge_exporters.export import Source
    from mnist_edge_trainer import data as datasets

    model = network.load(model_file)
    split = datasets.split(dataset)
    return Source(
        name=name,
        model=model,
        labels=dataset.labels,
        origin={**origin, "parameters": model.count_params()},
        train_images=split.train_images,
        train_labels=split.train_labels,
        test_images=dataset.test_images,
        test_labels=dataset.test_labels,
    )


def _export(source: Source, cells: list[Any], folder: Path) -> list[Exported]:
    from mnist_edge_exporters.export import export as run_export

    outcomes = []
    for number, outcome in enumerate(run_export(source, cells, folder), start=1):
        verdict = "passed" if not outcome.failures else "FAILED"
        print(f"export {number}/{len(cells)}  {outcome.spec}  {verdict}", file=sys.stderr)
        outcomes.append(outcome)
    return outcomes


def _print_run(run: Run) -> None:
    record = run.record
    print(f"{run.folder}: {record['architecture']}, {record['parameters']:,} parameters, {record['macs']:,} MACs")
    dataset = record["dataset"]
    print(f"trained on {dataset['name']} in {record['seconds']:.0f} seconds; accuracy on the", end="")
    print(",".join(f" {part} images {figures['accuracy']:.2%}" for part, figures in record["metrics"].items()))
    if dataset["warning"]:
        print(f"WARNING: {dataset['warning']}")


def _print_exports(outcomes: list[Exported]) -> None:
    print(f"{'file':<36}{'KB':>8}{'accuracy':>10}{'difference':>12}{'agreement':>11}  verdict")
    for outcome in outcomes:
        report = outcome.parity
        name = outcome.file.name if outcome.file else f"{outcome.spec} (not published)"
        difference = (report.accuracy - report.reference_accuracy) * 100
        print(
            f"{name:<36}{outcome.size / 1024:>8.1f}{report.accuracy:>10.2%}{difference:>+9.2f} pp"
            f"{report.agreement:>11.2%}  {'passed' if not outcome.failures else 'FAILED'}"
        )
    published = [outcome.file for outcome in outcomes if outcome.file]
    if published:
        print(f"published into {published[0].parent}")


def _insist_on_parity(outcomes: list[Exported]) -> None:
    failures = [f"{outcome.spec}: {failure}" for outcome in outcomes for failure in outcome.failures]
    if failures:
        raise VerificationError(f"not published, because {'; '.join(failures)}")


def main() -> None:
    """Run the command line and exit with the code that the outcome deserves."""
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
