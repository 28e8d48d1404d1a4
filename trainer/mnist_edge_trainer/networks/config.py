"""Check the options of a training before TensorFlow is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.host import install_extra

from .architectures import ARCHITECTURES, SMALL
from .recipe import AUGMENTATIONS, FAST, FAST_SMALL, Recipe, augmented, check_parts

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """The options of a training.

    Attributes:
        architecture: a row of the table of networks.
        seed: random seed of the initial weights, the order of the images and the augmentation.
        augment: a row of the table of augmentations; None keeps that of the recipe.
        fast: use the recipe that takes seconds.
        tensorboard: a folder for TensorBoard's logs.
        parts: parts of a recipe that replace the architecture's own.
        study: the study and the trial that the parts come from, for the record.

    Raises:
        UsageError: an unknown name or a number out of range.
    """

    architecture: str = "classic"
    seed: int = 0
    augment: str | None = None
    fast: bool = False
    tensorboard: Path | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    study: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UsageError(f"--arch {self.architecture} is unknown; choose from {', '.join(ARCHITECTURES)}")
        if self.augment is not None and self.augment not in AUGMENTATIONS:
            raise UsageError(f"--augment {self.augment} is unknown; choose from {', '.join(AUGMENTATIONS)}")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"--seed is {self.seed}, expected 0 to {2**32 - 1}")
        if self.tensorboard and find_spec("tensorboard") is None:
            raise UsageError(f"--tensorboard needs TensorBoard; install it {install_extra('tensorboard')}")
        check_parts(self.parts)

    def recipe(self, images: int) -> Recipe:
        """Return the recipe for this number of training images, with the chosen parts replaced."""
        row = ARCHITECTURES[self.architecture]
        recipe, small_recipe = (FAST, FAST_SMALL) if self.fast else (row.recipe, row.small_recipe)
        default = recipe if images >= SMALL else small_recipe
        parts: dict[str, Any] = dict(self.parts)
        return replace(augmented(self.augment, default) if self.augment else default, **parts)
