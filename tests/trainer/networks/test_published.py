from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.published import PUBLISHED, TRAINED_ON, name_in, weights_file

ROOT = Path(__file__).parents[3]


def test_each_published_network_is_in_the_table_and_has_its_file() -> None:
    assert set(PUBLISHED) <= set(ARCHITECTURES)
    folder = weights_file("base").parent
    assert sorted(file.stem for file in folder.glob("*.keras")) == sorted(PUBLISHED)
    assert all(weights_file(network).is_file() for network in PUBLISHED)


def test_a_name_means_the_network_where_no_file_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert [name_in(Path(each)) for each in ("pico", "other", "pico.keras", "a/pico")] == ["pico", None, None, None]
    Path("pico").touch()
    assert name_in(Path("pico")) is None


def test_all_were_trained_on_the_same_images() -> None:
    files = [
        *(ROOT / "models").glob("*-int8.tflite"),
        *(ROOT / "runtime" / "mnist_edge_runtime" / "models").glob("*-int8.tflite"),
    ]
    assert sorted(file.name.removesuffix("-int8.tflite") for file in files) == sorted(PUBLISHED)
    for file in files:
        origin = sealed_model.read(file).contract.origin
        assert (origin["dataset"]["sha256"], origin["split"]["sha256"]) == TRAINED_ON, file.name
