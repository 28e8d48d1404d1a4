"""Define training recipes: their hyper-parameters, the allowed ranges, and the named augmentations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE

__all__ = ["AUGMENTATIONS", "FAST", "FAST_SMALL", "Recipe", "augmented", "check_parts", "option"]


def _part(help: str, lowest: float, highest: float, **default: Any) -> Any:
    return field(metadata={"help": help, "lowest": lowest, "highest": highest}, **default)


@dataclass(frozen=True)
class Recipe:
    """The hyper-parameters of a training. Shares scale with the number of epochs; 0 turns a part off."""

    epochs: int = _part("Number of epochs.", 1, 10_000)
    batch_size: int = _part("Images in a batch.", 1, 65_536)
    learning_rate: float = _part("Peak learning rate.", 1e-9, 10)
    warmup: float = _part("Share of the steps with a linear learning-rate warm-up.", 0, 0.9, default=0.0)
    final_learning_rate: float = _part(
        "Share of the peak learning rate after cosine decay; 1 turns decay off.", 0, 1, default=1.0
    )
    weight_decay: float = _part("Weight decay of AdamW, on kernels.", 0, 10, default=0.0)
    ema: float = _part("Share of the steps spanned by the moving average of the weights.", 0, 1, default=0.0)
    dropout: float = _part("Dropout rate before the last layer.", 0, 0.9, default=0.0)
    label_smoothing: float = _part("Label smoothing: share of the target spread over all classes.", 0, 0.9, default=0.0)
    patience: int = _part(
        "Early stopping: epochs without a lower validation loss; 0 turns it off.", 0, 10_000, default=0
    )
    rotation: float = _part("Maximum random rotation in degrees.", 0, 180, default=0.0)
    shear: float = _part("Maximum random shear in degrees.", 0, 60, default=0.0)
    zoom: float = _part("Maximum random zoom of each axis, as a share.", 0, 4, default=0.0)
    shift: float = _part("Maximum random shift in pixels.", 0, IMAGE_SHAPE[0], default=0.0)
    photometric: float = _part("Share of the images with random lighting, noise, blur and strokes.", 0, 1, default=0.0)
    handwriting: float = _part("Share of each batch from generated handwriting.", 0, 0.9, default=0.0)
    clean: float = _part("Share of the epochs, at the end, without augmentation.", 0, 1, default=0.0)
    teacher_share: float = _part("Share of the target that comes from the teachers.", 0, 1, default=0.9)
    variants: int = _part("Number of augmented variants of each image for the teachers.", 1, 1_000, default=60)

    @property
    def augmented_epochs(self) -> int:
        """Number of epochs, from the first, with augmentation."""
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
FAST_SMALL = replace(FAST, epochs=20, batch_size=32)  # batch normalization's averages need a few hundred steps


def augmented(name: str, recipe: Recipe) -> Recipe:
    """Return the recipe with the named augmentation."""
    parts: dict[str, Any] = dict(AUGMENTATIONS[name])
    return replace(recipe, **parts)


def option(part: str) -> str:
    """Return the command-line option of a part of a recipe."""
    return f"--{part.replace('_', '-')}"


def check_parts(parts: Mapping[str, float]) -> None:
    """Raise UsageError unless each of these parts is in its range."""
    for part in fields(Recipe):
        value = parts.get(part.name, part.metadata["lowest"])
        lowest, highest = part.metadata["lowest"], part.metadata["highest"]
        if not lowest <= value <= highest:
            raise UsageError(f"{option(part.name)} is {value}, expected {lowest} to {highest}")
