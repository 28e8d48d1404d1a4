"""Fit a network: input pipeline, augmentation, checkpoints, distillation."""

__all__ = ["augmentation", "callback", "fine_tuning", "fit", "train"]
