"""The workstation's command line: it joins trainer and exporters, which do not know each other.

Everything heavy is imported inside the command that needs it: `--help` loads no TensorFlow.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from mnist_edge_exporters import commands as exporter_commands
from mnist_edge_exporters import own_code
from mnist_edge_exporters.bundle.command import bundle
from mnist_edge_exporters.deploy.command import deploy
from mnist_edge_exporters.signing import sign
from mnist_edge_runtime import command_line
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file.formats.registry import for_suffix
from mnist_edge_runtime.output_capture import hide_warnings
from mnist_edge_trainer import commands as trainer_commands
from mnist_edge_trainer import device_commands
from mnist_edge_trainer.evaluation.command import compare, evaluate
from mnist_edge_trainer.options import AsJson, Data, RunsDir, StrictCommand
from mnist_edge_trainer.runs.command import runs

if TYPE_CHECKING:
    from mnist_edge_exporters.source import Source
    from mnist_edge_trainer.data.datasets import Dataset
    from mnist_edge_trainer.evaluation.subject import Subject

__all__ = ["Sources", "app", "main"]

app = typer.Typer(
    help="Train a digit reader, ship it as one file, and prove that it is still the same reader.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


class Sources:
    """Find a model and its data: a run of the trainer becomes a source of the exporters.

    Each method raises InputError where there is no such run, model or data, UsageError where run and model are named.
    """

    def find(
        self, runs_dir: Path, run: str | None, model: Path | None, data: str | None, golden: str | None = None
    ) -> tuple[Source, Path]:
        """Return the source and the folder for its exports, as `exporters.source_finder` describes."""
        if run and model:
            raise UsageError("--run and --model exclude each other; name one of them")
        if model:
            from mnist_edge_trainer.data import datasets
            from mnist_edge_trainer.handwriting import pool
            from mnist_edge_trainer.networks import published
            from mnist_edge_trainer.runs.unchanged import sha256_of, unchanged

            name = published.name_in(model)
            file = published.weights_file(name) if name else model
            is_unchanged = partial(unchanged, file, sha256_of(file))
            _load_model(file)  # before data for it is downloaded
            dataset = datasets.load(data or ("mnist" if name else "auto"))
            origin = {"architecture": file.stem, "dataset": dataset.describe()}
            source = _source(file.stem, file, origin, dataset, golden)
            unseen = partial(pool.held_out, source.labels) if name else None
            return replace(source, unchanged=is_unchanged, handwriting=unseen), model.parent / "exports"
        from mnist_edge_trainer.runs.run import load

        found = load(runs_dir, run)
        source = _source(found.name, found.model_file, found.origin, found.dataset(data), golden)
        return replace(source, unchanged=found.unchanged, handwriting=found.unseen_handwriting), found.exports

    def find_for(
        self, file: Path, runs_dir: Path, run: str | None, model: Path | None, data: str | None
    ) -> tuple[Source, Path]:
        """Do the same for an exported file: with neither `run` nor `model`, take the run whose folder it is in."""
        if not file.is_file():
            raise InputError(f"{file}: is {'a folder' if file.is_dir() else 'not there'}; name an exported file")
        home = file.resolve().parent.parent
        if not run and not model and file.resolve().parent.name == "exports" and (home / "run.json").is_file():
            return self.find(home.parent, home.name, None, data)
        return self.find(runs_dir, run, model, data)

    def remember(self, runs_dir: Path, file: Path) -> None:
        """Remember an int8 file of a model of one's own as the one that commands take where none is named."""
        from mnist_edge_trainer.runs.exports import remember

        remember(runs_dir, file)

    def record(self, runs_dir: Path, run: str | None) -> tuple[Path, Mapping[str, Any]]:
        """Return the folder of a run, by default the latest, and its record."""
        from mnist_edge_trainer.runs.run import load

        found = load(runs_dir, run)
        return found.folder, found.record

    def subject(
        self, runs_dir: Path, run: str | None, model: Path | None, data: str | None, part: str,
        *reading: str | None, imports: list[str] | None = None,
    ) -> Subject:  # fmt: skip
        """Return what `evaluate` measures: a run, an exported file, or a Keras model under --pixels and --labels."""
        from mnist_edge_trainer.evaluation.subject import Subject
        from mnist_edge_trainer.runs.run import MODEL

        exporter_commands.check_reading(model, *reading)
        own_code.request(imports)
        if model and not run and for_suffix(model.suffix):
            return Subject.of_file(model, data, part)
        found, exports = self.find(runs_dir, run, model, data)
        from mnist_edge_exporters.parity.comparison import reference_probabilities
        from mnist_edge_exporters.pixels.apply import apply

        source, file = apply(found, *reading), model or exports.with_name(MODEL)
        predict, described = partial(reference_probabilities, source.model), source.origin["dataset"]
        subject = Subject(file, "keras", predict, source.labels, described, part, *getattr(source, part))
        return replace(subject, unchanged=source.unchanged)


def _source(name: str, model_file: Path, origin: Mapping[str, Any], dataset: Dataset, golden: str | None) -> Source:
    from mnist_edge_trainer.data.datasets import load, split

    parts, carried = split(dataset), load(golden) if golden else dataset
    if carried.labels != dataset.labels:
        raise InputError(f"--golden {golden}: has other labels than the data: {' '.join(carried.labels)}")
    model = _load_model(model_file, len(dataset.labels))
    from mnist_edge_exporters.source import Source

    test, golden_images = (dataset.test_images, dataset.test_labels), (carried.test_images, carried.test_labels)
    return Source(name, model, dataset.labels, origin, parts.train, parts.validation, test=test, golden=golden_images)


def _load_model(file: Path, classes: int | None = None) -> Any:
    from mnist_edge_trainer.tensorflow_import import import_tensorflow

    import_tensorflow()
    from mnist_edge_exporters import keras_model

    return keras_model.load(file, classes)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mnist-edge {version('mnist-edge')}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options before the command; `main` looks for --debug itself, wherever it stands."""
    context.obj = Sources()
    context.obj.debug = debug


def demo(
    context: typer.Context, data: Data = "auto", runs_dir: RunsDir = Path("runs"), as_json: AsJson = False
) -> None:
    """Run every step once: train, export everything, prove parity, classify pictures drawn on the spot."""
    from mnist_edge_exporters import spec
    from mnist_edge_trainer.demo.demo import read_drawings, summary
    from mnist_edge_trainer.networks.config import TrainConfig
    from mnist_edge_trainer.training.train import train_run

    started = time.monotonic()
    run = train_run(TrainConfig(), data, "demo", runs_dir)
    source, folder = context.obj.find(runs_dir, run.name, None, None if data == "auto" else data)
    from mnist_edge_exporters.export.export_all import export_all, table
    from mnist_edge_exporters.parity.prove import raise_on_failures

    outcomes = export_all(source, spec.select("all", "all"), folder, spec.Options())
    raise_on_failures([(str(outcome.spec), outcome.failures) for outcome in outcomes], "not published")
    readings = read_drawings(model := folder / f"{run.name}-tflite-int8.tflite", run.folder / "pictures")
    pictures = [{"file": str(reading.file), "drawn": reading.drawn, "label": reading.label} for reading in readings]
    text = "\n".join(summary(run, table(outcomes), model, readings, time.monotonic() - started))
    print_result(
        as_json, {"run": str(run.folder), "exports": [each.to_dict() for each in outcomes], "pictures": pictures}, text
    )


for _command in (
    *(trainer_commands.train, trainer_commands.tune, trainer_commands.draw),
    *(exporter_commands.export, exporter_commands.verify, exporter_commands.drift),
    *(evaluate, compare, runs, exporter_commands.report, demo, bundle, sign, deploy),
):
    app.command(cls=StrictCommand)(_command)

for _name, _help in device_commands.HELP.items():
    app.command(_name, help=_help, context_settings=dict(device_commands.SETTINGS), add_help_option=False)(
        device_commands.forward
    )


def main() -> None:
    """Run the command line and exit with the code that belongs to the outcome."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # clean up as after Ctrl-C
    command_line.open_streams()
    hide_warnings(sys.argv)
    debug = "--debug" in sys.argv  # before or after the command, as on the device
    arguments = [each for each in sys.argv[1:] if each != "--debug"]
    names = [each.name or each.callback.__name__ for each in app.registered_commands if each.callback]
    name = " ".join(["mnist-edge", *[each for each in arguments if each in names][:1]])

    def command() -> int | None:
        options = ["--debug", *arguments] if debug else arguments
        code: int | None = app(options, prog_name="mnist-edge", standalone_mode=False)
        return code

    def worded(error: Exception) -> Exception:
        if isinstance(error, typer.Abort):
            sys.exit(130)  # a shell's code for SIGINT; after Ctrl-C there is nothing to explain
        if not arguments:  # typer has shown the help
            sys.exit(UsageError.exit_code)
        text = error.format_message().rstrip(".") if hasattr(error, "format_message") else None
        return error if text is None else UsageError(text[:1].lower() + text[1:])

    sys.exit(command_line.run(command, name, debug=debug, worded=worded))


if __name__ == "__main__":
    main()
