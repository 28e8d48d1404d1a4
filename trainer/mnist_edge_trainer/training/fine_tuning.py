"""Fine-tune a network for `train --from`: load the network, the data and own pictures, fit, and write the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.confidence_interval import format_accuracy
from mnist_edge_runtime.errors import NO_SPACE, InputError, VerificationError

from ..data import datasets, own_pictures
from ..data.datasets import Dataset, Split
from ..data.own_pictures import JoinedDataset, OwnPictures
from ..data.parts import Part, listed
from ..handwriting import pool
from ..handwriting.pool import Pool
from ..networks import architectures
from ..networks.config import TrainConfig
from ..networks.recipe import Recipe
from ..runs import locks, replacement, run
from ..runs.run import Run, TrainedRun
from ..tensorflow_import import import_tensorflow
from . import trained_network
from .trained_network import TrainedNetwork

if TYPE_CHECKING:
    from .attempts import Attempt

__all__ = ["fine_tune_run", "summary"]

_HANDWRITING, _SHARE = 1500, 6  # generated digits, and how often each is among the images that are replayed
_COMPARED = 2000  # images of the known classes from which a new one is told at first


def fine_tune_run(
    start: str,
    also: Path,
    data: str,
    name: str | None,
    runs_dir: Path,
    seed: int,
    *,
    overwrite: bool = False,
    recipe: Recipe | None = None,
) -> Run:
    """Load the network, the data and own pictures, fine-tune the network, and write the run.

    Args:
        start: the network, as `trained_network.find` takes it.
        also: the folder of own pictures.
        data: as in `datasets.load`; "auto" stands for the data of a run that is fine-tuned.
        name: of the new run; None for that of the network with -own.
        runs_dir: the folder of all runs.
        seed: random seed.
        overwrite: replace a run of that name.
        recipe: the epochs, the batch size and the augmentation; by default that of `attempts`.

    Raises:
        InputError: the network, the data or own pictures cannot be used, or there is no space left.
        ModelError: the network cannot be trained, or was trained on other pixels.
        UsageError: a name that is not allowed, or is of two networks.
        VerificationError: the network unlearns too much; nothing is kept.
    """
    started = time.monotonic()
    TrainConfig(seed=seed)  # which checks it
    found = trained_network.find("--from", start, runs_dir)
    name = name or f"{found.name}-own"
    run.check_name(name)
    with locks.training(runs_dir, name):
        replacement.remove_leftovers(runs_dir, name)
        base, earlier = _data(found, data)
        own = own_pictures.read(also, found.labels or base.labels, earlier)
        joined, split = own_pictures.join(base, own), datasets.split(base)
        tell(base.summary(split))
        counts = own.describe()
        of_classes = listed([f"{label} {count}" for label, count in counts["per_class"].items()], 20)
        tell(f"{also}: {counts['train']} own pictures train, {counts['held_out']} held out ({of_classes})")
        drawn = pool.for_training(_HANDWRITING, joined.labels) if found.handwriting else None
        import_tensorflow()
        trained = _trained(found, base, split, joined, own, drawn, seed, recipe, started)
        try:
            return run.save(trained, joined, runs_dir, name, overwrite=overwrite)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            raise InputError(f"{runs_dir}: no space left on the disk; make room and repeat the command") from None


def _data(found: TrainedNetwork, data: str) -> tuple[Dataset, OwnPictures | None]:
    """Return the data set that the network must not unlearn, and the own pictures that trained it before.

    Raises:
        InputError: its classes are not those of the network.
    """
    of_run = found.run if data == "auto" else None
    if found.kind == "published" and data == "auto":
        data = "mnist"  # which it must not unlearn
    base = of_run.base_dataset() if of_run else datasets.load(data)
    earlier = found.run.own_pictures() if found.run else None
    labels = found.labels or base.labels
    own = earlier.classes if earlier else []
    if labels[: len(base.labels)] != base.labels or not set(labels[len(base.labels) :]) <= set(own):
        raise InputError(
            f"{base.source}: its classes are {listed(list(base.labels))}, those of {found.name} "
            f"{listed(list(labels))}; name the data of that network with --data"
        )
    return base, earlier


def _trained(
    found: TrainedNetwork,
    base: Dataset,
    split: Split,
    joined: JoinedDataset,
    own: OwnPictures,
    drawn: Pool | None,
    seed: int,
    recipe: Recipe | None,
    started: float,
) -> TrainedRun:
    """Fine-tune the network, and measure it before and after."""
    from . import attempts, output_layer, pixel_check
    from .fit import versions

    recipe = recipe or attempts.RECIPE
    labels = joined.labels
    model = output_layer.load(found.file)
    known = found.labels or base.labels
    if model.output_shape[-1] != len(known):
        raise InputError(
            f"{found.file}: has {model.output_shape[-1]} classes, the data {len(known)}; name its own with --data"
        )
    validation = split.validation
    held, train = own.part(labels, held_out=True), own.part(labels, held_out=False)
    if not len(train.labels):
        raise InputError("no own picture is left to train on")
    before = {"validation": attempts.measure(model, validation)}
    before |= {"own": attempts.measure(model, held)} if len(held.labels) else {}
    pixel_check.check(found.file, model, validation, before["validation"]["accuracy"])
    replay = split.train
    if drawn:
        replay = Part(
            np.concatenate([replay.images, *[drawn.images] * _SHARE]),
            np.concatenate([replay.labels, *[drawn.labels] * _SHARE]),
        )
    if new := [label for label in labels if label not in known]:
        pictures = [train.images[train.labels == labels.index(label)] for label in new]
        some = np.linspace(0, len(replay.images) - 1, min(_COMPARED, len(replay.images))).astype(np.int64)
        model = output_layer.extended(model, pictures, replay.images[some])
    least = before["validation"]["accuracy"] - attempts.MOST_LOST - 1e-9
    try:
        tried = attempts.fine_tune(model, train, replay, validation, least, recipe, seed)
    except VerificationError as error:
        like = f", and whether {listed(new)} can be told from {listed(list(known))}" if new else ""
        raise VerificationError(
            f"{error}. Look whether each own picture lies under its right label{like}; more pictures help, too"
        ) from None
    after = {"validation": dict(tried[-1].validation)}
    after |= {"own": attempts.measure(model, held)} if len(held.labels) else {}
    test = attempts.measure(model, Part(base.test_images, base.test_labels))
    tests = [(test, len(base.test_labels)), *([(after["own"], len(held.labels))] if "own" in after else [])]
    record = {
        "architecture": found.architecture,
        "parameters": model.count_params(),
        "macs": architectures.count_macs(model),
        "labels": list(labels),
        "seed": seed,
        "recipe": asdict(recipe) | {"learning_rate": tried[-1].learning_rate},
        "handwriting": drawn and drawn.describe(),
        "teachers": [],
        "study": None,
        "from": found.describe(),
        "fine_tuning": _record(tried, before, {**after, "test": test}, len(base.test_labels)),
        "dataset": {**joined.describe(), "source": base.source},
        "split": datasets.split(joined).describe(),
        "metrics": {
            "train": attempts.measure(model, Part(joined.train_images, joined.train_labels)),
            "validation": after["validation"],
            "test": attempts.summed(tests),
        },
        "seconds": round(time.monotonic() - started, 1),
        "versions": versions(),
    }
    return TrainedRun(output_layer.uncompiled(model), tried[-1].history, record, own)


def _record(
    tried: list[Attempt], before: Mapping[str, Any], after: Mapping[str, Any], test_images: int
) -> dict[str, Any]:
    """Return the attempts, and the figures before and after on each part."""
    attempts = [
        {"learning_rate": each.learning_rate, "share": each.share, "validation": each.validation["accuracy"]}
        for each in tried
    ]
    return {"attempts": attempts, "before": dict(before), "after": dict(after), "test_images": test_images}


def summary(found: Run) -> str:
    """Summarize a fine-tuned run: what was added, and accuracies before and after."""
    record = found.record
    tuning, own, split = record["fine_tuning"], record["dataset"]["own"], record["split"]
    before, after, held = tuning["before"], tuning["after"], own["held_out"]
    last = tuning["attempts"][-1]
    lines = [
        f"{found.folder}: {record['from']['name']} ({record['architecture']}, {record['parameters']:,} parameters), "
        f"fine-tuned on {own['train']} own pictures and {record['dataset']['base']['name']}",
        f"in {record['seconds']:.0f} seconds, at learning rate {last['learning_rate']:g}, {last['share']:.0%} of the "
        "change kept; accuracy before and after:",
    ]
    if "own" in before:
        rights = [f"{round(each['own']['accuracy'] * held)} of {held}" for each in (before, after)]
        lines.append(f"  {'own pictures held out':<23}{rights[0]:>15}   {rights[1]}")
    else:
        lines.append("  no own picture was held out, since no class has two of them")
    pair = [format_accuracy(each["validation"]["accuracy"], split["validation"]) for each in (before, after)]
    lines.append(
        f"  {'validation images':<23}{before['validation']['accuracy']:>15.2%}   {pair[1]} of {split['validation']:,}"
    )
    test = format_accuracy(after["test"]["accuracy"], tuning["test_images"])
    lines.append(f"  {'test images':<23}{'':>15}   {test} of {tuning['test_images']:,}")
    if "own" in before and after["own"]["accuracy"] < before["own"]["accuracy"]:
        lines.append("WARNING: fewer own pictures are read right than before; look whether each lies under its label")
    if record["dataset"]["warning"]:
        lines.append(f"WARNING: {record['dataset']['warning']}")
    return "\n".join(lines)
