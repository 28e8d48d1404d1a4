"""Measure what the runtime adds to a start of Python, process by process in turns; exit code 1 above a limit.

    python benchmarks/cold_start.py small-tflite-int8.tflite small-onnx-int8.onnx

Compared are ten lines that run the same file on the same engine with nothing checked, and the same through
`Classifier`: wall time from the start of the process to its end with the first answer, and the peak of resident memory.
Importing the package is timed after numpy, as the processor's time of its thread, since numpy's own still spin then.
Judged are medians.
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
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
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

    def median(of: int, which: int) -> float:
        return round(statistics.median(pair[which][of] for pair in pairs), 1)

    def ratio(of: int) -> float:
        return round(statistics.median(ours[of] / theirs[of] for theirs, ours in pairs), 3)

    return {
        "model": file.name,
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
    imported = round(statistics.median(float(start(IMPORT)[2]) for _ in range(STARTS)), 1)
    missed = [
        f"{found['model']}: {key} is {found[key]}, at most {limit} is allowed"
        for found in results
        for key, limit in (("time_ratio", TIME_RATIO), ("memory_ratio", MEMORY_RATIO))
        if float(str(found[key])) > limit
    ]
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
