"""Render docs/boards.md from docs/boards.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..markdown import table
from ..microcontroller import page as chips_page
from .boards import BOARDS

__all__ = ["matrix", "render"]

_HEAD = """\
# Boards

Written by `python emulators/board_page.py`; the figures are also in `boards.json` and `chips.json`. The boards are
emulated ([emulators](../emulators/README.md)): qemu-user emulates the processor, everything else is the software of a
Pi or a PC, Debian's Python and the published wheels. Nothing on this page was measured on a Raspberry Pi, on a PC
without VNNI, or on a microcontroller.

{boards}

`pizero`, in [the tables of the integer network](integer.md#every-target), is the Raspberry Pi Zero and the first Pi
(ARMv6): no engine has wheels for them, and they run [a program in C](old-pis.md).
"""
_MATRIX = """
## The same answers

Each file on the board is compared with the same file on an x86-64 workstation, on {images} of MNIST's test images
(int16x8: 20), one by one. `.tflite` files run on LiteRT, and on `legacy32` on tflite-runtime, which is compared with
LiteRT without its default delegate; `.onnx` files run on onnxruntime. "identical": all logits are the same to the bit,
which int8 files must be. A number is the largest difference of a probability. Allowed are 1e-5 for float files and
0.02 for ONNX float16, which onnxruntime computes in half precision on `pi5` and in float32 elsewhere; `dynamic` and
`int16x8` files must give the same classes. Every image got the same class unless the table says otherwise, and every
file passed its self-test on the board.

{matrix}

On `legacy32` a batch of images takes other kernels than a single image, and a logit of an int8 file may then differ by
one quantization step.

## x86 without VNNI

Most x86 processors before 2021 (among them Intel's Core from Haswell to Comet Lake, and AMD's Zen 1 to 3) multiply
uint8 by int8 with an instruction that adds two products in 16 bits, where they overflow; VNNI, which later ones have,
adds in 32 bits. Without it onnxruntime's usual kernels answer int8 `.onnx` files wrongly: `small-int8.onnx` reads some
1s as 4 or 8. So the runtime asks onnxruntime for a product that overflows, once in each process (0.4 ms), and where it
comes out wrong it sets `session.x64quantprecision`: the same sums on kernels for uint8 by uint8, which are exact.
`mnist-edge-runtime doctor` says which kernels are taken; programs of your own that load an int8 `.onnx` file set the
option themselves ([the model file](model-file.md)). `.tflite` files and float `.onnx` files are not concerned.

On `haswell` the exact kernels execute 7 % (nano), 15 % (small) and 43 % (tiny) more instructions than those that
overflow, counted as below. With VNNI the option is not set and nothing is lost; there it would cost 8 microseconds an
image for small (32 without it) and 60 for base (69), on an Intel Xeon and one thread.
"""
_INSTRUCTIONS = """
## Instructions per inference

Millions of instructions that the processor executes for one image on one thread, counted by a plugin of qemu, as the
mean of ten inferences after thirty: of the engine alone (tensor in, raw output out), and of the whole
`Classifier.classify`, with probabilities and rejection, of images that are accepted. The difference is the cost of
Python and of the runtime. The count is the same to a fraction of a percent on any machine, busy or not, so it shows the
cost of a change.

Instructions are a proxy for time: a vector instruction may take as long as ten others, and caches and memory are not
modelled. Compare files on one board, not boards with each other, and measure microseconds on the board itself
(`mnist-edge-runtime benchmark`). The count depends on a file's network, format and quantization, not on its weights.

{instructions}
"""
_PREPARATION = """
Bringing one picture to MNIST's form ([preprocessing](preprocessing.md)), counted in the same way as the mean of three
calls after five, in millions; and of the whole, from the picture to the answer, the share of `classify` with each
network as int8 TFLite.

{preparation}
"""
_MEMORY = """
## Memory

Peak resident memory of `mnist-edge-runtime classify` with the network of the wheel, for one prepared image (a `.npy` of
28 x 28) and for one picture (a PNG, with Pillow and the whole preprocessing), under
`qemu-system-aarch64 -M virt -m {ample}` with Debian's cloud kernel, which counts memory as a board does; and the
smallest memory of the whole machine in which the picture was still classified (in steps of {step} MiB; the kernel takes
the rest). 1 MiB = 1,048,576 bytes.

{memory}
"""
_VERSIONS = """
## Versions

The tests compare the boards' instructions only where all of these versions are the same.

{versions}
"""


def render(document: Mapping[str, Any], chips: Mapping[str, Any]) -> str:
    """Return the page, with a section for each part of the document, and one for the figures of chips."""
    rows = [[f"`{each.name}`", each.title, each.python, ", ".join(each.engines)] for each in BOARDS.values()]
    page = _HEAD.format(boards=table(["board", "stands for", "Python", "engines"], rows))
    if answers := document.get("matrix"):
        images = max(row["images"] for row in answers)
        page += _MATRIX.format(images=images, matrix=matrix(answers, list(BOARDS)))
    if figures := document.get("instructions"):
        page += _INSTRUCTIONS.format(instructions=_instructions(figures))
    if pictures := document.get("preparation"):
        page += _PREPARATION.format(preparation=_preparation(pictures, document["instructions"]))
    if memory := document.get("memory"):
        rows = [
            [
                each["engine"],
                *(f"{each[key]:.1f} MiB" for key in ("image_mib", "picture_mib")),
                f"{each['least_mib']} MiB",
            ]
            for each in memory["engines"]
        ]
        engines = table(["engine", "peak, prepared image", "peak, picture", "smallest machine"], rows)
        page += _MEMORY.format(ample=memory["ample_mib"], step=memory["step_mib"], memory=engines)
    page += chips_page.render(chips)
    if versions := document.get("versions"):
        rows = [
            [f"`{board}`", ", ".join(f"{name} {version}" for name, version in packages.items())]
            for board, packages in versions.items()
        ]
        page += _VERSIONS.format(versions=table(["board", "packages"], rows))
    return page


def matrix(rows: Sequence[Mapping[str, Any]], boards: Sequence[str]) -> str:
    """Return the table of files by boards; rows in the form of `Row.to_dict`."""
    cells: dict[str, dict[str, str]] = {}
    for row in rows:
        cells.setdefault(row["file"], {})[row["board"]] = _cell(row)
    return table(
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
    return table(
        ["network", "file", *(f"`{board}`, engine / classify" for board in boards)],
        [[*names, *(found.get(board, "-") for board in boards)] for names, found in lines.items()],
    )


def _preparation(pictures: Mapping[str, Any], instructions: Mapping[str, Any]) -> str:
    rows = []
    for board, names in pictures.items():
        files = {file: counts for each in instructions[board].values() for file, counts in each.items()}
        classify = {file.split()[0]: counts["classify"] for file, counts in files.items() if "tflite int8" in file}
        for sizes in names.values():
            for size, counts in sizes.items():
                shares = [f"{name} {count / (count + counts['prepare']):.0%}" for name, count in classify.items()]
                rows.append([f"`{board}`", size, f"{counts['prepare'] / 1e6:.1f}", ", ".join(shares)])
    return table(["board", "picture", "preparation", "share of the network"], rows)
