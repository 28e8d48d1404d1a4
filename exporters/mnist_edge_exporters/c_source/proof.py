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
from numpy.typing import NDArray

from .project import Project

__all__ = ["Answers", "answers", "compiler"]

_OPTIONS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC")
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
    """What the compiled network answers: raw logits, uint8 (N, classes), and whether each is accepted, bool (N,)."""

    logits: NDArray[np.uint8]
    accepted: NDArray[np.bool_]


def answers(project: Project, images: NDArray[np.uint8], command: Sequence[str]) -> Answers:
    """Return the answers of the compiled network, whose self-test passes.

    Args:
        project: the network.
        images: uint8 (N, 28, 28).
        command: as `compiler` returns it.

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
        source, target = folder / "images.npy", folder / "answers.npz"
        np.save(source, images)
        child = run_module(__name__, str(library), project.name, str(source), str(target), seconds=_SECONDS)
        if child.code:
            raise VerificationError(f"the compiled C failed: {child.reason}")
        with np.load(target) as found:
            return Answers(found["logits"], found["accepted"])


def main(library: str, name: str, source: str, target: str) -> int:
    """Run the self-test, then answer the images in `source` into `target`, in the child."""
    loaded, images = ctypes.CDLL(library), np.load(source)
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
    np.savez(target, logits=found, accepted=accepted)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
