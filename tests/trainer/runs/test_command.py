from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.runs import command


def test_where_there_is_no_run_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run yet; make one with: mnist-edge train"):
        command.runs(tmp_path)
