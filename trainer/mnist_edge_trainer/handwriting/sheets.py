"""Draw handwritten digits as files for people to look at: a sheet a digit, or single pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from PIL import Image, ImageDraw

from .drawing import SIDE
from .generator import Written, generate, number_of
from .styles import styles

__all__ = ["write_pictures", "write_sheets"]

_NAMES, _GAP = 190, 4  # pixels: width of the names, space around a picture
_ENLARGED = 2  # times: the image that a network sees
_ROW = SIDE + IMAGE_SHAPE[0] * _ENLARGED + 3 * _GAP  # pixels

Advance = Callable[..., None]


def write_sheets(
    folder: Path, digits: Sequence[str], count: int, seed: int, held_out: bool, advance: Advance
) -> list[Path]:
    """Write DIGIT.png for each digit: a row for each style, its name, pictures, and below them what a network sees."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for digit in digits:
        rows = styles(digit, held_out)
        sheet = Image.new("L", (_NAMES + count * (SIDE + _GAP), len(rows) * _ROW), 255)
        text = ImageDraw.Draw(sheet)
        for number, written, turn in _drawn(digit, count, seed, held_out):
            top, left = rows.index(written.style) * _ROW + _GAP, _NAMES + turn * (SIDE + _GAP)
            if not turn:
                text.text((_GAP, top), f"{digit}  {written.style.name}\n    number {number}", fill=0)
            sheet.paste(Image.fromarray(written.picture), (left, top))
            seen = Image.fromarray(written.image).resize([_ENLARGED * side for side in IMAGE_SHAPE], 0)
            sheet.paste(seen, (left + _GAP, top + SIDE + _GAP))
            advance(1)
        files.append(folder / f"{digit}{'-held-out' if held_out else ''}.png")
        _save(sheet, files[-1])
    return files


def write_pictures(
    folder: Path, digits: Sequence[str], count: int, seed: int, held_out: bool, advance: Advance
) -> list[Path]:
    """Write DIGIT/SEED-NUMBER-STYLE.png for each picture, folders that `train --data` takes."""
    files = []
    for digit in digits:
        (folder / digit).mkdir(parents=True, exist_ok=True)
        for number, written, _ in _drawn(digit, count, seed, held_out):
            style = written.style.name.replace(",", "").replace(" ", "-")
            files.append(folder / digit / f"{seed}-{number:06d}-{style}.png")
            _save(Image.fromarray(written.picture), files[-1])
            advance(1)
    return files


def _drawn(digit: str, count: int, seed: int, held_out: bool) -> Iterator[tuple[int, Written, int]]:
    """Yield the number of each picture, the digit, and its turn among those of its style."""
    for turn in range(count):
        for style in styles(digit, held_out):
            number = number_of(style, turn)
            yield number, generate(seed, number, held_out=held_out), turn


def _save(image: Image.Image, file: Path) -> None:
    with atomic_path(file) as temporary:
        image.save(temporary, format="PNG")
