"""Run a study: load the data, tune, and save the results."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_edge_runtime.command_line import tell

from ..data import datasets
from ..tensorflow_import import import_tensorflow
from . import storage as storages
from . import study

if TYPE_CHECKING:
    from .results import Results
    from .search_space import SearchConfig

__all__ = ["run_study"]


def run_study(
    config: SearchConfig, data: str, name: str, runs_dir: Path, storage: str | None
) -> tuple[Results, list[Path]]:
    """Work on the study until it has all its trials; return its results and the files written.

    Args:
        config: the options of the search.
        data: as in `datasets.load`.
        name: the study's name.
        runs_dir: the folder of all runs.
        storage: the URL of a database, or None for a journal file in the study's folder.

    Raises:
        InputError: the data cannot be loaded, or the study is of other data or another search.
        UsageError: the name cannot be that of a study, or Optuna is missing.
    """
    folder = study.folder_of(runs_dir, name)
    dataset = datasets.load(data)
    split = datasets.split(dataset)
    opened = storages.open_storage(folder, storage, create=True)
    tell(dataset.summary(split))
    import_tensorflow()
    from . import results
    from .tune import tune

    searched = tune(config, dataset, split, opened, folder)
    if searched is None:  # repeat the command in a new process, which frees all memory
        sys.stderr.flush()
        again = [sys.executable, *sys.orig_argv[1:]]
        if sys.platform == "win32":  # where the shell does not wait for what exec starts
            sys.exit(subprocess.run(again, check=False).returncode)
        os.execv(sys.executable, again)
    found = results.collect(searched, config.objectives)
    return found, results.save(found, searched, folder)
