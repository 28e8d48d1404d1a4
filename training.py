"""The commands that train: one network by one recipe, or many in search of a better one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mnist_edge import workflow
from mnist_edge.options import AsJson, Augment, Data, RunsDir, Storage, recipe_options, show
from mnist_edge_runtime.errors import UsageError

__all__ = ["train", "tune"]


@recipe_options  # type: ignore[untyped-decorator]  # mypy knows no mnist_edge
def train(
    arch: Annotated[str | None, typer.Option(help="classic, base, small, tiny or nano. (default: classic)")] = None,
    data: Data = "auto",
    augment: Augment = None,
    fast: Annotated[bool, typer.Option("--fast", help="A quick try; --arch is small by default.")] = False,
    teacher: Annotated[list[str] | None, typer.Option(help="A run to learn from; repeatable.")] = None,
    from_study: Annotated[
        str | None, typer.Option(help="STUDY or STUDY:TRIAL, whose network, recipe and seed are the default.")
    ] = None,
    storage: Storage = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same weights. (default: 0)")] = None,
    name: Annotated[str | None, typer.Option(help="The run's name. (default: the network's)")] = None,
    runs_dir: RunsDir = Path("runs"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a run of that name.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where a killed training stopped.")] = False,
    tensorboard: Annotated[Path | None, typer.Option(help="A folder for TensorBoard's logs.")] = None,
    as_json: AsJson = False,
    **parts: float | None,
) -> None:
    """Train a network and write its run: model, figures, plots."""
    from mnist_edge_trainer.config import TrainConfig

    chosen = {part: value for part, value in parts.items() if value is not None}
    if storage and not from_study:
        raise UsageError("--storage is where --from-study looks; name a study with it")
    if from_study:
        found = workflow.recall(from_study, runs_dir, storage, fast=fast)
        config = found.training(arch, seed, augment, tensorboard, chosen)
    else:
        config = TrainConfig(arch or ("small" if fast else "classic"), seed or 0, augment, fast, tensorboard, chosen)
    name = name or config.architecture
    run = workflow.train(config, data, name, runs_dir, teacher or (), overwrite=overwrite, resume=resume)
    show(as_json, {"run": str(run.folder), **run.record}, run.summary())


@recipe_options  # type: ignore[untyped-decorator]
def tune(
    arch: Annotated[list[str] | None, typer.Option(help="A network to choose from; repeatable. (default: all)")] = None,
    data: Data = "auto",
    augment: Augment = None,
    trials: Annotated[int, typer.Option(help="Finished trials that the study shall have in all.")] = 50,
    objectives: Annotated[str, typer.Option(help="accuracy, alone or with macs, parameters or both.")] = "accuracy",
    max_parameters: Annotated[int | None, typer.Option(help="Networks with more are not tried.")] = None,
    max_macs: Annotated[int | None, typer.Option(help="Networks with more multiply-accumulates, neither.")] = None,
    study: Annotated[str | None, typer.Option(help="Its name. (default: the networks, or all)")] = None,
    storage: Storage = None,
    stale_after: Annotated[float, typer.Option(help="Seconds of silence that mean a worker is dead.")] = 60,
    seed: Annotated[int, typer.Option(help="Of what is tried, and of each training.")] = 0,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
    **parts: float | None,
) -> None:
    """Search for the recipe with the best validation accuracy; parts that are chosen here are not searched.

    The same command, repeated or run elsewhere on the same runs or database, works on the same study.
    """
    from mnist_edge_trainer.search import SearchConfig

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
    found, files = workflow.tune(config, data, study or "-".join(arch or ["all"]), runs_dir, storage)
    names = [str(file) for file in files]
    show(as_json, {**found.to_dict(), "files": names}, "\n  ".join([f"{found.table()}\nTo look at:", *names]))
