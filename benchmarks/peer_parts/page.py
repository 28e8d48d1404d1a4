"""Write the sections of docs/benchmarks.md about others from the record of figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from page_sections import write_section

from .merged import CONVERSION_PARTS, TRAININGS, Parts, read, trained
from .training import GOAL, reached

__all__ = ["SECTIONS", "write"]

Figures = Mapping[str, Any]

TITLE = "Against others: {}"
BUSY = 1  # load average from which other programs count
USUAL = "TFLiteConverter, int8 by its guide"  # to which the times of others are ratios
CONVERSION = """
`python benchmarks/peers.py`: the same weights, `small.keras` and `base.keras`, by each tool as its documentation shows
it. Quantizers learn their ranges from the same {calibration} training images; the guide of TFLiteConverter takes 100 of
them. Accuracy is that of the file on MNIST's 10,000 test images, of which a few more or less are chance; changed are
those to which it gives another class than Keras does. Sizes are those of plain files: `mnist-edge` adds 14 to 18 KB of
contract and golden images. A file that takes and gives integers needs no arithmetic around it on a microcontroller or
an accelerator.

{table}

{failures}Seconds, medians of {turns} turns: of the conversion alone, of a process of its own, most of which imports
TensorFlow, and of the processors in it, which depend less on what else runs; also as a ratio to TFLiteConverter's.
The last column is what processors work in the whole command `mnist-edge export`, which also proves the file on all
test images on each runtime that is installed, seals it and lets it test itself; with the other tools that is left to
their user.

{times}

![Accuracy and seconds of each conversion](peers-conversion.png)

{machine}
"""
PICTURES = """
`python benchmarks/peers.py`: answers a second on one thread, all in turns. From an array of 28 x 28, the engine alone
has everything looked up beforehand and nothing checked; `classify` adds checks, confidence and rejection.

{arrays}

From a file, with the network of {file} for all: the ten lines of `cold_start.py` decode with Pillow, scale to 28 x 28
and call the bare engine; OpenCV's tutorial finds the digit by threshold and contour, and calls the bare engine, too;
`mnist-edge` is `classify(to_mnist(load_picture(file)))`. Faster is not better here: right is how many get their label.

{files}

What a start costs beside ten lines, in time and in memory, and the other engines stand in the first sections of this
page.

{machine}
"""
PHOTOS = """
`python benchmarks/peers.py --photos DIR`: {singles} photos and scans of single digits and {lines} lines on {pages}
pages, by 25 writers; none of them are part of the project. Right is what is read exactly, a line with all of its
digits; none is where a reader gives no answer, extra what it reads where nothing is written. The answers of
`mnist-edge` count here whether it accepts them or not.

{table}

{accepted}

OpenCV's tutorial (adaptive threshold, contours, resize, centre; it expects dark ink) uses the same network.
[RapidOCR](https://pypi.org/project/rapidocr/) and [Tesseract](https://github.com/tesseract-ocr/tesseract) read text in
whole alphabets and were not trained for digits alone: what they read here says little about what they are made for.
They get help: pictures that are dark on light, 64 to 2,000 pixels high, with a margin; of what they read only digits
count (Tesseract has a whitelist, `--psm 10` for a digit and 6 for a page). {versions}.

![What each reader reads of photos](peers-photos.png)
"""
TRAINING = """
`python benchmarks/peers.py`: seconds from the start of the command to the end of the first epoch with {goal:.0%} of
MNIST's 5,000 validation images, and what the processors worked in them, which depends less on what else runs; one
training after the other. Keras' example is its ["Simple MNIST
convnet"](https://keras.io/examples/vision/mnist_convnet/) with batches of 128, and ends there.
`--fast` trains `small` for two epochs with a learning rate that falls to 0; `classic` is the network of the tutorials,
for five epochs. A seed decides much: one run is no mean.

{table}

![Validation accuracy by the seconds since the start](peers-training.png)

{machine}
"""
ELSEWHERE = """
Not measured, and no claim is made about them: TinyMaix and NNoM, which are not in a package index that this script
installs from; Edge Impulse, which is a service; Ultralytics' export, which has no digit reader of the same weights.
What this project's own C costs on microcontrollers is in [integer.md](integer.md).
"""
SECTIONS = ("conversion", "from a picture to the answer", "photos and pages", "training to 99 %", "not measured")


def write(page: Path, parts: Parts) -> None:
    """Write a section for each part whose figures are there, and leave the others of the page as they are."""
    texts = {
        SECTIONS[0]: conversion(parts) if parts.keys() >= CONVERSION_PARTS else None,
        SECTIONS[1]: pictures(parts["pictures"]) if "pictures" in parts else None,
        SECTIONS[2]: photos(parts) if "photos" in parts else None,
        SECTIONS[3]: training(parts) if parts.keys() & set(TRAININGS) else None,
        SECTIONS[4]: ELSEWHERE,
    }
    for title, text in texts.items():
        if text:
            write_section(page, TITLE.format(title), text)


def _machine(*parts: Mapping[str, Any]) -> str:
    loads = " and ".join(dict.fromkeys(f"{part['load']:.1f}" for part in parts))
    told = f"Measured on {parts[0]['machine']}; the load average at the start was {loads}."
    if max(part["load"] for part in parts) > BUSY:
        told += " Other programs ran beside it: seconds by the clock are longer than on a quiet machine, rates lower."
    return told


def _table(*rows: Sequence[Any]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def conversion(parts: Parts) -> str:
    """Return the section about conversions."""
    files, times, proofs = (parts[part]["figures"] for part in ("files", "conversion", "proofs"))
    rows: list[Sequence[Any]] = [
        ("weights", "file", "KB", "accuracy", "changed", "takes", "gives", "integers at both ends")
    ]
    for network, by_title in files["networks"].items():
        for title, row in by_title.items():
            if title == "keras":
                rows.append((network, "Keras itself", "", f"{row['accuracy']:.2%}", "", "", "", ""))
            elif "failed" in row:
                rows.append((network, title, "fails", "", "", "", "", ""))
            else:
                is_integer = "yes" if "int" in row["takes"] and "int" in row["gives"] else "no"
                types = row["takes"], row["gives"], is_integer
                rows.append(
                    (network, title, f"{row['bytes'] / 1000:.1f}", f"{row['accuracy']:.2%}", row["changed"], *types)
                )
    timed: list[Sequence[Any]] = [
        ("weights", "file", "conversion s", "process s", "of processors", "ratio", "with the proof")
    ]
    for network, by_title in times["networks"].items():
        usual = by_title[USUAL].get("processor")
        for title, row in by_title.items():
            if "failed" not in row:
                ratio = f"{row['processor'] / usual:.2f}" if usual else ""
                proof = proofs["networks"][network].get(title)
                proven = f"{proof['processor']:.1f}" if proof else ""
                seconds = f"{row['convert']:.2f}", f"{row['whole']:.1f}", f"{row['processor']:.1f}"
                timed.append((network, title, *seconds, ratio, proven))
    return CONVERSION.format(
        calibration=files["calibration"],
        turns=times["turns"],
        table=_table(*rows),
        times=_table(*timed),
        failures="".join(_failures(files["networks"])),
        machine=_machine(parts["conversion"], parts["proofs"]),
    )


def _failures(networks: Figures) -> Iterator[str]:
    for network, by_title in networks.items():
        for title, row in by_title.items():
            if "failed" in row:
                yield f"{title} fails on `{network}`: {row['failed']}\n\n"


def pictures(part: Figures) -> str:
    """Return the section about pictures a second."""
    figures = part["figures"]
    arrays: list[Sequence[Any]] = [("file", "engine alone", "`logits`", "`classify`", "`classify` / engine")]
    for name, row in figures["arrays"].items():
        rates = (f"{row[key]:,.0f}" for key in ("engine", "logits", "classify"))
        arrays.append((name, *rates, f"{row['classify'] / row['engine']:.2f}"))
    titles = list(next(iter(figures["files"].values())))
    files: list[Sequence[Any]] = [("pictures", *titles, *(f"right: {title}" for title in titles))]
    for name, row in figures["files"].items():
        rates = (f"{row[title]['rate']:,.0f}" for title in titles)
        files.append(
            (
                name,
                *rates,
                *(f"{row[title]['right']} of {row[title]['of']}" if row[title]["of"] else "" for title in titles),
            )
        )
    return PICTURES.format(arrays=_table(*arrays), files=_table(*files), file=figures["file"], machine=_machine(part))


def photos(parts: Parts) -> str:
    """Return the section about photos and pages, with the readers that were measured."""
    figures = read(parts)
    rows: list[Sequence[Any]] = [("reader", "pictures", "right", "", "none", "wrong", "extra")]
    for kind in ("single", "lines"):
        for reader, row in figures[kind].items():
            share = f"{row['right'] / row['of']:.1%}"
            named = f"{row['of']} digits" if kind == "single" else f"{row['of']} lines"
            rows.append((reader, named, row["right"], share, row["none"], row["wrong"], row["extra"]))
    single, lines = figures["single"]["mnist-edge"], figures["lines"]["mnist-edge"]
    accepted = (
        f"`mnist-edge` accepts {single['accepted']} of the {single['of']} digits and is wrong in "
        f"{single['accepted_wrong']} of these; of the lines it accepts {lines['accepted']} with every digit, "
        f"{lines['accepted_wrong']} of them wrong."
    )
    return PHOTOS.format(
        table=_table(*rows),
        singles=single["of"],
        lines=lines["of"],
        pages=figures["pages"],
        accepted=accepted,
        versions=", ".join(figures["versions"]),
    )


def training(parts: Parts) -> str:
    """Return the section about trainings."""
    rows: list[Sequence[Any]] = [
        (
            "training",
            "seed",
            f"seconds to {GOAL:.0%}",
            "of processors",
            "epochs",
            "at the end",
            "seconds",
            "of processors",
        )
    ]
    for title, seeds in trained(parts).items():
        for seed, epochs in enumerate(seeds):
            first = reached(epochs)
            told = (f"{first[1]:.0f}", f"{first[3]:.0f}") if first else ("not reached", "")
            last = epochs[-1]
            rows.append((title, seed, *told, len(epochs), f"{last[2]:.2%}", f"{last[1]:.0f}", f"{last[3]:.0f}"))
    return TRAINING.format(
        goal=GOAL, table=_table(*rows), machine=_machine(*(parts[name] for name in TRAININGS if name in parts))
    )
