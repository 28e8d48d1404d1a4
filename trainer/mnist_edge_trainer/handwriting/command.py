"""The command `draw`: write sheets of generated handwriting to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.path_checks import check_folder

from ..options import AsJson

__all__ = ["draw"]

_MOST = 1000  # pictures of a style


def draw(
    digits: Annotated[list[str] | None, typer.Argument(help="Digits to draw. (default: all ten)")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write into.", callback=check_folder)] = Path("handwriting"),
    count: Annotated[int, typer.Option(help="Number of pictures of each style.")] = 10,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Draw the styles that are held out, instead of those that train.")
    ] = False,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="Write single pictures, DIGIT/NAME.png, instead of sheets.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Draw the handwritten digits that `train --handwriting` mixes in: a sheet a digit, a row a style."""
    from ..progress import progress_bar
    from .sheets import write_pictures, write_sheets
    from .styles import DIGITS, styles

    chosen = sorted(set(digits or DIGITS))
    if unknown := [digit for digit in chosen if digit not in tuple(DIGITS)]:
        raise UsageError(f"{unknown[0]!r} is not a digit; choose from {' '.join(DIGITS)}")
    if not 1 <= count <= _MOST:
        raise UsageError(f"--count is {count}, expected 1 to {_MOST}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"--seed is {seed}, expected 0 to {2**32 - 1}")
    number = sum(len(styles(digit, held_out)) for digit in chosen)
    write = write_pictures if pictures else write_sheets
    with progress_bar("drawing digits", number * count) as advance:
        files = [str(file) for file in write(out, chosen, count, seed, held_out, advance)]
    listed = [f"in {out / digit}" for digit in chosen] if pictures else files
    text = "\n  ".join([f"{number * count:,} digits in {number} styles, seed {seed}:", *listed])
    document = {"folder": str(out), "digits": chosen, "styles": number, "seed": seed, "held_out": held_out}
    print_result(as_json, {**document, "files": files}, text)
