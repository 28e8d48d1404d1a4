"""Train a network: load the data, fit, and write the run."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import NO_SPACE, InputError

from ..data import datasets
from ..networks.config import TrainConfig
from ..runs import locks, replacement, run
from ..runs.run import Run
from ..tensorflow_import import import_tensorflow
from . import checkpoint, trained_network

__all__ = ["train_run"]


def train_run(
    config: TrainConfig,
    data: str,
    name: str,
    runs_dir: Path,
    teachers: Sequence[str] = (),
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Run:
    """Load the data and the teachers, fit the network and write the run.

    Args:
        config: the network and its recipe.
        data: as in `datasets.load`.
        name: the run's name.
        runs_dir: the folder of all runs.
        teachers: runs and published networks to learn from (knowledge distillation).
        overwrite: replace a run of that name.
        resume: continue a training of that name that was interrupted.

    Raises:
        InputError: the data or a teacher cannot be loaded, another process is training a run of that name, or there
            is no space left.
        UsageError: the name cannot be that of a run.
    """
    run.check_name(name)
    found = [trained_network.find("--teacher", teacher, runs_dir) for teacher in teachers]
    with locks.training(runs_dir, name):
        replacement.remove_leftovers(runs_dir, name)
        dataset = datasets.load(data)
        split = datasets.split(dataset)
        tell(dataset.summary(split))
        fingerprint = checkpoint.fingerprint(config, dataset, split, found)
        with checkpoint.working_folder(runs_dir, name, fingerprint, resume=resume) as folder:
            if config.fast:  # steps too small to share: two threads take a third longer than one
                os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
            import_tensorflow()
            from .fit import train

            try:
                trained = train(config, dataset, split, folder, found)
                return run.save(trained, dataset, runs_dir, name, overwrite=overwrite)
            except OSError as error:
                if error.errno not in NO_SPACE:
                    raise
                raise InputError(f"{runs_dir}: no space left on the disk; {_kept(folder)}") from None
            except Exception as error:  # TensorFlow has one of its own for what TensorBoard's log cannot write
                if not config.tensorboard or os.strerror(errno.ENOSPC) not in str(error):
                    raise
                raise InputError(f"{config.tensorboard}: no space left on the disk; {_kept(folder)}") from None


def _kept(folder: Path) -> str:
    """Say what a training that ends for lack of space has kept, and what to do."""
    state = checkpoint.read(folder)
    if state is None:
        return "nothing was kept of this training; make room, then repeat the command"
    return f"epoch {len(state.history['loss'])} is kept: make room, then repeat the command with --resume"
