"""Compile a network in C with this machine's compiler, and run it in a process of its own.

A fault in generated code may end the process that loads it; the arguments of the child are LIBRARY NAME IMAGES OUT.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from mnist_edge_runtime.child_process import run_module
from mnist_edge_runtime.errors import InputError, VerificationError
from mnist_edge_runtime.host import install_extra
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

from .project import Project

__all__ = ["Answers", "answers", "compiler", "prepared"]

_OPTIONS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC")
_GUARD = 64  # bytes
_DONE, _BLANK = 0, 1  # what the preprocessing returns
_SECONDS = 600  # for the whole test set


def compiler() -> tuple[str, ...]:
    """Return the command of a C compiler: $CC, the system's, or ziglang's.

    Raises:
        InputError: there is none.
    """
    if named := os.environ.get("CC"):
        return tuple(shlex.split(named))
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return (found,)
    if find_spec("ziglang"):
        return (sys.executable, "-m", "ziglang", "cc")
    raise InputError(
        "--format c proves its code by running it, and there is no C compiler here: install gcc or clang, or "
        f"ziglang {install_extra('c')}"
    )


@dataclass(frozen=True)
class Answers:
    """What the compiled code answers.

    Attributes:
        logits: raw, uint8 (N, classes).
        accepted: whether each answer is accepted, bool (N,).
        prepared: the image of each picture, uint8 (28, 28), or None where it is blank.
    """

    logits: NDArray[np.uint8]
    accepted: NDArray[np.bool_]
    prepared: tuple[NDArray[np.uint8] | None, ...]


def answers(
    project: Project,
    images: NDArray[np.uint8],
    command: Sequence[str],
    pictures: Sequence[NDArray[np.uint8]] = (),
) -> Answers:
    """Return the answers of the compiled network, whose self-test passes.

    Args:
        project: the network.
        images: uint8 (N, 28, 28).
        command: as `compiler` returns it.
        pictures: uint8 (H, W) within the limits of the preprocessing in C.

    Raises:
        VerificationError: it does not compile, warns, crashes, or fails its self-test.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as name:
        folder = Path(name)
        for path, text in project.files.items():
            if path.startswith("src/"):
                (folder / Path(path).name).write_text(text, encoding="utf-8")
        sources = sorted(str(file) for file in folder.glob("*.c"))
        library = folder / "network.so"
        try:
            run = subprocess.run(
                [*command, *_OPTIONS, "-o", str(library), *sources], capture_output=True, text=True, errors="replace"
            )
        except OSError as error:
            said = f"the C compiler {command[0]} cannot be run: {error.strerror}; name another by CC"
            raise InputError(said) from None
        if run.returncode:
            said = run.stderr.replace(f"{folder}{os.sep}", "").strip()
            raise VerificationError(f"the C does not compile without warnings: {said.splitlines()[0] if said else ''}")
        source, target = folder / "images.npz", folder / "answers.npz"
        np.savez(source, *pictures, images=images)
        child = run_module(__name__, str(library), project.name, str(source), str(target), seconds=_SECONDS)
        if child.code:
            raise VerificationError(f"the compiled C failed: {child.reason}")
        with np.load(target) as found:
            pairs = zip(found["codes"], found["prepared"], strict=True)
            return Answers(found["logits"], found["accepted"], tuple(None if code else image for code, image in pairs))


def main(library: str, name: str, source: str, target: str) -> int:
    """Run the self-test, then answer the images and prepare the pictures in `source` into `target`, in the child."""
    loaded = ctypes.CDLL(library)
    with np.load(source) as given:
        images = given["images"]
        pictures = [given[f"arr_{index}"] for index in range(len(given.files) - 1)]
    header = Path(library).with_name(f"{name}.h").read_text(encoding="utf-8")
    classes = int(header.split("_CLASSES ", 1)[1].split()[0])
    wrong = getattr(loaded, f"{name}_selftest")()
    if wrong:
        print(f"{wrong} logits of the self-test differ", file=sys.stderr)
        return 1
    answer, found = getattr(loaded, f"{name}_logits"), np.zeros((len(images), classes), np.uint8)
    classify, best = getattr(loaded, f"{name}_classify"), np.zeros(len(images), np.int64)
    accept, accepted = getattr(loaded, f"{name}_accepted"), np.zeros(len(images), np.bool_)
    for index, image in enumerate(images):
        answer(image.ctypes.data_as(ctypes.c_void_p), found[index].ctypes.data_as(ctypes.c_void_p))
        best[index] = classify(image.ctypes.data_as(ctypes.c_void_p))
        accepted[index] = accept(found[index].ctypes.data_as(ctypes.c_void_p))
    if not np.array_equal(best, found.argmax(axis=1)):
        print("classify does not return the largest logit", file=sys.stderr)
        return 1
    codes, made = np.zeros(len(pictures), np.int64), np.zeros((len(pictures), *IMAGE_SHAPE), np.uint8)
    for index, picture in enumerate(pictures):
        codes[index], made[index] = prepared(loaded, name, np.ascontiguousarray(picture))
    if not set(codes.tolist()) <= {_DONE, _BLANK}:
        print(
            "the preprocessing refuses a picture within its limits, or writes behind its work buffer", file=sys.stderr
        )
        return 1
    np.savez(target, logits=found, accepted=accepted, codes=codes, prepared=made)
    return 0


def prepared(loaded: ctypes.CDLL, name: str, picture: NDArray[np.uint8]) -> tuple[int, NDArray[np.uint8]]:
    """Return code and image of a picture; the work buffer has any content, and a guard behind it."""
    height, width = picture.shape
    size = int(getattr(loaded, f"{name}_prepare_work")(width, height))
    work = np.resize(np.arange(251, dtype=np.uint8), size + _GUARD)
    guard, image = work[size:].copy(), np.zeros(IMAGE_SHAPE, np.uint8)
    pointers = [each.ctypes.data_as(ctypes.c_void_p) for each in (picture, work, image)]
    code = int(getattr(loaded, f"{name}_prepare")(pointers[0], width, height, *pointers[1:]))
    return (code if np.array_equal(work[size:], guard) else -1), image


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
