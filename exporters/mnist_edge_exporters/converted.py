"""What every converter returns."""

from __future__ import annotations

from dataclasses import dataclass

from mnist_edge_runtime.contract import InputSpec, OutputSpec

__all__ = ["Converted"]


@dataclass(frozen=True)
class Converted:
    """Plain model bytes that end at the logits, and how their two tensors are to be read."""

    payload: bytes
    input: InputSpec
    output: OutputSpec
