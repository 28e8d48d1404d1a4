from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.networks.recipe import AUGMENTATIONS, Recipe, augmented, check_parts, option

PARTS = {part.name: part.metadata for part in fields(Recipe)}


@pytest.mark.parametrize("name", PARTS)
def test_both_ends_of_a_range_are_allowed_and_nothing_beyond(name: str) -> None:
    lowest, highest = PARTS[name]["lowest"], PARTS[name]["highest"]
    for value in (lowest, highest):
        check_parts({name: value})
    for value in (lowest - 1, highest + 1, float("nan")):
        with pytest.raises(UsageError, match=rf"{option(name)} is {value}, expected {lowest} to {highest}"):
            check_parts({name: value})


def test_an_augmentation_replaces_its_own_parts_alone() -> None:
    recipe = Recipe(epochs=3, batch_size=8, learning_rate=0.1, shift=1.0, clean=0.5)
    assert vars(augmented("none", recipe)) == {**vars(recipe), "shift": 0.0}
    assert vars(augmented("light", recipe)) == {**vars(recipe), **AUGMENTATIONS["light"]}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_has_a_help_of_one_sentence(name: str) -> None:
    text = PARTS[name]["help"]
    assert text[0].isupper()
    assert text.count(".") == 1
    assert text.endswith(".")


def test_augmentations_grow() -> None:
    none, light, strong = AUGMENTATIONS.values()
    assert all(0 == none[part] < light[part] < strong[part] for part in none)


@pytest.mark.parametrize(
    ("parts", "epochs"),
    [({}, 0), ({"shift": 1.0}, 10), ({"photometric": 0.5, "clean": 0.2}, 8), ({"zoom": 0.1, "clean": 1.0}, 0)],
)
def test_augmented_epochs(parts: dict[str, Any], epochs: int) -> None:
    assert Recipe(10, 1, 1e-3, **parts).augmented_epochs == epochs
