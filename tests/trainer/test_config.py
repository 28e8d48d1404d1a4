from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.architectures import ARCHITECTURES
from mnist_edge_trainer.config import TrainConfig

MANY, FEW = 55_000, 1_297


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("--arch", "architecture", "resnet"),
        ("--arch", "architecture", ""),
        ("--epochs", "epochs", 0),
        ("--epochs", "epochs", -1),
        ("--epochs", "epochs", 10_001),
        ("--batch-size", "batch_size", 0),
        ("--batch-size", "batch_size", -128),
        ("--batch-size", "batch_size", 65_537),
        ("--learning-rate", "learning_rate", 0.0),
        ("--learning-rate", "learning_rate", -1e-3),
        ("--learning-rate", "learning_rate", 10.5),
        ("--learning-rate", "learning_rate", float("inf")),
        ("--learning-rate", "learning_rate", float("nan")),
        ("--seed", "seed", -1),
        ("--seed", "seed", 2**32),
    ],
)
def test_an_option_out_of_range_is_named(option: str, name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig(**{name: value})
    assert str(caught.value).startswith(f"{option} ")
    assert str(value) in str(caught.value)


def test_an_unknown_architecture_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        TrainConfig(architecture="resnet")
    assert all(name in str(caught.value) for name in ARCHITECTURES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 1),
        ("epochs", 10_000),
        ("batch_size", 1),
        ("batch_size", 65_536),
        ("learning_rate", 1e-9),
        ("learning_rate", 10.0),
        ("seed", 0),
        ("seed", 2**32 - 1),
    ],
)
def test_the_ends_of_a_range_belong_to_it(name: str, value: Any) -> None:
    assert getattr(TrainConfig(**{name: value}), name) == value


@pytest.mark.parametrize(("name", "highest"), [("epochs", 10_000), ("batch_size", 65_536), ("seed", 2**32 - 1)])
def test_the_message_names_the_highest_value_exactly(name: str, highest: int) -> None:
    above: dict[str, Any] = {name: highest + 1}
    with pytest.raises(UsageError) as caught:
        TrainConfig(**above)
    assert str(highest) in str(caught.value).replace(",", "")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_without_a_choice_it_is_the_architectures_recipe(architecture: str) -> None:
    config, row = TrainConfig(architecture), ARCHITECTURES[architecture]
    assert config.recipe(MANY) == row.recipe
    assert config.recipe(FEW) == row.small_recipe


def test_ten_thousand_images_are_many() -> None:
    assert TrainConfig().recipe(10_000) == TrainConfig().recipe(MANY)
    assert TrainConfig().recipe(9_999) == TrainConfig().recipe(FEW) != TrainConfig().recipe(MANY)


@pytest.mark.parametrize("images", [MANY, FEW])
@pytest.mark.parametrize(("name", "value"), [("epochs", 7), ("batch_size", 33), ("learning_rate", 0.02)])
def test_a_choice_replaces_that_part_of_the_recipe_alone(images: int, name: str, value: Any) -> None:
    chosen, default = TrainConfig(**{name: value}).recipe(images), TrainConfig().recipe(images)
    assert {**vars(default), name: value} == vars(chosen)


@pytest.mark.parametrize("module", ["config", "data", "run", "architectures"])
def test_looking_around_loads_nothing_heavy(module: str) -> None:
    """An option out of range must be told at once, not after TensorFlow."""
    heavy = "{'tensorflow', 'keras', 'matplotlib', 'sklearn', 'scipy'}"
    code = f"import sys, mnist_edge_trainer.{module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
