"""Define the commands `train` and `tune`, and list `draw` beside them.

TensorFlow and Optuna are imported inside them: `--help` loads neither.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.path_checks import check_folder

from .handwriting.command import draw
from .networks.recipe import Recipe, option
from .options import AsJson, Data, RunsDir, complete_start, repeated

if TYPE_CHECKING:
    from .runs.run import Run
    from .tuning.study import TrialResult

__all__ = ["draw", "train", "tune"]

Augment = Annotated[str | None, typer.Option(help="Augmentation: none, light or strong. (default: the recipe's)")]
Storage = Annotated[
    str | None,
    typer.Option(help="Database of studies, such as postgresql://USER@HOST/DATABASE. (default: a journal file)"),
]


def recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace the `**` parameter of a command by one option for each part of a recipe; None means not given."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [each for each in signature.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    for part in fields(Recipe):
        kind: Any = {"int": int | None, "float": float | None}[str(part.type)]
        shown = typer.Option(help=part.metadata["help"], show_default=False, rich_help_panel="Parts of the recipe")
        annotation: Any = Annotated[kind, shown]
        parameters.append(Parameter(part.name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return command


@recipe_options
def train(
    arch: Annotated[
        str | None, typer.Option(help="Network: classic, teacher, base, small, tiny, nano or pico. (default: classic)")
    ] = None,
    data: Data = "auto",
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Network to fine-tune: base, small, tiny, nano or pico, a run, or a .keras file.",
            autocompletion=complete_start,
        ),
    ] = None,
    also: Annotated[
        Path | None,
        typer.Option(help="Folder of pictures of one's own for --from, DIR/CLASS/NAME.png.", callback=check_folder),
    ] = None,
    augment: Augment = None,
    fast: Annotated[bool, typer.Option("--fast", help="Train for seconds only, by default the network small.")] = False,
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="Run or published network to learn from (knowledge distillation); repeatable.",
            autocompletion=complete_start,
        ),
    ] = None,
    from_study: Annotated[
        str | None, typer.Option(help="Study, or STUDY:TRIAL, whose network, recipe and seed are used.")
    ] = None,
    storage: Storage = None,
    seed: Annotated[
        int | None, typer.Option(help="Random seed; the same seed gives the same weights. (default: 0)")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the run. (default: the network, with -fast after --fast, -own after that of --from)"
        ),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of the same name.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a training that was interrupted.")] = False,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder for TensorBoard logs.", callback=check_folder)
    ] = None,
    as_json: AsJson = False,
    **parts: float | None,
) -> None:
    """Train a network and write its run: model, metrics, plots."""
    started = time.monotonic()
    chosen = {part: value for part, value in parts.items() if value is not None}
    if start or also:
        given: dict[str, Any] = {
            "--arch": arch,
            "--augment": augment,
            "--fast": fast,
            "--teacher": teacher,
            "--resume": resume,
        }
        given |= {"--from-study": from_study, "--storage": storage, "--tensorboard": tensorboard}
        given |= {option(part): True for part in chosen}
        run, text = _fine_tuned(
            start,
            also,
            [each for each, value in given.items() if value],
            data,
            name,
            runs_dir,
            seed or 0,
            overwrite=overwrite,
        )
        _print_run(run, text, runs_dir, started, as_json)
        return
    from .networks.config import TrainConfig
    from .training.train import train_run

    if storage and not from_study:
        raise UsageError("--storage is the database of --from-study; name a study with it")
    if from_study:
        trial = _find_trial(from_study, runs_dir, storage, fast=fast)
        config = trial.training(arch, seed, augment, tensorboard, chosen)
    else:
        config = TrainConfig(arch or ("small" if fast else "classic"), seed or 0, augment, fast, tensorboard, chosen)
    name = name or config.architecture + ("-fast" if fast else "")
    run = train_run(config, data, name, runs_dir, teacher or (), overwrite=overwrite, resume=resume)
    _print_run(run, run.summary(), runs_dir, started, as_json)


@recipe_options
def tune(
    arch: Annotated[list[str] | None, typer.Option(help="Network to search; repeatable. (default: all)")] = None,
    data: Data = "auto",
    augment: Augment = None,
    trials: Annotated[int, typer.Option(help="Total number of finished trials.")] = 50,
    objectives: Annotated[
        str, typer.Option(help="Objectives, separated by commas: accuracy, or accuracy with macs, parameters or both.")
    ] = "accuracy",
    max_parameters: Annotated[int | None, typer.Option(help="Skip networks with more parameters.")] = None,
    max_macs: Annotated[int | None, typer.Option(help="Skip networks with more multiply-accumulates (MACs).")] = None,
    study: Annotated[str | None, typer.Option(help="Name of the study. (default: the networks, or all)")] = None,
    storage: Storage = None,
    stale_after: Annotated[
        float, typer.Option(help="Seconds without a heartbeat after which a worker counts as dead.")
    ] = 60,
    seed: Annotated[int, typer.Option(help="Random seed of the search and of each training.")] = 0,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
    **parts: float | None,
) -> None:
    """Search for the recipe with the best validation accuracy; parts set by an option are not searched.

    The same command, repeated or run elsewhere on the same runs or database, works on the same study.
    """
    from .tuning.run_study import run_study
    from .tuning.search_space import SearchConfig

    config = SearchConfig(
        networks=tuple(arch or ()),
        objectives=tuple(objectives.split(",")),
        max_parameters=max_parameters,
        max_macs=max_macs,
        trials=trials,
        seed=seed,
        augment=augment,
        parts={part: value for part, value in parts.items() if value is not None},
        stale_after=stale_after,
    )
    found, files = run_study(config, data, study or "-".join(arch or ["all"]), runs_dir, storage)
    names, table = [str(file) for file in files], found.table(repeated(runs_dir, storage))
    print_result(as_json, {**found.to_dict(), "files": names}, "\n  ".join([f"{table}\nTo look at:", *names]))


def _fine_tuned(
    start: str | None,
    also: Path | None,
    excluded: list[str],
    data: str,
    name: str | None,
    runs_dir: Path,
    seed: int,
    *,
    overwrite: bool,
) -> tuple[Run, str]:
    """Fine-tune a network on own pictures; return the run and its summary.

    Raises:
        UsageError: --from or --also is missing, or options are given that --from excludes.
    """
    if not start:
        raise UsageError("--also adds own pictures to a trained network; name it with --from, such as --from small")
    if not also:
        raise UsageError("--from fine-tunes a network on own pictures; name their folder with --also DIR")
    if excluded:
        raise UsageError(f"--from and {excluded[0]} exclude each other: fine-tuning has its own recipe; leave out one")
    from .training.fine_tuning import fine_tune_run, summary

    run = fine_tune_run(start, also, data, name, runs_dir, seed, overwrite=overwrite)
    return run, summary(run)


def _print_run(run: Run, summary: str, runs_dir: Path, started: float, as_json: bool) -> None:
    """Print a finished run, its plots and the next command; `started` is in monotonic seconds."""
    seconds = time.monotonic() - started
    drawn = [f"  {file}" for file in sorted(run.folder.glob("*.png"))]
    following = ["Next:", f"  mnist-edge export --run {run.name}{repeated(runs_dir)}"]
    took = f"the whole command took {seconds:.0f} seconds"
    text = "\n".join([summary, took, "To look at:", *drawn, *following])
    print_result(as_json, {"run": str(run.folder), "command_seconds": round(seconds, 1), **run.record}, text)


def _find_trial(choice: str, runs_dir: Path, storage: str | None, *, fast: bool) -> TrialResult:
    """Return the best trial of a study, or the named one.

    Raises:
        UsageError: --fast is given as well, or Optuna is not installed.
    """
    from .tuning.search_space import need_optuna

    if fast:
        raise UsageError("--from-study and --fast exclude each other; name one of them")
    need_optuna("--from-study")
    from .tuning import study

    return study.find_trial(runs_dir, choice, storage)
