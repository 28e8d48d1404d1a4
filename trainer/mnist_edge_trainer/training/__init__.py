"""Fit a network: input pipeline, augmentation, checkpoints."""

__all__ = ["augmentation", "checkpoint", "fit"]
