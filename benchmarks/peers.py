"""Measure what others do beside what this project does, on the same weights and pictures; write docs/benchmarks.md.

    MNIST_EDGE_DATA=FOLDER python benchmarks/peers.py [--photos ../shared/photos]

What is not installed here goes into environments of its own in build/peers, from the package index, once; Tesseract is
taken where the system has it. Figures of a part that are there, of this machine and these networks, are not measured
again unless `--again` says so: an interrupted run continues. Parts whose figures are times want a quiet machine.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from peer_parts import conversion, page, plots, readers, throughput, training
from peer_parts.session import PACKAGES, ROOT, Record, Session

FOLDER = ROOT / "build" / "peers"
DOCS = ROOT / "docs"
OF_PHOTOS = ("photos", "rapidocr", "tesseract")
VARIANTS = (("tflite", "int8"), ("tflite", "none"), ("onnx", "int8"), ("onnx", "none"))


def engines(session: Session) -> dict[str, Any]:
    """Measure one network in every engine by `engines.py`, which writes its own sections."""
    files = [conversion.export(session, "small", *variant)[0] for variant in VARIANTS]
    result = subprocess.run([sys.executable, ROOT / "benchmarks" / "engines.py", *files], check=False)
    return {"code": result.returncode}


PARTS: Mapping[str, Callable[[Session], dict[str, Any]]] = {
    "files": conversion.files,
    "photos": readers.measure,
    "rapidocr": readers.rapidocr,
    "tesseract": readers.tesseract,
    "pictures": throughput.measure,
    "conversion": conversion.times,
    "proofs": conversion.proofs,
    "training-0": lambda session: training.measure(session, 0),
    "training-1": lambda session: training.measure(session, 1),
    "training-classic": training.classic,
    "engines": engines,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="Folder with single/, pages/ and pages.json; else none are read.")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), help="Parts to measure. (default: all)"
    )
    parser.add_argument("--again", action="store_true", help="Measure again what is there.")
    parser.add_argument("--install", action="store_true", help="Make the environments and measure nothing.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Folder of environments, files and figures.")
    parser.add_argument("--docs", type=Path, default=DOCS, help="Folder of the page and its plots.")
    options = parser.parse_args()
    if options.photos and not (options.photos / "pages.json").is_file():
        parser.error(f"{options.photos} has no pages.json")
    session = Session(options.folder.resolve(), options.photos and options.photos.resolve())
    if options.install:
        for name in PACKAGES:
            session.environment(name)
        return 0
    record = Record(session.folder / "figures.json")
    for name in options.only:
        if name in OF_PHOTOS and not session.photos:
            session.say(f"{name}: left out without --photos")
        elif options.again or not record.has(name):
            session.say(f"{name}: measuring")
            record.measure(name, lambda part=PARTS[name]: part(session))
        else:
            session.say(f"{name}: measured before; --again repeats it")
    parts = {name: part for name, part in record.parts.items() if record.has(name)}
    page.write(options.docs / "benchmarks.md", parts)
    print(*[options.docs / "benchmarks.md", *plots.draw(options.docs, parts)], sep="\n")
    return int(parts.get("engines", {}).get("figures", {}).get("code", 0))


if __name__ == "__main__":
    sys.exit(main())
