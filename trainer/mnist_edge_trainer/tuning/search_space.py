"""Define the search space of each network's recipe, and check the options of a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.host import install_extra

from ..networks.architectures import ARCHITECTURES
from ..networks.config import TrainConfig
from ..networks.recipe import AUGMENTATIONS

__all__ = ["OBJECTIVES", "SPACES", "Categorical", "Range", "SearchConfig", "need_optuna"]


@dataclass(frozen=True)
class Range:
    """The interval from low to high, both included; with `log`, sampled on a logarithmic scale."""

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class Categorical:
    """A few distinct values."""

    values: tuple[int, ...]


Space = Mapping[str, Range | Categorical]

# Not searched: the number of epochs, a trial's budget; photometric augmentation, of no use for clean accuracy.
_AUGMENTATION: Space = {
    "rotation": Range(0, 20),
    "shear": Range(0, 15),
    "zoom": Range(0, 0.2),
    "shift": Range(0, 3),
    "clean": Range(0, 0.3),
}
_SPACE: Space = {
    "learning_rate": Range(2e-3, 3e-2, log=True),
    "batch_size": Categorical((32, 64, 128, 256)),
    "warmup": Range(0, 0.2),
    "weight_decay": Range(1e-4, 1e-1, log=True),
    "ema": Range(5e-3, 1e-1, log=True),
    "label_smoothing": Range(0, 0.1),
    **_AUGMENTATION,
}

SPACES: Mapping[str, Space] = {
    "classic": {
        "learning_rate": Range(2e-4, 5e-3, log=True),  # lower than the others: it has no batch normalization
        "batch_size": Categorical((32, 64, 128, 256)),
        "final_learning_rate": Range(0, 1),
        "dropout": Range(0, 0.5),
        **_AUGMENTATION,
    },
    "teacher": {**_SPACE, "dropout": Range(0, 0.5)},
    "base": {**_SPACE, "dropout": Range(0, 0.5)},
    "small": {**_SPACE, "dropout": Range(0, 0.3)},
    # Networks this small underfit rather than overfit: no dropout.
    "tiny": _SPACE,
    "nano": _SPACE,
    "pico": _SPACE,
}

OBJECTIVES: Mapping[str, str] = {"accuracy": "maximize", "macs": "minimize", "parameters": "minimize"}


@dataclass(frozen=True)
class SearchConfig:
    """The options of a search.

    Attributes:
        networks: rows of the table of networks; empty for all of them.
        objectives: "accuracy", on the validation images, alone or with "macs" and "parameters".
        max_parameters, max_macs: larger networks are skipped.
        trials: total number of finished trials of the study.
        seed: random seed of the search and of each training.
        augment: a row of the table of augmentations, which fixes these parts.
        parts: parts of the recipe that are fixed, not searched.
        stale_after: seconds without a heartbeat after which a worker counts as dead.

    Raises:
        UsageError: an unknown name, a number out of range, nothing to search, or Optuna is not installed.
    """

    networks: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ("accuracy",)
    max_parameters: int | None = None
    max_macs: int | None = None
    trials: int = 50
    seed: int = 0
    augment: str | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    stale_after: float = 60.0

    def __post_init__(self) -> None:
        for network in self.networks or ARCHITECTURES:
            self.training(network)
        for objective in self.objectives:
            if objective not in OBJECTIVES:
                raise UsageError(f"--objectives: {objective!r} is unknown; choose from {', '.join(OBJECTIVES)}")
        if self.objectives[:1] != ("accuracy",) or len(set(self.objectives)) < len(self.objectives):
            raise UsageError("--objectives must begin with accuracy and name each once, such as accuracy,macs")
        limits: Sequence[tuple[str, float | None, float]] = (
            ("--trials", self.trials, 1_000_000),
            ("--max-parameters", self.max_parameters, 10**12),
            ("--max-macs", self.max_macs, 10**12),
            ("--stale-after", self.stale_after, 86_400),
        )
        for option, value, highest in limits:
            if value is not None and not 1 <= value <= highest:
                raise UsageError(f"{option} is {value}, expected 1 to {highest}")
        if len(self.networks) == 1 and not self.space(self.networks[0]):
            raise UsageError(
                "every part of the recipe is fixed by an option, so there is nothing to search; leave some out"
            )
        need_optuna("tune")

    @property
    def fixed(self) -> dict[str, Any]:
        """The parts of a recipe that are the same in every trial."""
        return {**AUGMENTATIONS.get(self.augment or "", {}), **self.parts}

    def space(self, network: str) -> Space:
        """Return the searched parts of a network's recipe, each with its domain."""
        return {part: domain for part, domain in SPACES[network].items() if part not in self.fixed}

    def training(self, network: str, parts: Mapping[str, float] | None = None) -> TrainConfig:
        """Return the options of a trial's training with these searched parts."""
        return TrainConfig(network, self.seed, parts={**(parts or {}), **self.fixed}, augment=self.augment)


def need_optuna(what: str) -> None:
    """Raise UsageError if Optuna is not installed; the message begins with `what`, which needs it."""
    if find_spec("optuna") is None:
        raise UsageError(f"{what} needs Optuna; install it {install_extra('tune')}")
