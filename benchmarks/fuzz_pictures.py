"""Fuzz the reading and preparing of pictures; write their section of docs/hardening.md.

    python benchmarks/fuzz_pictures.py

100,000 pictures of every format, mode, depth and content, half of them with some of their bytes exchanged; one in a
thousand is a strip, or a page of many pixels. Each is read and brought to MNIST's form, as `classify` does. Fails
where anything but an error of a picture comes out, one takes more than 20 seconds, or memory grows beyond its bound.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from mnist_edge_runtime import BlankError, InputError, load_picture, to_mnist
from mnist_edge_runtime.host import peak_rss
from numpy.typing import NDArray
from page_sections import write_section
from PIL import Image, features

PAGE = Path(__file__).parent.parent / "docs" / "hardening.md"
PEAK_MIB = 400
SECONDS = 20
HUGE = ((30_000, 3), (3, 30_000), (3, 6_000_000), (6_000_000, 3), (1, 20_000_000), (20_000_000, 1), (4000, 5000))
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "I;16", "F")
KINDS = (
    "PNG",
    "JPEG",
    "BMP",
    "GIF",
    "TIFF",
    "PPM",
    *(each for each in ("WEBP", "AVIF") if features.check(each.lower())),
)
TEXT = """\
By `python benchmarks/fuzz_pictures.py`: pictures of all formats, modes, depths and contents, half of them with bytes
exchanged, some of them strips of up to 20,000,000 x 1 pixels; each is read and brought to MNIST's form.

| pictures | prepared | blank | refused | other errors | slowest (CPU) | peak MiB, at a tenth | at the end |
|---|---|---|---|---|---|---|---|
"""


def content(shape: tuple[int, int], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return grey pixels of one of several kinds, made in bytes: what memory is measured is the reader's."""
    kind = int(random.integers(5))
    if kind == 0:
        return np.full(shape, random.integers(256), np.uint8)
    if kind == 1:
        return random.integers(0, 256, shape, np.uint8)
    if kind == 2:
        step = int(random.integers(1, 9))
        rows, columns = (np.resize(np.repeat(np.array([0, 255], np.uint8), step), length) for length in shape)
        return rows[:, None] ^ columns
    if kind == 3:
        rows, columns = (np.repeat(np.arange(128, dtype=np.uint8), length // 128 + 1)[:length] for length in shape)
        return rows[:, None] + columns
    pixels = np.full(shape, 240, np.uint8)
    for _ in range(int(random.integers(1, 4))):
        top, left = int(random.integers(shape[0])), int(random.integers(shape[1]))
        pixels[top : top + shape[0] // 3 + 1, left : left + shape[1] // 12 + 1] = 20
    return pixels


def picture(random: np.random.Generator) -> bytes:
    """Return the bytes of a random picture, half of them damaged."""
    longest = 2 ** random.uniform(2, 8)
    shape = (int(random.integers(1, longest + 1)), int(random.integers(1, longest + 1)))
    grey = content(shape, random)
    mode, kind = MODES[int(random.integers(len(MODES)))], KINDS[int(random.integers(len(KINDS)))]
    drawn = Image.fromarray(grey.astype(np.uint16) << int(random.integers(9))) if mode == "I;16" else None
    drawn = drawn or Image.fromarray(grey).convert(mode)
    if mode in ("LA", "RGBA"):
        drawn.putalpha(Image.fromarray(content(shape, random)))
    exif = Image.Exif()
    exif[0x0112] = int(random.integers(12))
    buffer = io.BytesIO()
    try:
        drawn.save(buffer, kind, exif=exif)
    except (OSError, ValueError, KeyError):  # no such mode in this format
        Image.fromarray(grey).convert("RGB").save(buffer := io.BytesIO(), kind)
    return buffer.getvalue() if random.random() < 0.5 else damaged(buffer.getvalue(), random)


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Return bytes of which some are exchanged, mostly near the start, or which are cut short."""
    changed = bytearray(data)
    if random.random() < 0.15:
        return bytes(changed[: int(random.integers(len(data)))])
    for _ in range(int(2 ** random.uniform(0, 5))):
        place = int(len(data) * random.random() ** 3)
        changed[place] = int(random.integers(256))
    return bytes(changed)


def read(case: int, random: np.random.Generator) -> None:
    """Read and prepare one picture; every hundredth is an array of its own, every thousandth a huge one."""
    if case % 1000 == 0:
        to_mnist(content(HUGE[case // 1000 % len(HUGE)], random))
    elif case % 100 == 0:
        shape = (int(2 ** random.uniform(0, 11)), int(2 ** random.uniform(0, 11)))
        to_mnist(content(shape, random).astype(("uint16", "float32", "bool", "uint8")[case // 100 % 4]))
    else:
        to_mnist(load_picture(io.BytesIO(picture(random))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="Number of pictures.")
    parser.add_argument("--page", type=Path, default=PAGE, help="Page to write.")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of Pillow, about what is damaged
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    peaks, slowest = [], 0.0
    for case in range(options.cases):
        random = np.random.default_rng((0, case))
        start = time.process_time()
        try:
            read(case, random)
            outcomes["prepared"] += 1
        except BlankError:
            outcomes["blank"] += 1
        except InputError:
            outcomes["refused"] += 1
        except Exception as error:
            outcomes["other"] += 1
            failures.append(f"picture {case}: {error!r}")
        slowest = max(slowest, time.process_time() - start)
        if case in (options.cases // 10, options.cases - 1):
            peak = peak_rss()
            assert peak
            peaks.append(peak / (1 << 20))
    counts = [outcomes[name] for name in ("prepared", "blank", "refused", "other")]
    cells = [f"{number:,}" for number in (options.cases, *counts)]
    row = f"| {' | '.join(cells)} | {slowest:.1f} s | {peaks[0]:.0f} | {peaks[-1]:.0f} |\n"
    write_section(options.page, "Pictures", TEXT + row)
    if slowest > SECONDS or peaks[-1] > PEAK_MIB:
        failures.append(f"slowest {slowest:.1f} s, peak {peaks[-1]:.0f} MiB")
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
