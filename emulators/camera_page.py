"""Measure what a frame before a camera costs here and on the emulated boards, and write it into docs/camera.md.

    python emulators/camera_page.py

Here in processor time on one thread, as frames a second and as a ratio to one picture of one digit; on the boards in
instructions.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import thread_time

import numpy as np
from mnist_edge_emulators.environment import require_product

SIZES = ((640, 480), (1280, 720), (1920, 1080))
REPEATED = 40
ENGINES = {"legacy32": "tflite-runtime"}  # LiteRT on all others
TEXT = """
Written by `python emulators/camera_page.py`: the frame is a JPEG with a number of four digits, 0427, the network
`small`; from the JPEG to the reading, on one thread.

| frame | here, ms | frames a second | decoding alone, ms | at full scale, ms |
|---|---|---|---|---|
{sizes}

These are milliseconds of one x86-64 processor. A frame of 640 x 480 takes {ratio:.1f} times as long as preparing and
classifying the picture of one digit of the same size. Instructions on the emulated boards, in millions, for a frame of
640 x 480:

| board | engine | instructions |
|---|---|---|
{boards}
"""


def jpeg(text: str, width: int, height: int) -> bytes:
    """Return a frame: a number on paper in uneven light, with noise."""
    from mnist_edge_trainer.demo.synthetic_digits import draw
    from PIL import Image

    size = height // 4
    paper = np.linspace(235, 190, width) + np.random.default_rng(0).normal(0, 3, (height, width))
    for place, digit in enumerate(text):
        left, top = (width - len(text) * size) // 2 + place * size, (height - size) // 2
        paper[top : top + size, left : left + size] *= draw(digit, size=size) / 245
    stream = io.BytesIO()
    Image.fromarray(np.clip(paper, 0, 255).astype(np.uint8)).convert("RGB").save(stream, "JPEG", quality=85)
    return stream.getvalue()


def milliseconds(run: Callable[[], object]) -> float:
    """Return the processor time of a call, the median of many."""
    times = []
    for _ in range(REPEATED):
        begun = thread_time()
        run()
        times.append(1000 * (thread_time() - begun))
    return median(times[REPEATED // 4 :])


def main() -> None:
    """Measure, and write the section."""
    from mnist_edge_emulators.raspberry_pi import jobs, root
    from mnist_edge_emulators.raspberry_pi.boards import BOARDS
    from mnist_edge_runtime import Classifier, models, to_mnist
    from mnist_edge_runtime.service.frame import Frame
    from mnist_edge_runtime.service.number_reading import read_number
    from PIL import Image

    page = Path(__file__).resolve().parents[1] / "docs" / "camera.md"
    sys.path.insert(0, str(page.parents[1] / "benchmarks"))
    from page_sections import write_section

    rows = []
    with Classifier.load("small") as classifier:

        def read(frame: bytes) -> str:
            return read_number(Frame(1, frame).view(), classifier).text

        for width, height in SIZES:
            frame = jpeg("0427", width, height)
            assert read(frame) == "0427", read(frame)
            whole = milliseconds(lambda frame=frame: read(frame))
            decoded = milliseconds(lambda frame=frame: Frame(1, frame).view())
            full = milliseconds(lambda frame=frame: np.asarray(Image.open(io.BytesIO(frame)).convert("L")))
            rows.append(f"| {width} x {height} | {whole:.1f} | {1000 / whole:.0f} | {decoded:.1f} | {full:.1f} |")
            if not rows[1:]:
                first = whole
        single = Frame(1, jpeg("7", *SIZES[0])).view().pixels
        ratio = first / milliseconds(lambda: classifier.classify(to_mnist(single)))
    print("\n".join(rows), f"ratio {ratio:.1f}")
    counted = []
    for board in BOARDS.values():
        if board.is_pi:
            device = root.device(board, lambda sentence: print(sentence, file=sys.stderr))
            engine = ENGINES.get(board.name, "litert")
            (file,) = models.bundled_models("litert", "small")
            count = jobs.reading(device, engine, file, jpeg("0427", *SIZES[0]))
            counted.append(f"| `{board.name}` | {engine} | {count / 1e6:.1f} |")
            print(counted[-1], flush=True)
    text = TEXT.format(sizes="\n".join(rows), ratio=ratio, boards="\n".join(counted))
    write_section(page, "Cost of a frame", text)


if __name__ == "__main__":
    require_product("camera_page.py")
    main()
