"""What every converter returns."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec

__all__ = ["ConvertedModel"]


@dataclass(frozen=True)
class ConvertedModel:
    """Plain model bytes that end at the logits, and how their two tensors are to be read."""

    payload: bytes
    input: InputSpec
    output: OutputSpec
