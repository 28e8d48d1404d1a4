"""`mnist-edge-runtime inspect`: show the contract of a model file, and what it needs on microcontrollers and boards."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import Any

from .. import models
from ..confidence_interval import few_images_warning, format_accuracy
from ..diagnostics.needs import needs
from ..diagnostics.needs import rows as rows_of_needs
from ..json_output import print_json
from ..model_file import sealed_model
from ..text_output import printable
from .common import say_default

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of the model."""
    parser = commands.add_parser(
        "inspect", parents=parents, help="Show the contract of a model file, and what it needs."
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help=model)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    file = arguments.model or models.bundled_models(network=arguments.network)[0]
    if not arguments.model and not arguments.network:
        say_default(file)
    sealed = sealed_model.read(file)
    contract = sealed.contract
    needed = needs(contract, sealed.payload)
    if arguments.json:
        print_json({"model": str(file), **json.loads(contract.to_json()), "needs": needed})
        return
    rows = {
        "file": f"{file}, intact",
        "format": f"{contract.format}, {contract.quantization}",
        "payload": f"{contract.payload.size:,} bytes, SHA-256 {contract.payload.sha256}",
        "labels": " ".join(contract.labels),
        "input": f"{contract.input.dtype} {contract.input.shape}, {contract.input.polarity}, "
        f"real value = {contract.input.real_value}, scale {contract.input.scale:.9g}, "
        f"zero point {contract.input.zero_point}",
        "output": f"logits, {contract.output.dtype}, scale {contract.output.scale:.9g}, "
        f"zero point {contract.output.zero_point}",
        "network": f"{_of(contract.origin, 'architecture')}, {_of(contract.origin, 'parameters')} parameters",
        "data": f"{_of(contract.origin, 'dataset', 'name')}, SHA-256 {_of(contract.origin, 'dataset', 'sha256')}",
        "accuracy": f"{_accuracy(contract.parity, 'accuracy')} on {_of(contract.parity, 'images')} test images, "
        f"the Keras model {_accuracy(contract.parity, 'reference_accuracy')}; "
        f"{_share(contract.parity, 'agreement')} the same answer",
        "runtimes": ", ".join(
            f"{_of(row, 'engine')} {_of(row, 'version')} ({_of(row, 'status')})" for row in contract.runtimes
        ),
        "golden": f"{len(sealed.golden.images)} images",
        **dict(rows_of_needs(needed)),
    }
    warnings = [*contract.warnings]
    images = (contract.parity or {}).get("images")
    if isinstance(images, int) and (few := few_images_warning(images)):
        warnings.append(few)
    if warnings:
        rows["WARNING"] = "; ".join(warnings)
    width = max(map(len, rows))
    for name, value in rows.items():
        print(printable(f"{name:<{width}}  {value}"))


def _accuracy(parity: Mapping[str, Any] | None, key: str) -> str:
    """Return an accuracy with its confidence interval where both it and the number of images are known."""
    share, images = (parity or {}).get(key), (parity or {}).get("images")
    if isinstance(share, float) and isinstance(images, int) and 0 <= share <= 1 and images > 0:
        return format_accuracy(share, images)
    return _of(parity, key)


def _share(parity: Mapping[str, Any] | None, key: str) -> str:
    value = (parity or {}).get(key)
    return f"{value:.2%}" if isinstance(value, float) else _of(parity, key)


def _of(value: Any, *keys: str) -> str:
    """Return the entry under `keys` of a free part of a contract, which other releases may fill differently."""
    for key in keys:
        value = value.get(key, "unknown") if isinstance(value, Mapping) else "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)
