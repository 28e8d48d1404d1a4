from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.host import cache_folder
from mnist_edge_trainer.networks.published import PUBLISHED, TRAINED_ON, weights_file
from mnist_edge_trainer.runs.run import Run
from mnist_edge_trainer.training.teachers import find, of_run


def test_a_run_keeps_its_answers_in_its_folder(teacher: Run) -> None:
    found = find("teacher", teacher.folder.parent)
    assert found == of_run(teacher)
    assert (found.name, found.model_file, found.answers) == ("teacher", teacher.model_file, teacher.folder)
    assert found.trained_on == (teacher.record["dataset"]["sha256"], teacher.record["split"]["sha256"])


def test_a_published_network_needs_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for network in PUBLISHED:
        found = find(network, tmp_path / "runs")
        assert (found.name, found.model_file, found.trained_on) == (network, weights_file(network), TRAINED_ON)
        assert found.answers == cache_folder()
        assert f"teacher {network}: the published network" in capsys.readouterr().err
    with found.unchanged():
        pass


def test_a_run_with_the_name_of_a_published_network_is_meant(
    teacher: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(teacher.folder, tmp_path / "small")
    assert find("small", tmp_path).model_file == tmp_path / "small" / "model.keras"
    assert "published" not in capsys.readouterr().err


def test_a_network_that_changes_writes_no_answers(teacher: Run, tmp_path: Path) -> None:
    shutil.copytree(teacher.folder, tmp_path / "other")
    found = find("other", tmp_path)
    found.model_file.write_bytes(b"other")
    with pytest.raises(InputError, match="was replaced"), found.unchanged():
        pytest.fail("it has changed")


def test_there_is_no_such_teacher(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no run 'nobody'"):
        find("nobody", tmp_path)
