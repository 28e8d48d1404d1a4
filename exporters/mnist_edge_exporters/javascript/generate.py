"""Write an integer network as a JavaScript module: preprocessing, layers, weights, contract and golden images."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from mnist_edge_runtime.acceptance import ONE, acceptance
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import Contract, OutputSpec
from numpy.typing import NDArray

from ..integer.network import Network, Reshape
from . import template
from .layers import write_layer

__all__ = ["as_script", "module_source"]

# In the order in which they need each other.
_PREPROCESSING = (
    *("planes", "histogram", "grayscale", "components", "edge_sharpness", "binarization", "segmentation"),
    *("ruled_lines", "mnist"),
)
_FRAME = ("bytes", "run", "layer")
_UNCERTAIN = 1e-6  # distance of an acceptance weight from a half; Math.exp errs by 1e-9 of it


def module_source(
    network: Network,
    contract: Contract,
    golden: NDArray[np.uint8],
    expected: NDArray[np.uint8],
    document: Mapping[str, Any],
    **origin: object,
) -> str:
    """Return the module.

    Args:
        network: with uint8 images and logits.
        contract: of the file that it was read from.
        golden: golden images, uint8 (G, 28, 28).
        expected: their raw logits, uint8 (G, classes).
        document: the contract as the module has it.
        origin: what the template says of the origin.

    Raises:
        ModelError: an operator that JavaScript has no kernel for.
    """
    output = contract.output
    if network.tensors[network.input].dtype != "uint8" or output.dtype != "uint8":
        raise ModelError("JavaScript takes images and logits of uint8; export with --io-dtype uint8")
    stands_for = {network.input: network.input}
    layers, blob, kernels = [], b"", set()
    for operator in network.operators:
        if isinstance(operator, Reshape):
            stands_for[operator.output] = stands_for[operator.inputs[0]]
            continue
        stands_for[operator.output] = operator.output
        layer = write_layer(network, operator)
        kind = "Uint8Array" if network.tensors[operator.output].dtype == "uint8" else "Int8Array"
        inputs = [stands_for[index] for index in operator.inputs]
        wires = f"from:{inputs},to:{operator.output}"
        call = f"{{name:'{layer.name}',kernel:{layer.kernel},{wires},Kind:{kind},{layer.fields}}},"
        layers.append(f"  {layer.comment}\n  {call}")
        kernels.add(layer.kernel)
        blob += layer.blob
    names = [f"kernels/{name}.js" for name in (*_FRAME, *sorted(kernels))]
    names += [f"preprocessing/{name}.js" for name in _PREPROCESSING]
    shared = ("BlankError", "bytes", "network", "prepare", "unpacked", *sorted(kernels))
    return template.fill(
        "module.mjs",
        kernels=template.minified(names, shared),
        contract=literal(document),
        layers="\n".join(layers),
        acceptance=_acceptance(output),
        weights=_base64(blob),
        input=network.input,
        output=stands_for[network.output],
        zero=output.zero_point,
        scale=f"{output.scale!r}",
        temperature=f"{output.temperature!r}",
        golden_images=_base64(_packed(golden)),
        golden_logits=_base64(expected.tobytes()),
        **origin,
    )


def _acceptance(output: OutputSpec) -> str:
    """Return the JavaScript that decides whether an answer is accepted."""
    rule = acceptance(output)
    if rule is None:
        return "// Every answer is accepted: the file has no threshold.\nconst accepts = () => true;"
    # Short, where no engine's Math.exp can be so far off that it rounds to another integer.
    step = output.scale / (output.temperature * output.softening)
    exact = ONE * np.exp(np.arange(len(rule.weights)) * -step)
    weights = f"Array.from({{ length: 256 }}, (_, steps) => Math.round({ONE} * Math.exp(steps * -{step!r})))"
    if (np.abs(exact % 1 - 0.5) < _UNCERTAIN).any():
        weights = json.dumps(rule.weights)
    return template.fill("accepted.js", weights=weights, limit=rule.limit).rstrip()


def literal(document: Mapping[str, Any]) -> str:
    """Return JSON in one line that is also JavaScript, and that no script element of a page ends in."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def as_script(module: str) -> str:
    """Return the module as a script, which declares the same names and exports none."""
    return re.sub(r"^export (?:\{.*\};$)?", "", module, flags=re.MULTILINE)


def _base64(data: bytes) -> str:
    return f"'{base64.b64encode(data).decode()}'"


def _packed(images: NDArray[np.uint8]) -> bytes:
    """Return images as bytes in which each run of zeros is a zero and its length, at most 255."""
    packed, run = bytearray(), 0
    for value in [*images.reshape(-1).tolist(), None]:
        if value == 0 and run < 255:
            run += 1
            continue
        if run:
            packed += bytes((0, run))
        run = int(value == 0)
        if value:
            packed.append(value)
    return bytes(packed)
