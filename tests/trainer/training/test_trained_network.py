from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError, ModelError, UsageError
from mnist_edge_trainer.networks.published import PUBLISHED, TRAINED_ON, weights_file
from mnist_edge_trainer.runs.run import Run
from mnist_edge_trainer.training.trained_network import find, of_run


def test_a_published_network_is_found_by_its_name_and_by_its_file(tmp_path: Path) -> None:
    for network in PUBLISHED:
        found = find("--from", network, tmp_path)
        assert (found.kind, found.name, found.labels, found.handwriting) == (
            "published",
            network,
            (*"0123456789",),
            True,
        )
        assert find("--from", str(weights_file(network)), tmp_path) == found


def test_a_run_is_found_by_its_name_its_folder_and_its_file(teacher: Run) -> None:
    runs_dir = teacher.folder.parent
    found = find("--from", "teacher", runs_dir)
    assert (found.kind, found.architecture, found.file) == ("run", "classic", teacher.model_file)
    assert found.labels == tuple(teacher.record["labels"])
    for choice in (teacher.folder, teacher.model_file):
        assert find("--from", str(choice), runs_dir / "elsewhere").describe() == found.describe()


def test_a_file_of_ones_own_is_found(teacher: Run, tmp_path: Path) -> None:
    file = Path(shutil.copy(teacher.model_file, tmp_path / "mine.keras"))
    found = find("--from", str(file), tmp_path)
    assert (found.kind, found.name, found.labels, found.run) == ("file", "mine", None, None)


def test_a_name_of_two_networks_is_refused(teacher: Run, tmp_path: Path) -> None:
    shutil.copytree(teacher.folder, tmp_path / "small")
    with pytest.raises(UsageError, match=r"leaves open which is meant; name the run by its file, .*small/model\.keras"):
        find("--from", "small", tmp_path)
    assert find("--from", str(tmp_path / "small" / "model.keras"), tmp_path).kind == "run"


@pytest.mark.parametrize(
    ("choice", "error", "message"),
    [
        ("nobody", InputError, r"is no published network \(base, .*\), no run in .* \(there is none\) and no \.keras"),
        ("lost.keras", InputError, r"lost\.keras: no such file"),
        ("runs/lost.keras", InputError, r"no such file"),
        ("small-int8.tflite", ModelError, r"an exported file is not trained; name the run"),
        ("runs/small-int8.onnx", ModelError, r"an exported file is not trained"),
    ],
)
def test_what_is_no_network_is_told(choice: str, error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        find("--from", choice, tmp_path)


def test_what_trained_it_and_where_its_answers_are_kept(teacher: Run, tmp_path: Path) -> None:
    found = find("--teacher", "teacher", teacher.folder.parent)
    assert found == of_run(teacher)
    assert found.answers == teacher.folder
    assert found.trained_on == (teacher.record["dataset"]["sha256"], teacher.record["split"]["sha256"])
    published = find("--teacher", "pico", tmp_path)
    assert (published.trained_on, published.answers) == (TRAINED_ON, tmp_path / ".answers")
    file = Path(shutil.copy(teacher.model_file, tmp_path / "mine.keras"))
    assert find("--teacher", str(file), tmp_path).trained_on is None


def test_nothing_is_written_of_a_network_that_changed(teacher: Run, tmp_path: Path) -> None:
    found = find("--teacher", shutil.copy(teacher.model_file, tmp_path / "mine.keras"), tmp_path)
    with found.unchanged():
        pass
    found.file.write_bytes(b"other")
    with pytest.raises(InputError, match="was replaced"), found.unchanged():
        pytest.fail("it has changed")
