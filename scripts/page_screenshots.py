"""Photograph the page in headless Chromium with a digit drawn on it, for docs/web.md.

python scripts/page_screenshots.py
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.service import page
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from page_strokes import draw  # noqa: E402

DOCS = ROOT / "docs"
WIDTHS = (390, 1280)  # pixels
COLOURS = 64  # of a picture, so that it stays small
# Parts of the paper's side: a 5, whose bow goes by its points.
STROKES = (
    ((0.67, 0.19), (0.4, 0.2), (0.37, 0.46)),
    ((0.37, 0.46), (0.5, 0.37), (0.68, 0.43), (0.72, 0.63), (0.62, 0.82), (0.42, 0.85), (0.29, 0.73)),
)


def smooth(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Yield points of a curve with these control points, a quadratic B-spline."""
    ends = [points[0], *((np.add(a, b) / 2) for a, b in pairwise(points[1:-1])), points[-1]]
    for start, control, end in zip(ends, points[1:-1], ends[1:], strict=False):
        for t in np.linspace(0, 1, 9):
            x, y = (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(control) + t**2 * np.array(end)
            yield float(x), float(y)


def photograph(browser: Any, address: str, width: int, theme: str, is_open: bool) -> Image.Image:
    """Return the page, drawn on, with the look inside open or not."""
    height = 844 if width < 500 else 900
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    opened = context.new_page()
    opened.goto(address)
    draw(opened, [STROKES[0], smooth(STROKES[1])], steps=2)
    opened.mouse.move(0, 0)
    opened.locator("#answer[data-state=read]").wait_for()
    if is_open:
        opened.click("#inside summary")
        opened.locator("#inside:not([aria-busy])").wait_for()
        opened.mouse.move(0, 0)
    shot = Image.open(BytesIO(opened.screenshot(full_page=True)))
    context.close()
    return shot.convert("RGB")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=DOCS, help="folder to write into")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS, help="pixels")
    parser.add_argument("--inside", action="store_true", help="with the look inside open")
    options = parser.parse_args(arguments)
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not installed")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        file = Path(name) / "page.html"
        file.write_text(page.finished(is_served=False), encoding="utf-8")
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width in options.widths:
            for theme in ("light", "dark"):
                shot = photograph(browser, file.as_uri(), width, theme, options.inside)
                target = options.folder / f"page-{width}-{theme}.png"
                shot.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
                print(f"{target}: {target.stat().st_size / 1000:.1f} KB")
        browser.close()


if __name__ == "__main__":
    main()
