"""Compare the JavaScript of `mnist-edge export --format web` with Python, in V8 and in Chromium; writes docs/web.md.

Pictures are decoded once, by Pillow, so that the preprocessing alone is compared.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import fuzz_pictures
import hard_pictures
import numpy as np
import preprocessing
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.javascript import generate, pictures, project, proof
from mnist_edge_runtime.errors import BlankError
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_trainer.data import datasets
from numpy.typing import NDArray
from page_sections import write_section
from PIL import Image, ImageOps

PAGE = Path(__file__).parents[1] / "docs" / "web.md"
BATCH = 40  # pictures that are handed over together
CHOSEN = (3, 200)  # pixels of a side of fuzz: from, below
TURNS = 20  # of 100 images; the fastest counts
TIMER = """
(() => {
  let least = Infinity;
  for (let turn = 0; turn < %d; turn++) {
    const start = Date.now();
    for (let i = 0; i < 100; i++) logits(golden.images.subarray(i %% 10 * 784, i %% 10 * 784 + 784));
    least = Math.min(least, Date.now() - start);
  }
  return least / 100;
})()
"""
TEXT = """\
By `python benchmarks/web.py MODEL... --photos DIR --drawings DIR` on {cpu}, one thread, Python {python}: what
JavaScript answers otherwise than Python. Each network answers {images:,} test images in V8 (mini-racer) and {browser}.
"Core" is network and preprocessing, without contract and golden images; times are of images that are prepared. The
load average at the start was {load:.1f}: what else runs shows in the times.

| network | module, KB | core, KB | logits that differ, V8 | Chromium | of | ms an image, V8 | Chromium |
|---|---|---|---|---|---|---|---|
"""
PICTURES = """
Pictures, as decoded pixels; those that are blank are so in both:

| pictures | compared | 28 x 28 images that differ |
|---|---|---|
"""

Picture = NDArray[np.uint8]


def fuzz(count: int) -> Iterator[Picture]:
    """Yield pictures of strange content and shapes, grey, RGB and RGBA."""
    random = np.random.default_rng(0)
    for number in range(count):
        shape = int(random.integers(*CHOSEN)), int(random.integers(*CHOSEN))
        planes = [fuzz_pictures.content(shape, random) for _ in range((1, 1, 3, 4)[number % 4])]
        yield planes[0] if len(planes) == 1 else np.stack(planes, axis=2)


def kinds(
    images: Picture, photos: Path | None, drawings: Path | None, share: float
) -> Iterator[tuple[str, Iterator[Picture]]]:
    """Yield the kinds of pictures; `share` of the usual numbers."""

    def some(count: int) -> int:
        return max(1, int(count * share))

    yield "drawn as at export", pictures.pictures(images, some(2000))
    yield "scenes", (picture for _, _, picture in preprocessing.pictures(some(20)))
    hard = ((kind, number) for kind in hard_pictures.KINDS for number in range(some(20)))
    yield "hard pictures", (hard_pictures.hard_picture(kind, number)[1] for kind, number in hard)
    yield "fuzz", fuzz(some(4000))
    for name, folder in (("photos and scans", photos), ("drawings", drawings)):
        if folder:
            yield name, map(decoded, files_in(folder))


def files_in(folder: Path) -> list[Path]:
    """Return the pictures in a folder and those below."""
    return sorted(
        file for file in folder.rglob("*") if file.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp", ".webp")
    )


def decoded(file: Path) -> Picture:
    """Return the pixels of a file, upright, in grey, RGB or RGBA."""
    with Image.open(file) as opened:
        upright = ImageOps.exif_transpose(opened)
        return np.asarray(upright if upright.mode in ("L", "RGB", "RGBA") else upright.convert("RGB"))


def unlike(module: str, shown: Iterator[Picture]) -> tuple[int, int]:
    """Return how many pictures there are, and how many JavaScript prepares otherwise than Python."""
    count = differing = 0
    while batch := [np.ascontiguousarray(picture) for picture in islice(shown, BATCH)]:
        for found, picture in zip(proof.answers(module, batch_of_none(), batch).prepared, batch, strict=True):
            try:
                expected: Picture | None = to_mnist(picture)
            except BlankError:
                expected = None
            count += 1
            differing += not (
                np.array_equal(found, expected) if found is not None and expected is not None else found is expected
            )
    return count, differing


def batch_of_none() -> Picture:
    """Return one black image: there are always some to answer."""
    return np.zeros((1, 28, 28), np.uint8)


class Chromium:
    """Headless Chromium; its methods return None where it, or Playwright, is not installed."""

    def __init__(self) -> None:
        self.browser: Any = None
        self.name = "not in Chromium, which is not installed"
        chromium = shutil.which("chromium")
        try:
            from playwright.sync_api import sync_playwright
        except ImportError:
            return
        if chromium:
            self.playwright = sync_playwright().start()
            self.browser = self.playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            self.name = f"in headless Chromium {self.browser.version}"

    def run(self, module: str, images: Picture) -> tuple[Picture, float] | None:
        """Return the logits, uint8 (N, classes), and milliseconds an image."""
        if self.browser is None:
            return None
        page = self.browser.new_page()
        page.add_script_tag(content=generate.as_script(module) + proof.HARNESS)
        text = base64.b64encode(images.tobytes()).decode()
        rows = np.array(json.loads(page.evaluate("text => answerAll(text)", text)))
        found = rows[:, :-2].astype(np.uint8), float(page.evaluate(TIMER % TURNS))
        page.close()
        return found

    def close(self) -> None:
        """End it."""
        if self.browser is not None:
            self.browser.close()
            self.playwright.stop()


def time_in_v8(module: str) -> float:
    """Return milliseconds an image."""
    from py_mini_racer import MiniRacer

    with MiniRacer() as engine:
        engine.eval(generate.as_script(module))
        return float(str(engine.eval(TIMER % TURNS)))


def core_bytes(module: str) -> int:
    """Return the bytes of a module without its contract and its golden images."""
    return len(re.sub(r"^export const (?:contract = .*|golden = \{[^}]*\});$", "", module, flags=re.MULTILINE))


def row(file: Path, images: Picture, chromium: Chromium) -> tuple[str, int, str]:
    """Return a line of the table, how many logits differ, and the module."""
    sealed = sealed_model.read(file)
    network = tflite_reader.read(sealed.payload)
    origin = {"file": file.name, "sha256": "0" * 64, "version": "0", "images": len(images), "pictures": 0}
    module = project.make(sealed, network, file.stem.replace("-", "_"), origin).module
    expected = evaluate(network, images[..., np.newaxis])
    differing = int(np.count_nonzero(proof.answers(module, images, []).logits != expected))
    other, words, in_browser = 0, ["not run", "not run"], chromium.run(module, images)
    if in_browser:
        other = int(np.count_nonzero(in_browser[0] != expected))
        words = [f"{other:,}", f"{in_browser[1]:.2f}"]
    cells = [f"`{file.stem}`", f"{len(module) / 1000:.1f}", f"{core_bytes(module) / 1000:.1f}", f"{differing:,}"]
    cells += [words[0], f"{expected.size:,}", f"{time_in_v8(module):.2f}", words[1]]
    return f"| {' | '.join(cells)} |", differing + other, module


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="int8 TFLite file")
    parser.add_argument("--data", default="auto", help="data set whose test images are answered")
    parser.add_argument("--images", type=int, default=10_000, help="number of test images")
    parser.add_argument("--photos", type=Path, help="folder of photos of single digits")
    parser.add_argument("--drawings", type=Path, help="folder of drawings of single digits")
    parser.add_argument("--share", type=float, default=1.0, help="share of the generated pictures")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args(arguments)
    images = datasets.load(options.data).test_images[: options.images]
    chromium, differ, host = Chromium(), 0, Host.here()
    load = os.getloadavg()[0]
    text = TEXT.format(cpu=host.cpu, python=host.python, images=len(images), browser=chromium.name, load=load)
    for file in options.models:
        line, differing, module = row(file, images, chromium)
        print(line, flush=True)
        text, differ = f"{text}{line}\n", differ + differing
    chromium.close()
    text += PICTURES
    for name, shown in kinds(images, options.photos, options.drawings, options.share):
        count, differing = unlike(module, shown)
        line, differ = f"| {name} | {count:,} | {differing:,} |", differ + differing
        print(line, flush=True)
        text += f"{line}\n"
    write_section(options.page, "Measured", text)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
