"""What a person can choose about a training, checked before TensorFlow is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_edge_runtime.errors import UsageError

from .architectures import ARCHITECTURES, SMALL, Recipe

__all__ = ["TrainConfig"]


@dataclass(frozen=True)
class TrainConfig:
    """The options of a training; None stands for the architecture's own recipe.

    Raises:
        UsageError: an unknown architecture or a number out of range.
    """

    architecture: str = "classic"
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise UsageError(f"--arch {self.architecture} is unknown; choose from {', '.join(ARCHITECTURES)}")
        for option, value, lowest, highest in (
            ("--epochs", self.epochs, 1, 10_000),
            ("--batch-size", self.batch_size, 1, 65_536),
            ("--learning-rate", self.learning_rate, 1e-9, 10.0),
            ("--seed", self.seed, 0, 2**32 - 1),
        ):
            if value is not None and not lowest <= value <= highest:
                raise UsageError(f"{option} is {value}, expected {lowest} to {highest}")

    def recipe(self, images: int) -> Recipe:
        """Return the architecture's recipe for this number of training images, with what was chosen in its place."""
        row = ARCHITECTURES[self.architecture]
        default = row.recipe if images >= SMALL else row.small_recipe
        return Recipe(
            epochs=self.epochs or default.epochs,
            batch_size=self.batch_size or default.batch_size,
            learning_rate=float(self.learning_rate or default.learning_rate),
        )
