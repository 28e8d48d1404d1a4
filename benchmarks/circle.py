"""Go the whole circle once, as a person does: draw, correct, keep, label, fine-tune, export, serve, and draw again.

    MNIST_EDGE_DATA=FOLDER python benchmarks/circle.py --write

One hand, which leans and curls, is drawn by a seed with the mouse in headless Chromium. What measures is drawn with
another seed, before and after, and never learnt from. Writes docs/own-hand.md.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import page_strokes
from mnist_edge_runtime.host import Host
from mnist_edge_trainer.handwriting.pen import Hand, trace
from mnist_edge_trainer.handwriting.styles import DIGITS, styles
from numpy.typing import NDArray
from page_sections import write_section

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "own-hand.md"
PROGRAM = str(Path(sys.executable).with_name("mnist-edge"))
HAND = Hand(0, 0.3, 1.15, 1, 1.5, 0, 0.5, 0.09, 0, None)  # leaning by 17 degrees, wide, calm
STYLES = {"1": "long upstroke", "6": "long hook", "7": "crossed", "9": "tightly curled tail"}  # of the others the first
MANY = 4  # times as many drawings of these are learnt from
SEEDS = (1, 3)  # of the drawings that are learnt from, and of those that measure; the hand was chosen on those of 2
EVERY = 4  # points of the pen's way for one of the mouse
EXTENT = 0.7  # of the paper's side
TOLD = re.compile("own pictures train|change kept|held out  |(validation|test) images  |tflite-int8")  # of the commands
SETTLED = 2_000  # milliseconds after which the page keeps what it is unsure of
TEXT = """\
By `python benchmarks/circle.py --write` on {cpu}, in headless Chromium {version}: one hand,
drawn by a seed with the mouse, by the command line and the pages alone. What measures is drawn with another seed
and never learnt from. The hand was chosen, on drawings with a third seed, as one that `pico` reads wrong; of its
styles no network's training has seen {unseen}.

```text
{log}
```

| drawn with the other seed, {count} digits | before | after |
|---|---|---|
| right | {before} | **{after}** |
| wrong, and not unsure | {before_wrong} | {after_wrong} |
"""


def drawing(digit: str, seed: int, number: int) -> list[NDArray[np.float64]]:
    """Return the strokes of a digit in this hand, as shares of the paper's side."""
    every = [*styles(digit, False), *styles(digit, True)]
    style = next((each for each in every if each.name == STYLES.get(digit)), every[0])
    strokes = [each.points for each in trace(style, HAND, np.random.default_rng([seed, int(digit), number]))]
    low, high = (limit(np.vstack(strokes), axis=0) for limit in (np.min, np.max))
    placed = [(points - (low + high) / 2) * EXTENT / max(high - low) + 0.5 for points in strokes]
    return [np.vstack([points[:-1:EVERY], points[-1]]) for points in placed]


def draw(page: Any, strokes: Sequence[NDArray[np.float64]]) -> tuple[str, bool]:
    """Draw with the mouse, and return the label that the page shows, and whether it is sure."""
    page.click("#clear")
    page.locator("#answer[data-state=empty]").wait_for()
    page_strokes.draw(page, [points.tolist() for points in strokes])
    page.locator("#answer:is([data-state=read], [data-state=unsure], [data-state=blank])").wait_for()
    return page.inner_text("#label").rstrip("?"), page.get_attribute("#answer", "data-state") == "read"


def keep(page: Any, digit: str, label: str, is_sure: bool) -> str:
    """Say what it is, or leave what is unsure to be kept by itself; return how it was kept."""
    if not is_sure:
        page.clock.fast_forward(SETTLED)
        page.locator("#kept", has_text="Kept as unsure").wait_for()
        return "unsure"
    if label == digit:
        page.get_by_role("button", name="Right, keep it").click()
    else:
        page.get_by_role("button", name="No, it is …").click()
        page.locator("#classes").get_by_role("button", name=digit, exact=True).click()
    page.locator("#kept", has_text=f"Kept as {digit} in the inbox of this device").wait_for()
    return "right" if label == digit else "corrected"


@contextmanager
def running(*command: str | Path) -> Iterator[str]:
    """Run a command until the end of the block; yield the address of its page."""
    process = subprocess.Popen(
        [PROGRAM, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr
        told = []
        for line in process.stderr:
            told.append(line)
            if found := re.search(r"http://\S+", line):
                yield found[0]
                break
        else:
            raise RuntimeError("".join(told))
    finally:
        process.terminate()
        process.communicate()


def opened(browser: Any, address: str) -> Any:
    """Return the page of a service, once it knows its device."""
    page = browser.new_page(viewport={"width": 1280, "height": 1200})  # nothing need be scrolled
    page.clock.install()
    page.goto(address)
    page.locator("#keep .hint").wait_for()
    return page


def measured(page: Any, count: int) -> list[tuple[str, str, bool]]:
    """Return of each measured drawing the digit, the label and whether that was sure."""
    return [(digit, *draw(page, drawing(digit, SEEDS[1], at))) for at in range(count) for digit in DIGITS]


def label_all(browser: Any, address: str, digits: Sequence[str]) -> None:
    """Sort the unsure pictures with one key each; they are in the order in which they were drawn."""
    page = browser.new_page()
    page.goto(address)
    for at, digit in enumerate(digits, 1):
        page.locator("#words", has_text=f"Picture {at} of {len(digits)}.").wait_for()
        page.keyboard.press(digit)
    page.locator("#words", has_text=f"All {len(digits)} are sorted.").wait_for()
    page.click("#end")


def changes(before: Sequence[tuple[str, str, bool]], after: Sequence[tuple[str, str, bool]]) -> str:
    """Say which of the drawings that were read wrong are read right, and how many the other way round."""
    wrong = [(old[0], new[1] == new[0]) for old, new in zip(before, after, strict=True) if old[1] != old[0]]
    lost = sum(old[1] == old[0] != new[1] for old, new in zip(before, after, strict=True))
    each = {digit: [is_right for other, is_right in wrong if other == digit] for digit in DIGITS}
    listed = ", ".join(f"{sum(rights)} of {len(rights)} {digit}s" for digit, rights in each.items() if rights)
    fixed = sum(is_right for _, is_right in wrong)
    return f"of {len(wrong)} that were read wrong {fixed} are read right: {listed}; the other way round {lost}"


def circle(browser: Any, folder: Path, network: str, learnt: int, count: int) -> tuple[list[str], list[Any], list[Any]]:
    """Go the circle in a folder; return its log, and what was measured before and after."""
    own, model = folder / "own", ROOT / "models" / f"{network}-int8.tflite"
    log, how, unsure = [f"$ mnist-edge serve {model.name} --inbox own"], [], []
    with running("serve", model, "--inbox", own, "--port", "0") as address:
        page = opened(browser, address)
        before = measured(page, count)
        for digit in DIGITS:
            for at in range(learnt * (MANY if digit in STYLES else 1)):
                how.append(keep(page, digit, *draw(page, drawing(digit, SEEDS[0], at))))
                unsure += [digit] * (how[-1] == "unsure")
        page.close()
    kinds = {kind: how.count(kind) for kind in ("right", "corrected", "unsure")}
    log.append(f"{len(how)} drawn: " + ", ".join(f"{number} {kind}" for kind, number in kinds.items()))
    if unsure:
        log.append("$ mnist-edge label own")
        with running("label", own, "--no-open") as address:
            label_all(browser, address, unsure)
        log.append(f"{len(unsure)} sorted, 0 left")
    for command in (["train", "--from", network, "--also", "own"], ["export", "--run", f"{network}-own"]):
        log.append(f"$ mnist-edge {' '.join(command)}")
        began = time.monotonic()
        done = subprocess.run([PROGRAM, *command], cwd=folder, check=True, capture_output=True, text=True)
        told = [line.rstrip() for line in (done.stderr + done.stdout).splitlines() if TOLD.search(line)]
        log += [*told, f"done after {time.monotonic() - began:.0f} s"]
    new = folder / "runs" / f"{network}-own" / "exports" / f"{network}-own-tflite-int8.tflite"
    log.append(f"$ mnist-edge serve {new.relative_to(folder)} --inbox own")
    with running("serve", new, "--inbox", own, "--port", "0") as address:
        page = opened(browser, address)
        after = measured(page, count)
        page.close()
    log.append(changes(before, after))
    return log, before, after


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="pico", help="Published network to begin with. (default: pico)")
    parser.add_argument("--learnt", type=int, default=3, help="Drawings of each digit that are kept. (default: 3)")
    parser.add_argument("--count", type=int, default=10, help="Drawings of each digit that measure. (default: 10)")
    parser.add_argument("--write", action="store_true", help="Write the figures into docs/own-hand.md.")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        log, before, after = circle(browser, Path(name), options.network, options.learnt, options.count)
        version = browser.version
        browser.close()
    right = [sum(label == digit for digit, label, _ in found) for found in (before, after)]
    wrong = [sum(label != digit and is_sure for digit, label, is_sure in found) for found in (before, after)]
    text = TEXT.format(
        cpu=Host.here().cpu,
        version=version,
        unseen=" and ".join(f"the {digit} with the {STYLES[digit]}" for digit in "69"),
        log="\n".join(log),
        count=len(before),
        before=right[0],
        after=right[1],
        before_wrong=wrong[0],
        after_wrong=wrong[1],
    )
    print(text)
    if options.write:
        write_section(PAGE, "The circle, measured", text)
    return 0 if right[1] > right[0] else 1


if __name__ == "__main__":
    sys.exit(main())
