"""The command `bundle`: pack a model for a device without internet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.path_checks import check_file
from mnist_edge_runtime.text_output import printable

from ..options import AsJson

__all__ = ["bundle"]


def bundle(
    model: Annotated[Path, typer.Argument(help="Exported model file.", callback=check_file)],
    target: Annotated[
        str, typer.Option(help="System of the device: bookworm-arm64, trixie-arm64, bookworm-armhf or bookworm-amd64.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="File to write. (default: MODEL-FORMAT-TARGET.tar.gz)", callback=check_file),
    ] = None,
    constraint: Annotated[
        Path | None,
        typer.Option(
            help="Constraints file for pip; PIP_CONSTRAINT is ignored. (default: the newest versions that fit)",
            callback=check_file,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack a model, the runtime and its dependencies into one file that a device without internet installs."""
    from .build import build

    made = build(model, target, out, constraint)
    for warning in sealed_model.read(model).contract.warnings:
        print(f"WARNING: {printable(warning)}", file=sys.stderr)
    print_result(as_json, made.to_dict(), made.text())
