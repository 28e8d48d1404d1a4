"""How a network is trained: the parts of a recipe, their ranges, and the named augmentations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mnist_edge_runtime.errors import UsageError

__all__ = ["AUGMENTATIONS", "FAST", "FAST_SMALL", "Recipe", "augmented", "check", "option"]


def _part(help: str, lowest: float, highest: float, **default: Any) -> Any:
    return field(metadata={"help": help, "lowest": lowest, "highest": highest}, **default)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. What is a share scales with the number of epochs; 0 leaves a part out."""

    epochs: int = _part("Passes over the images.", 1, 10_000)
    batch_size: int = _part("Images in a step.", 1, 65_536)
    learning_rate: float = _part("Of AdamW, at its highest.", 1e-9, 10)
    warmup: float = _part("Share of the steps in which the learning rate rises from 0.", 0, 0.9, default=0.0)
    final_learning_rate: float = _part("Share of it left after a cosine decay; 1 keeps it.", 0, 1, default=1.0)
    weight_decay: float = _part("Of AdamW, on kernels.", 0, 10, default=0.0)
    ema: float = _part("Share of the steps that the moving average of the weights spans.", 0, 1, default=0.0)
    dropout: float = _part("Share of the features dropped before the last layer.", 0, 0.9, default=0.0)
    label_smoothing: float = _part("Share of the target spread over all classes.", 0, 0.9, default=0.0)
    patience: int = _part("Epochs without a lower validation loss after which it stops.", 0, 10_000, default=0)
    rotation: float = _part("Augmentation: degrees at most.", 0, 180, default=0.0)
    shear: float = _part("Augmentation: degrees at most.", 0, 60, default=0.0)
    zoom: float = _part("Augmentation: share at most.", 0, 4, default=0.0)
    shift: float = _part("Augmentation: pixels at most.", 0, 28, default=0.0)
    photometric: float = _part("Augmentation: share of the images with odd light or dirt.", 0, 1, default=0.0)
    clean: float = _part("Share of the epochs, at the end, without augmentation.", 0, 1, default=0.0)
    teacher_share: float = _part("Share of the target that teachers give, where there are any.", 0, 1, default=0.9)
    variants: int = _part("Augmented variants of each image that teachers answer.", 1, 1_000, default=60)

    @property
    def augmented_epochs(self) -> int:
        """How many epochs, from the first, are augmented."""
        parts = (self.rotation, self.shear, self.zoom, self.shift, self.photometric)
        return round(self.epochs * (1 - self.clean)) if any(parts) else 0


AUGMENTATIONS: Mapping[str, Mapping[str, float]] = {
    "none": {"rotation": 0.0, "shear": 0.0, "zoom": 0.0, "shift": 0.0, "photometric": 0.0},
    "light": {"rotation": 12.0, "shear": 6.0, "zoom": 0.12, "shift": 2.0, "photometric": 0.1},
    "strong": {"rotation": 20.0, "shear": 15.0, "zoom": 0.2, "shift": 3.0, "photometric": 0.3},
}

FAST = Recipe(
    epochs=2,
    batch_size=64,
    learning_rate=1e-2,
    warmup=0.1,
    final_learning_rate=0.0,
    weight_decay=0.1,
    rotation=4.0,
    zoom=0.05,
    shift=0.5,
    clean=0.5,
)
FAST_SMALL = replace(FAST, epochs=20, batch_size=32)  # BatchNorm's averages need a few hundred steps


def augmented(name: str, recipe: Recipe) -> Recipe:
    """Return the recipe with an augmentation of the table."""
    parts: dict[str, Any] = dict(AUGMENTATIONS[name])
    return replace(recipe, **parts)


def option(part: str) -> str:
    """Return the option of the command line that a part of a recipe is chosen with."""
    return f"--{part.replace('_', '-')}"


def check(parts: Mapping[str, float]) -> None:
    """Raise UsageError unless each of these parts of a recipe is in its range."""
    for part in fields(Recipe):
        value = parts.get(part.name, part.metadata["lowest"])
        lowest, highest = part.metadata["lowest"], part.metadata["highest"]
        if not lowest <= value <= highest:
            raise UsageError(f"{option(part.name)} is {value}, expected {lowest} to {highest}")
