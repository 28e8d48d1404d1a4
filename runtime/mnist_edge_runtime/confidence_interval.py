"""Compute and format the 95 % confidence interval of an accuracy."""

from __future__ import annotations

import math

__all__ = ["FEW_IMAGES", "few_images_warning", "format_accuracy", "format_interval", "interval_of", "wilson"]

FEW_IMAGES = 200  # images, below which an accuracy is given with a warning

_Z = 1.959963984540054  # standard deviations, between which the normal distribution has 95 % of its mass


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of a share (E. B. Wilson, JASA 22, 1927)."""
    share, denominator = successes / count, 2 * (count + _Z**2)
    centre = (2 * count * share + _Z**2) / denominator
    half = _Z / denominator * math.sqrt(4 * count * share * (1 - share) + _Z**2)
    return (centre - half if successes else 0.0), (centre + half if successes < count else 1.0)


def interval_of(accuracy: float, images: int) -> tuple[float, float]:
    """Return the 95 % confidence interval of an accuracy, 0 to 1, on so many images."""
    return wilson(round(accuracy * images), images)


def format_interval(interval: tuple[float, float]) -> str:
    """Format an interval in per cent, such as "98.71 to 99.12"."""
    low, high = interval
    return f"{low * 100:.2f} to {high * 100:.2f}"


def format_accuracy(accuracy: float, images: int) -> str:
    """Format an accuracy with its confidence interval, such as "98.93% (95%: 98.71 to 99.12)"."""
    return f"{accuracy:.2%} (95%: {format_interval(interval_of(accuracy, images))})"


def few_images_warning(images: int, part: str = "test") -> str | None:
    """Return the warning that belongs to an accuracy on so few images of that part, or None."""
    if images >= FEW_IMAGES:
        return None
    noun = "image" if images == 1 else "images"
    return f"only {images:,} {part} {noun}: too few for a reliable accuracy, see its interval; use {FEW_IMAGES} or more"
