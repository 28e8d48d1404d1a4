from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.recipe import AUGMENTATIONS, Recipe
from mnist_edge_trainer.tuning import search_space
from mnist_edge_trainer.tuning.search_space import SPACES, Categorical, Range, SearchConfig

PARTS = {part.name: part.metadata for part in fields(Recipe)}
SEARCHED = [(network, part) for network, space in SPACES.items() for part in space]


def test_every_network_has_a_space() -> None:
    assert SPACES.keys() == ARCHITECTURES.keys()


@pytest.mark.parametrize(("network", "part"), SEARCHED)
def test_a_space_lies_within_what_a_recipe_may_be_and_around_the_networks_own(network: str, part: str) -> None:
    where, row = SPACES[network][part], ARCHITECTURES[network]
    own = [getattr(recipe, part) for recipe in (row.recipe, row.small_recipe)]
    if isinstance(where, Categorical):
        assert set(own) <= set(where.values)
        ends = [min(where.values), max(where.values)]
    else:
        assert where.low < where.high
        assert all(where.low <= value <= where.high for value in own)
        ends = [where.low, where.high]
    assert PARTS[part]["lowest"] <= ends[0]
    assert ends[1] <= PARTS[part]["highest"]


def test_what_is_chosen_is_not_searched() -> None:
    config = SearchConfig(("small",), augment="light", parts={"dropout": 0.1, "epochs": 3, "shift": 1.0})
    assert config.space("small").keys() == SPACES["small"].keys() - AUGMENTATIONS["light"].keys() - {"dropout"}
    recipe = config.training("small", {"learning_rate": 0.02}).recipe(55_000)
    assert (recipe.dropout, recipe.epochs, recipe.shift, recipe.learning_rate) == (0.1, 3, 1.0, 0.02)
    assert recipe.rotation == AUGMENTATIONS["light"]["rotation"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"networks": ("resnet",)}, "--arch resnet is unknown"),
        ({"objectives": ("accuracy", "watt")}, "--objectives: 'watt' is unknown"),
        ({"objectives": ("",)}, "--objectives: '' is unknown"),
        ({"objectives": ("macs",)}, "--objectives must begin with accuracy"),
        ({"objectives": ("accuracy", "macs", "macs")}, "name each once"),
        ({"trials": 0}, "--trials is 0, expected 1 to"),
        ({"max_parameters": 0}, "--max-parameters is 0, expected 1 to"),
        ({"max_macs": -1}, "--max-macs is -1, expected 1 to"),
        ({"stale_after": 0.5}, "--stale-after is 0.5, expected 1 to"),
        ({"stale_after": float("nan")}, "--stale-after is nan"),
        ({"augment": "wild"}, "--augment wild is unknown"),
        ({"parts": {"dropout": 2.0}}, "--dropout is 2.0, expected 0 to 0.9"),
        (
            {"networks": ("nano",), "parts": {part: PARTS[part]["lowest"] for part in SPACES["nano"]}},
            "there is nothing to search",
        ),
    ],
)
def test_an_option_out_of_range_is_named(chosen: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SearchConfig(**chosen)


def test_optuna_that_is_missing_is_told_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_space, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install ./runtime '.\[tune\]'"):
        SearchConfig()


def test_ranges_of_orders_of_magnitude_begin_above_nothing() -> None:
    ranges = [where for space in SPACES.values() for where in space.values() if isinstance(where, Range)]
    assert all(where.low > 0 for where in ranges if where.log)
