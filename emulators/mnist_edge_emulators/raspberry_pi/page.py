"""docs/boards.md from docs/boards.json: what was measured on the boards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .boards import BOARDS

__all__ = ["matrix", "render"]

_HEAD = """\
# Boards

Written by `scripts/board_page.py`; the figures lie beside it in `boards.json`. The boards are emulated
(`scripts/emulated-pi`, [CONTRIBUTING.md](../CONTRIBUTING.md)): the processor by qemu-user, everything else is what a Pi
has, Debian's Python and the published wheels. Nothing here was measured on a Raspberry Pi.

{boards}
"""
_MATRIX = """
## The same answers

Each file on the board against the same file on an x86-64 workstation: {images} of MNIST's test images one by one
(int16x8: 20). `.tflite` files run on LiteRT, on `legacy32` on tflite-runtime, which is held against LiteRT without its
default delegate there; `.onnx` files on onnxruntime. "identical": all logits are the same to the bit, as those of int8
files must be. A number is the largest difference of a probability: 1e-5 is allowed of float files, and 0.02 of ONNX
float16, which onnxruntime computes in half precision on `pi5` and in float32 elsewhere; of `dynamic` and `int16x8` the
same classes are asked. Every image got the same class unless it says so, and every file passed its self-test on the
board.

{matrix}

On `legacy32` a batch of images takes other kernels than a single one, and a logit of an int8 file may then be one step
away.
"""
_INSTRUCTIONS = """
## Instructions per inference

Millions of instructions that the processor executes for one image on one thread, counted by a plugin of qemu, the mean
of ten inferences after thirty: of the engine alone (tensor in, raw output out), and of the whole `Classifier.classify`,
with probabilities and acceptance. The difference is Python's and ours. The count repeats itself to a fraction of a
percent on any machine, however busy, so it shows what a change costs.

It is a proxy and no time: an instruction of a vector unit may take as long as ten others, and nothing here knows of
caches or memory. Compare files on one board with it, not boards with each other, and measure microseconds on the board
(`mnist-edge-runtime benchmark`). Weights do not matter, only a file's network, format and quantization.

{instructions}
"""
_MEMORY = """
## Memory

Peak resident memory of `mnist-edge-runtime classify` with the network that ships, of one image that is ready (a `.npy`
of 28 x 28) and of one picture (a PNG, with Pillow and the whole preparation), under
`qemu-system-aarch64 -M virt -m {ample}` with Debian's cloud kernel, which counts memory as a board does; and the least
memory of the whole machine in which the picture was still read (in steps of {step} MB; the kernel and its start take
the rest).

{memory}
"""
_VERSIONS = """
## Versions

Instructions are compared only where all of these are the same.

{versions}
"""


def render(document: Mapping[str, Any]) -> str:
    """Return the page, with a section for each part that was measured."""
    rows = [[f"`{each.name}`", each.title, each.python, ", ".join(each.engines)] for each in BOARDS.values()]
    page = _HEAD.format(boards=_table(["board", "stands for", "Python", "engines"], rows))
    if answers := document.get("matrix"):
        images = max(row["images"] for row in answers)
        page += _MATRIX.format(images=images, matrix=matrix(answers, list(BOARDS)))
    if figures := document.get("instructions"):
        page += _INSTRUCTIONS.format(instructions=_instructions(figures))
    if memory := document.get("memory"):
        rows = [
            [each["engine"], f"{each['image_mb']:.1f} MB", f"{each['picture_mb']:.1f} MB", f"{each['least_mb']} MB"]
            for each in memory["engines"]
        ]
        table = _table(["engine", "peak, ready image", "peak, picture", "least RAM"], rows)
        page += _MEMORY.format(ample=memory["ample_mb"], step=memory["step_mb"], memory=table)
    if versions := document.get("versions"):
        rows = [
            [f"`{board}`", ", ".join(f"{name} {version}" for name, version in packages.items())]
            for board, packages in versions.items()
        ]
        page += _VERSIONS.format(versions=_table(["board", "packages"], rows))
    return page


def matrix(rows: Sequence[Mapping[str, Any]], boards: Sequence[str]) -> str:
    """Return the table of files on boards; rows as `Row.to_dict` gives them."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        cells.setdefault(row["file"], {})[row["board"]] = _cell(row)
    return _table(
        ["file", *(f"`{board}`" for board in boards)],
        [[file, *(found.get(board, "-") for board in boards)] for file, found in cells.items()],
    )


def _cell(row: Mapping[str, Any]) -> str:
    text = "identical" if row["identical"] else f"{row['difference']:.0e}"
    if row["other_classes"]:
        text += f", {row['other_classes']} other classes"
    if row["failures"]:
        text += ", self-test failed"
    return text if row["passed"] else f"**failed**: {text}"


def _instructions(figures: Mapping[str, Any]) -> str:
    boards = list(figures)
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for board, engines in figures.items():
        for files in engines.values():
            for file, counts in files.items():
                network, suffix, quantization = file.split()
                name = f"{suffix} {'float32' if quantization == 'none' else quantization}"
                alone, whole = counts["engine"] / 1e6, counts["classify"] / 1e6
                lines.setdefault((network, name), {})[board] = f"{alone:.2f} / {whole:.2f}"
    return _table(
        ["network", "file", *(f"`{board}`, engine / classify" for board in boards)],
        [[*names, *(found.get(board, "-") for board in boards)] for names, found in lines.items()],
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])
