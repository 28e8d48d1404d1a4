from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.networks import config
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.networks.recipe import AUGMENTATIONS, FAST, FAST_SMALL, Recipe, option

MANY, FEW = 55_000, 1_297
MODULES = [
    "commands",
    "data.datasets",
    "networks.architectures",
    "networks.config",
    "runs.run",
    "training.checkpoint",
    "tuning.search_space",
]


PARTS = {part.name: part.metadata for part in fields(Recipe)}


@pytest.mark.parametrize(
    ("option", "chosen", "value"),
    [
        ("--arch", {"architecture": "resnet"}, "resnet"),
        ("--arch", {"architecture": ""}, ""),
        ("--augment", {"augment": "wild"}, "wild"),
        ("--augment", {"augment": ""}, ""),
        ("--seed", {"seed": -1}, -1),
        ("--seed", {"seed": 2**32}, 2**32),
        *((option(name), {"parts": {name: float("nan")}}, "nan") for name in PARTS),
        *((option(name), {"parts": {name: part["lowest"] - 1}}, part["lowest"] - 1) for name, part in PARTS.items()),
        *((option(name), {"parts": {name: part["highest"] + 1}}, part["highest"] + 1) for name, part in PARTS.items()),
        ("--epochs", {"parts": {"epochs": 0}}, 0),
        ("--batch-size", {"parts": {"batch_size": 0}}, 0),
        ("--learning-rate", {"parts": {"learning_rate": 0.0}}, 0.0),
        ("--learning-rate", {"parts": {"learning_rate": float("inf")}}, "inf"),
    ],
)
def test_an_option_out_of_range_is_named(option: str, chosen: dict[str, Any], value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig(**chosen)
    assert str(caught.value).startswith(f"{option} ")
    assert str(value) in str(caught.value)


def test_tensorboard_that_is_missing_is_told_immediately(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install ./runtime '.\[tensorboard\]'"):
        TrainConfig(tensorboard=tmp_path)


def test_an_unknown_architecture_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig(architecture="resnet")
    assert all(name in str(caught.value) for name in ARCHITECTURES)


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_seeds(seed: int) -> None:
    assert TrainConfig(seed=seed).seed == seed


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_without_a_choice_it_is_the_architectures_recipe(architecture: str) -> None:
    chosen, row = TrainConfig(architecture), ARCHITECTURES[architecture]
    assert chosen.recipe(MANY) == row.recipe
    assert chosen.recipe(FEW) == row.small_recipe


def test_ten_thousand_images_are_many() -> None:
    assert TrainConfig().recipe(10_000) == TrainConfig().recipe(MANY)
    assert TrainConfig().recipe(9_999) == TrainConfig().recipe(FEW) != TrainConfig().recipe(MANY)


@pytest.mark.parametrize("images", [MANY, FEW])
@pytest.mark.parametrize(("name", "value"), [("epochs", 7), ("batch_size", 33), ("learning_rate", 0.02), ("ema", 0.0)])
def test_a_choice_replaces_that_part_of_the_recipe_alone(images: int, name: str, value: Any) -> None:
    for architecture in ("classic", "small"):
        chosen = TrainConfig(architecture, parts={name: value}).recipe(images)
        assert {**vars(TrainConfig(architecture).recipe(images)), name: value} == vars(chosen)


@pytest.mark.parametrize("augment", AUGMENTATIONS)
def test_an_augmentation_replaces_the_recipes_own_and_a_part_replaces_that_of_the_augmentation(augment: str) -> None:
    for architecture in ("classic", "small"):
        default = vars(TrainConfig(architecture).recipe(MANY))
        recipe = TrainConfig(architecture, augment=augment, parts={"shear": 33.0}).recipe(MANY)
        assert vars(recipe) == {**default, **AUGMENTATIONS[augment], "shear": 33.0}


@pytest.mark.parametrize(("images", "recipe"), [(MANY, FAST), (FEW, FAST_SMALL)])
def test_fast_is_one_recipe_for_every_network(images: int, recipe: Recipe) -> None:
    assert {TrainConfig(name, fast=True).recipe(images) for name in ARCHITECTURES} == {recipe}
    assert TrainConfig("small", fast=True, parts={"epochs": 3}).recipe(images) == replace(recipe, epochs=3)


@pytest.mark.parametrize("module", MODULES)
def test_looking_around_loads_nothing_heavy(module: str) -> None:
    """An option out of range must be told immediately, not after TensorFlow."""
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'optuna', 'sklearn', 'scipy'}"
    code = f"import sys, mnist_edge_trainer.{module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
