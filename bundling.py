"""The command that packs a model for a device without internet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mnist_edge.options import AsJson, show

__all__ = ["bundle"]


def bundle(
    model: Annotated[Path, typer.Argument(help="An exported file.")],
    target: Annotated[str, typer.Option(help="bookworm-arm64, trixie-arm64, bookworm-armhf or bookworm-amd64.")],
    out: Annotated[Path | None, typer.Option(help="The file to write. (default: MODEL-FORMAT-TARGET.tar.gz)")] = None,
    constraint: Annotated[
        Path | None,
        typer.Option(
            help="Versions to take, as pip's --constraint; PIP_CONSTRAINT is not followed. (default: the newest)"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack a model, the runtime and all it needs into one file that a device without internet installs."""
    from mnist_edge_exporters.bundle import build

    made = build(model, target, out, constraint)
    show(as_json, made.to_dict(), made.text())
