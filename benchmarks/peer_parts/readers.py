"""Measure what is read of photos: by mnist-edge, OpenCV's tutorial, RapidOCR and Tesseract, with one metric for all.

The readers of printed text get help: pictures that are upright, dark on light, at least 64 pixels high and with a
margin; of what they read only digits count, so that they are wrong in no letter.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import photos
import preprocessing_speed
from mnist_edge_runtime import BlankError, Classifier, load_picture
from mnist_edge_runtime.preprocessing.image_io import save_picture
from numpy.typing import NDArray
from photos import Answer
from PIL import Image

from .session import HERE, Session

__all__ = ["counts", "measure", "opencv_lines", "prepared", "rapidocr", "rows_of_boxes", "tesseract"]

Picture = NDArray[np.uint8]
Answers = dict[str, Answer]

LOWEST = 64  # pixels: printed text is read from about this height on
LARGEST = 2_000  # pixels of the longer side, above which RapidOCR scales down by itself and Tesseract takes minutes
MARGIN = 0.25  # of the height
LONGEST = 1_000  # pixels: to what tutorials scale a page down


def measure(session: Session) -> dict[str, Any]:
    """Return the counts of mnist-edge and of OpenCV's tutorial with the same network, of single digits and lines."""
    single, pages = _folders(session)
    with Classifier.load() as classifier:
        return {
            "single": {
                "mnist-edge": counts(dict(photos.singles(classifier, single)), accepts=True),
                "OpenCV's tutorial": counts(dict(_singles(single, lambda one: _opencv(classifier, one)))),
            },
            "lines": {
                "mnist-edge": counts(dict(photos.pages(classifier, pages)), accepts=True),
                "OpenCV's tutorial": counts(dict(_pages(pages, lambda one: opencv_lines(classifier, one)))),
            },
            "pages": len(photos.written_on(pages)),
        }


def counts(answers: Mapping[str, Answer], *, accepts: bool = False) -> dict[str, int]:
    """Count answers: right, none, wrong, and for a reader that can doubt those it accepts, and the wrong among them.

    What is found where nothing is written counts as `extra`.
    """
    written = [answer for answer in answers.values() if answer.expected]
    found = {
        "of": len(written),
        "right": sum(answer.found == answer.expected for answer in written),
        "none": sum(not answer.found for answer in written),
        "extra": len(answers) - len(written),
    }
    found["wrong"] = found["of"] - found["right"] - found["none"]
    if accepts:
        accepted = [answer for answer in answers.values() if answer.accepted]
        found["accepted"] = sum(answer.accepted for answer in written)
        found["accepted_wrong"] = sum(answer.found != answer.expected for answer in accepted)
    return found


def prepared(picture: Picture) -> Picture:
    """Return a picture as readers of printed text like it: dark on light, of some size, with a margin."""
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    paper = int(np.median(border))
    if paper < 128:
        picture, paper = 255 - picture, 255 - paper
    scale = max(min(1, LARGEST / max(picture.shape)), LOWEST / len(picture))
    if scale != 1:
        size = max(1, round(picture.shape[1] * scale)), round(len(picture) * scale)
        picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
    return np.pad(picture, round(MARGIN * min(picture.shape)), constant_values=paper)


def opencv_lines(classifier: Classifier, picture: Picture) -> list[str]:
    """Return the lines of a page as tutorials read it: each contour of some size is a digit, rows from the top."""
    import cv2

    scale = LONGEST / max(picture.shape)
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask, contours = preprocessing_speed.thresholded(picture)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    boxes = [box for box in boxes if box[2] >= 5 and box[3] >= 15]  # as the tutorials that filter them do
    texts = [classifier.classify(preprocessing_speed.centred(mask, box)).label for box in boxes]
    return rows_of_boxes([(x, y, x + w, y + h, text) for (x, y, w, h), text in zip(boxes, texts, strict=True)])


def rows_of_boxes(boxes: Sequence[Sequence[Any]]) -> list[str]:
    """Return the texts of boxes (left, top, right, bottom, text) by rows; of a row is what begins above its middle."""
    rows: list[list[Sequence[Any]]] = []
    for box in sorted(boxes, key=lambda box: box[1] + box[3]):
        last = rows[-1][-1] if rows else None
        if last is not None and box[1] < (last[1] + last[3]) / 2:
            rows[-1].append(box)
        else:
            rows.append([box])
    return ["".join(str(box[4]) for box in sorted(row, key=lambda box: box[0])) for row in rows]


def _opencv(classifier: Classifier, picture: Picture) -> str:
    try:
        return classifier.classify(preprocessing_speed.tutorial(picture)).label
    except BlankError:
        return ""


def _singles(folder: Path, read: Callable[[Picture], str]) -> Iterator[tuple[str, Answer]]:
    for file in sorted(folder.glob("[0-9]/*")):
        yield f"{file.parent.name}/{file.name}", Answer(file.parent.name, read(load_picture(file)), True)


def _pages(folder: Path, read: Callable[[Picture], list[str]]) -> Iterator[tuple[str, Answer]]:
    for name, written in photos.written_on(folder).items():
        texts = read(load_picture(folder / name, whole=True))
        yield from photos.aligned(name, written, texts, [True] * len(texts))


def rapidocr(session: Session) -> dict[str, Any]:
    """Return the counts of RapidOCR: of single digits with and without looking for text first."""
    single, pages = _folders(session)
    python = session.environment("readers")
    with tempfile.TemporaryDirectory() as folder:
        expected = _save_singles(single, Path(folder, "single"))
        texts = _child([python, HERE / "ocr_worker.py", "single", Path(folder, "single")])
        written = _save_pages(pages, Path(folder, "pages"))
        boxes = _child([python, HERE / "ocr_worker.py", "page", Path(folder, "pages")])
    return {
        "single": {
            title: counts({key: Answer(expected[key], _digits(texts[key][place]), True) for key in expected})
            for place, title in ((0, "RapidOCR, recognition alone"), (1, "RapidOCR"))
        },
        "lines": {"RapidOCR": counts(_aligned(written, {key: rows_of_boxes(boxes[key]) for key in written}))},
        "version": session.versions("readers", "rapidocr"),
    }


def tesseract(session: Session) -> dict[str, Any]:
    """Return the counts of Tesseract with a whitelist of digits; none where it is not installed."""
    if not shutil.which("tesseract"):
        session.say("Tesseract is not installed (apt-get install tesseract-ocr): its rows are left out")
        return {"single": {}, "lines": {}, "version": ""}
    single, pages = _folders(session)
    with tempfile.TemporaryDirectory() as folder:
        expected = _save_singles(single, Path(folder, "single"))
        read = {key: _tesseract(Path(folder, "single", f"{key}.png"), 10) for key in expected}
        written = _save_pages(pages, Path(folder, "pages"))
        lines = {key: _tesseract(Path(folder, "pages", f"{key}.png"), 6).splitlines() for key in written}
    version = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    return {
        "single": {
            "Tesseract": counts({key: Answer(expected[key], _digits(text), True) for key, text in read.items()})
        },
        "lines": {"Tesseract": counts(_aligned(written, lines))},
        "version": version.stdout.splitlines()[0],
    }


def _folders(session: Session) -> tuple[Path, Path]:
    """Return the folders of single digits and of pages."""
    assert session.photos
    return session.photos / "single", session.photos / "pages"


def _tesseract(file: Path, mode: int) -> str:
    options = ["--psm", str(mode), "-c", "tessedit_char_whitelist=0123456789"]
    result = subprocess.run(
        ["tesseract", file, "stdout", *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # its threads would wait for each other
    )
    return result.stdout


def _child(command: list[Any]) -> dict[str, Any]:
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _save_singles(folder: Path, target: Path) -> dict[str, str]:
    """Write all prepared pictures as NAME.png into `target`; return what each shows."""
    target.mkdir(parents=True, exist_ok=True)
    expected = {}
    for number, file in enumerate(sorted(folder.glob("[0-9]/*"))):
        expected[f"{number:04}"] = file.parent.name
        save_picture(prepared(load_picture(file)), target / f"{number:04}.png")
    return expected


def _save_pages(folder: Path, target: Path) -> dict[str, list[str]]:
    """Write all prepared pages as NAME.png into `target`; return what is written on each."""
    target.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, lines in photos.written_on(folder).items():
        written[Path(name).stem] = lines
        save_picture(prepared(load_picture(folder / name, whole=True)), target / f"{Path(name).stem}.png")
    return written


def _aligned(written: Mapping[str, list[str]], read: Mapping[str, Sequence[str]]) -> Answers:
    """Return the answer to each line of all pages; of what was read, digits count, and lines without any do not."""
    found: Answers = {}
    for name, lines in written.items():
        texts = [text for text in map(_digits, read[name]) if text]
        found.update(photos.aligned(name, lines, texts, [True] * len(texts)))
    return found


def _digits(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)
