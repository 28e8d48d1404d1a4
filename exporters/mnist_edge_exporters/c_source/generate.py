"""Write an integer network as C: a header, the network layer by layer, and its golden images."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime.acceptance import Acceptance
from mnist_edge_runtime.errors import UsageError
from numpy.typing import NDArray

from ..integer.network import Network
from ..integer.rounding import FLOAT32, TFLM, Rounding
from . import template
from .layers import Layer, gathered, write_layer
from .memory_plan import is_alias, plan

__all__ = ["ROUNDINGS", "Program", "accepted", "golden", "identifier", "network_source"]

ROUNDINGS = {"litert": FLOAT32, "tflm": TFLM}
# In the order of the file; those with two roundings have a template for each.
_KERNELS = ("convolution", "depthwise", "pool", "mean", "pad", "clamp", "copy_runs", "add", "requantize")
_OF_A_ROUNDING = ("scale", "mean", "add", "requantize")


@dataclass(frozen=True)
class Program:
    """A network in C: its text, the bytes of its buffer, and those of its constants on a 32-bit processor."""

    text: str
    ram: int
    constants: int


def identifier(name: str, *, is_given: bool = False) -> str:
    """Return the C identifier made from the name of a run; a name that a person gave must be one.

    Raises:
        UsageError: a given name is no identifier.
    """
    if is_given:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in _words_of_c():
            raise UsageError(f"--name {name}: expected a C identifier: a letter, then letters, digits and _")
        return name
    found = re.sub(r"[^A-Za-z0-9_]", "_", name).lstrip("_") or "network"
    return found if found[0].isalpha() and found not in _words_of_c() else f"net_{found}"


def _words_of_c() -> list[str]:
    """Return the words that C, C++ or a sketch have for themselves."""
    return template.read("keywords.txt").split()


def network_source(network: Network, name: str, how: Rounding, **values: object) -> Program:
    """Return the network in C.

    Args:
        network: with uint8 images and logits.
        name: a C identifier.
        how: the rounding of its sums.
        values: what the template says of the origin.

    Raises:
        ModelError: an operator that C has no kernel for.
    """
    memory = plan(network)
    layers: list[Layer] = []
    for operator in network.operators:
        if not is_alias(network, operator):
            kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(operator).__name__).lower()
            layers.append(write_layer(network, memory, operator, f"{kind}_{len(layers) + 1}", how))
    used = {kernel for layer in layers for kernel in layer.kernels}
    kernels = ["layer", *(kernel for kernel in ("scale", *_KERNELS) if kernel in used)]
    base, ram = memory.stands_for[network.output], memory.size + gathered(network)
    text = template.fill(
        "network.c",
        name=name,
        upper=name.upper(),
        ram=ram,
        kernels="\n".join(template.read(_template(kernel, how)) for kernel in kernels).rstrip(),
        constants="\n".join(layer.constants for layer in layers if layer.constants).rstrip(),
        calls="\n".join(f"    {layer.call}" for layer in layers),
        output=f"memory + {memory.offsets[base]}",
        **values,
    )
    return Program(text, ram, sum(layer.size for layer in layers))


def _template(kernel: str, how: Rounding) -> str:
    return f"{kernel}_{how.name}.c" if kernel in _OF_A_ROUNDING else f"{kernel}.c"


def accepted(name: str, rule: Acceptance | None, version: object) -> tuple[str, int]:
    """Return the C that decides whether an answer is accepted, and the bytes of its constants."""
    if rule is None:
        return template.fill("accepted_all.c", name=name, upper=name.upper(), version=version), 0
    weights = np.trim_zeros(np.array(rule.weights), "b")
    text = template.fill(
        "accepted.c",
        name=name,
        upper=name.upper(),
        version=version,
        weights=textwrap.indent(_numbers(weights.tolist()), "    "),
        weights_count=len(weights),
        limit=rule.limit,
    )
    return text, 4 * len(weights)


def golden(name: str, images: NDArray[np.uint8], logits: NDArray[np.uint8]) -> str:
    """Return the C of golden images, uint8 (G, 28, 28), and their raw logits, uint8 (G, classes)."""
    return template.fill(
        "golden.c",
        name=name,
        upper=name.upper(),
        count=len(images),
        images=_rows(images.reshape(len(images), -1)),
        logits=_rows(logits),
    )


def _rows(values: NDArray[np.uint8]) -> str:
    return ",\n".join(f"    {{\n{textwrap.indent(_numbers(row), ' ' * 8)}\n    }}" for row in values.tolist())


def _numbers(row: Sequence[int]) -> str:
    return textwrap.fill(", ".join(map(str, row)), 112)
