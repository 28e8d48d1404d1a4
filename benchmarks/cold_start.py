"""Measure what the runtime adds to a start of Python, process by process in turns; exit code 1 above a limit.

    python benchmarks/cold_start.py small-tflite-int8.tflite small-onnx-int8.onnx

Compared are ten lines that run the same file on the same engine with nothing checked, and the same through
`Classifier`: wall time from the start of the process to its end with the first answer, and the peak of resident memory.
Then the same of a picture file, decoded by Pillow: ten lines that scale it down, and `mnist-edge-runtime classify`.
Importing the package is timed after numpy, as the processor's time of its thread, since numpy's own still spin then.
Judged are medians. All run from compiled modules, as pip leaves them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TIME_RATIO = 1.3
MEMORY_RATIO = 1.15
PICTURE_RATIOS = {"28 x 28 PNG": 1.25, "640 x 480 JPEG": 1.3}
PICTURE_MEMORY_RATIO = 1.2
IMPORT_MS = 25.0

STARTS = 25

TEN_LINES = {
    ".tflite": """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
image, logits = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
pixels = np.load(sys.argv[2])[np.newaxis, ..., np.newaxis]
interpreter.set_tensor(image["index"], pixels if image["dtype"] == np.uint8 else (pixels / 255).astype(np.float32))
interpreter.invoke()
print(interpreter.get_tensor(logits["index"])[0].argmax())
""",
    ".onnx": """
import sys
import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
image = session.get_inputs()[0]
pixels = np.load(sys.argv[2])[np.newaxis, ..., np.newaxis]
tensor = pixels if image.type == "tensor(uint8)" else (pixels / 255).astype(np.float32)
print(session.run(None, {image.name: tensor})[0][0].argmax())
""",
}
FROM_PICTURE = """
import io
import sys
import numpy as np
from PIL import Image

pixels = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28), Image.Resampling.BOX))
stream = io.BytesIO()
np.save(stream, pixels)
stream.seek(0)
sys.argv[2] = stream
"""
OURS = """
import sys
import numpy as np
from mnist_edge_runtime import Classifier

print(Classifier.load(sys.argv[1]).classify(np.load(sys.argv[2])).label)
"""
IMPORT = """
import numpy, time
start = time.thread_time()
import mnist_edge_runtime
print((time.thread_time() - start) * 1000)
"""
COMMAND = """
import sys
from mnist_edge_runtime.__main__ import main

sys.exit(main(["classify", sys.argv[2], "--model", sys.argv[1]]))
"""
PICTURES = """
import sys
import numpy as np
from mnist_edge_runtime.model_file import sealed_model
from PIL import Image

golden = sealed_model.read(sys.argv[1]).golden
digit = golden.images[golden.picture]
Image.fromarray(digit).save(sys.argv[2])
page = np.full((480, 640), 235, np.uint8)
page[100:380, 180:460] -= np.kron(digit, np.ones((10, 10), np.uint8)) * 2 // 3
Image.fromarray(page).convert("RGB").save(sys.argv[3], quality=90)
"""
IMAGE = """
import sys
import numpy as np
from mnist_edge_runtime.model_file import sealed_model

golden = sealed_model.read(sys.argv[1]).golden
np.save(sys.argv[2], golden.images[golden.picture])
"""


def start(*arguments: str | Path) -> tuple[float, float, str]:
    """Run Python once; return its wall time in milliseconds, its peak of memory in MB and its answer.

    This process imports nothing large: Linux counts the memory of the parent at the moment of the start as the child's.
    """
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    ) as process:
        assert process.stdout
        answer = process.stdout.read().decode().strip()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = (time.perf_counter() - began) * 1000
    if process.returncode:
        sys.exit(f"failed with {process.returncode}: {arguments}")
    return wall, usage.ru_maxrss * 1024 / 1e6, answer


def measure(file: Path, image: Path) -> dict[str, object]:
    """Return the figures of one file: medians."""
    start(IMAGE, file, image)
    pairs = [(start(TEN_LINES[file.suffix], file, image), start(OURS, file, image)) for _ in range(STARTS + 1)][1:]
    if any(theirs[2] != ours[2] for theirs, ours in pairs):
        sys.exit(f"{file.name}: the two do not give the same answer")
    return compared(file.name, pairs)


def measure_pictures(file: Path, folder: Path) -> list[dict[str, object]]:
    """Return the figures from a picture file to the answer; ten lines know nothing of its background."""
    pictures = dict(zip(PICTURE_RATIOS, (folder / "digit.png", folder / "frame.jpg"), strict=True))
    start(PICTURES, file, *pictures.values())
    ten_lines = FROM_PICTURE + TEN_LINES[file.suffix]
    return [
        compared(
            f"{name}, {file.name}",
            [(start(ten_lines, file, picture), start(COMMAND, file, picture)) for _ in range(STARTS + 1)][1:],
        )
        for name, picture in pictures.items()
    ]


def compared(name: str, pairs: list[tuple[tuple[float, float, str], tuple[float, float, str]]]) -> dict[str, object]:
    """Return medians of starts in turns, of ten lines and of ours."""

    def median(of: int, which: int) -> float:
        return round(statistics.median(pair[which][of] for pair in pairs), 1)

    def ratio(of: int) -> float:
        return round(statistics.median(ours[of] / theirs[of] for theirs, ours in pairs), 3)

    return {
        "model": name,
        "ten_lines": {"ms": median(0, 0), "mb": median(1, 0)},
        "classifier": {"ms": median(0, 1), "mb": median(1, 1)},
        "time_ratio": ratio(0),
        "memory_ratio": ratio(1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="Exported files.")
    parser.add_argument("--json", action="store_true", help="Print one JSON document instead.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = [measure(file, Path(folder) / "image.npy") for file in options.models]
        pictures = measure_pictures(options.models[0], Path(folder))
    imported = round(statistics.median(float(start(IMPORT)[2]) for _ in range(STARTS)), 1)
    missed = [
        f"{found['model']}: {key} is {found[key]}, at most {limit} is allowed"
        for found in results
        for key, limit in (("time_ratio", TIME_RATIO), ("memory_ratio", MEMORY_RATIO))
        if float(str(found[key])) > limit
    ]
    for found, most in zip(pictures, PICTURE_RATIOS.values(), strict=True):
        for key, limit in (("time_ratio", most), ("memory_ratio", PICTURE_MEMORY_RATIO)):
            if float(str(found[key])) > limit:
                missed.append(f"{found['model']}: {key} is {found[key]}, at most {limit} is allowed")
    results += pictures
    if imported > IMPORT_MS:
        missed.append(f"importing takes {imported} ms after numpy, at most {IMPORT_MS} is allowed")
    if options.json:
        print(json.dumps({"results": results, "import_ms": imported, "failures": missed}))
    else:
        for found in results:
            print(f"{found['model']}: time x {found['time_ratio']}, memory x {found['memory_ratio']}", end="  ")
            print(f"ten lines {found['ten_lines']}, classifier {found['classifier']}")
        print(f"importing the package takes {imported} ms after numpy")
    for sentence in missed:
        print(f"failed: {sentence}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
