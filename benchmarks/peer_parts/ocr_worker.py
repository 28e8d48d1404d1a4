"""Read prepared pictures with RapidOCR; a child of `readers.py`.

    ocr_worker.py single|page FOLDER

FOLDER has PNG files. One JSON document on stdout gives for each name what was found: of a single digit the text that
its recognition network gives without looking for text first, and the text with looking for it; of a page the boxes,
[left, top, right, bottom, text].
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from rapidocr import RapidOCR


def texts(found: Any) -> str:
    return "".join(found.txts or ()) if found is not None and getattr(found, "txts", None) else ""


def boxes(found: Any) -> list[list[Any]]:
    if found is None or found.boxes is None:
        return []
    sides = [
        [float(corners[:, 0].min()), float(corners[:, 1].min()), float(corners[:, 0].max()), float(corners[:, 1].max())]
        for corners in found.boxes
    ]
    return [[*box, text] for box, text in zip(sides, found.txts, strict=True)]


def main(kind: str, folder: str) -> None:
    stdout, sys.stdout = sys.stdout, sys.stderr  # for what it prints
    logging.disable(logging.INFO)
    engine = RapidOCR()
    answers: dict[str, Any] = {}
    for file in sorted(Path(folder).glob("*.png")):
        if kind == "single":
            alone = engine(str(file), use_det=False, use_cls=False, use_rec=True)
            found = engine(str(file), use_det=True, use_cls=True, use_rec=True)  # it keeps what the call before said
            answers[file.stem] = [texts(alone), texts(found)]
        else:
            answers[file.stem] = boxes(engine(str(file)))
    print(json.dumps(answers), file=stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
