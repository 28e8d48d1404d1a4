"""Measure in headless Chromium how long after the end of a stroke its answer is on the screen; writes docs/web.md.

A digit is drawn with the mouse, again and again; the time is from the event of its last stroke to after the next frame.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.service import page
from page_sections import write_section
from page_strokes import draw

PAGE = Path(__file__).parents[1] / "docs" / "web.md"
LIMIT = 100.0  # milliseconds
STROKES = (((0.3, 0.25), (0.7, 0.25), (0.5, 0.8)), ((0.4, 0.5), (0.7, 0.5)))  # parts of the paper's side: a crossed 7
TIMER = """
window.times = [];
document.addEventListener('pointerup', event => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => times.push(performance.now() - event.timeStamp);
  channel.port2.postMessage(0);
}));
"""
TEXT = """\
By `python benchmarks/page.py` on {cpu}, headless Chromium {version}, the page of `small`: milliseconds from
the end of a stroke to its answer on the screen, over {count} strokes, the first ones after the page was opened among
them. They are to be below {limit:.0f}. While it ran, {load:.1f} processes shared {cores} cores.

| median | 95 % | longest |
|---|---|---|
| {median:.1f} | {most:.1f} | {longest:.1f} |
"""


def measure(browser: Any, address: str, rounds: int) -> list[float]:
    """Return the milliseconds of each stroke."""
    opened = browser.new_page()
    opened.add_init_script(TIMER)
    opened.goto(address)
    for _ in range(rounds):
        draw(opened, STROKES, steps=8)
        opened.locator("#answer[data-state=read], #answer[data-state=unsure]").wait_for()
        opened.keyboard.press("Escape")
    times: list[float] = opened.evaluate("new Promise(done => setTimeout(() => done(times), 200))")
    opened.close()
    return times


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="number of digits")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write")
    options = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        file = Path(name) / "page.html"
        file.write_text(page.finished(is_served=False), encoding="utf-8")
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        times, version = measure(browser, file.as_uri(), options.rounds), browser.version
        browser.close()
    figures = {"median": np.median(times), "most": np.quantile(times, 0.95), "longest": max(times)}
    machine = {"load": os.getloadavg()[0], "cores": os.cpu_count()}
    text = TEXT.format(cpu=Host.here().cpu, version=version, count=len(times), limit=LIMIT, **machine, **figures)
    print(text)
    write_section(options.page, "From pen to answer", text)
    return 1 if figures["most"] >= LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
