"""The command `bundle`: pack a model for a device without internet, or without Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from mnist_edge_runtime import UsageError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.path_checks import check_file

from ..options import AsJson
from ..signing import KEY_HELP, check_key, sign_file

if TYPE_CHECKING:
    from .build import Bundle
    from .static_program import StaticProgram

__all__ = ["bundle"]


def bundle(
    model: Annotated[Path, typer.Argument(help="Exported model file.", callback=check_file)],
    target: Annotated[
        str,
        typer.Option(
            help="System of the device: bookworm-arm64, trixie-arm64, bookworm-armhf or bookworm-amd64; with "
            "--engine c its processor: arm64, armhf, armv6 (Pi Zero and 1) or amd64."
        ),
    ],
    engine: Annotated[
        str | None,
        typer.Option(help="Engine: c makes a static program for any Linux. (default: the one for the format)"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write. (default: MODEL-FORMAT-TARGET.tar.gz; with --engine c MODEL-TARGET)",
            callback=check_file,
        ),
    ] = None,
    constraint: Annotated[
        Path | None,
        typer.Option(
            help="Constraints file for pip; PIP_CONSTRAINT is ignored. (default: the newest versions that fit)",
            callback=check_file,
        ),
    ] = None,
    extras: Annotated[
        list[str] | None,
        typer.Option("--with", help="What else the device can do: serve, which answers pictures over HTTP."),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(metavar="KEY", help=f"Sign the bundle, as OUT.sig and inside. {KEY_HELP}", callback=check_file),
    ] = None,
    counter: Annotated[
        int | None,
        typer.Option(
            help="Counter of a signed bundle; a device with a list of signers refuses one below the last. (default: "
            "seconds since 1970, of SOURCE_DATE_EPOCH or now)",
            min=0,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pack a model, the runtime and its dependencies into one file that a device without internet installs."""
    made: Bundle | StaticProgram
    if counter is not None and (sign is None or engine):
        raise UsageError("--counter is for a bundle that --sign signs")
    if engine is None:
        from .build import build

        made = build(model, target, out, constraint, extras or (), key=sign, counter=counter)
    else:
        from . import static_program

        if engine != "c":
            raise UsageError(f"--engine {engine} is unknown; it is c, or left out")
        if constraint is not None:
            raise UsageError("--constraint is for the packages of a bundle; --engine c has none")
        if extras:
            raise UsageError("--with is for the packages of a bundle; --engine c has none")
        if sign:
            check_key(sign)
        made = static_program.build(model, target, out)
        if sign:
            sign_file(made.file, sign)
    for warning in sealed_model.read(model).contract.warnings:
        tell(f"WARNING: {warning}")
    print_result(as_json, made.to_dict(), made.text())
