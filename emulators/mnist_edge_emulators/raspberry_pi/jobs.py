"""Work for a board, in as few processes as it takes: starting one costs seconds under qemu."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import cache
from .emulator import HOST, READER, Device
from .errors import BoardError, UnavailableError

__all__ = ["answers", "instructions", "run"]

_GUEST = Path(__file__).with_name("guest.py")
_PLUGIN = Path(__file__).with_name("count.c")
_JOB = "/job"
_SECONDS = 900
_WARM_UP, _COUNTED = 30, 10  # Python itself gets faster in the first calls, the more so after other files


def run(device: Device, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command on a board with an empty home and return what became of it; options as of `Device.command`.

    After a quarter of an hour it is ended, with exit code 124.
    """
    # At this signal proot takes all that runs under it along.
    limit = ["timeout", "--signal=QUIT", str(_SECONDS)]
    with tempfile.TemporaryDirectory() as home:
        line = device.command(command, home=Path(home), **options)
        return subprocess.run([*limit, *line], capture_output=True, text=True, check=False)


def answers(
    device: Device, engine: str, files: Mapping[Path, int], images: NDArray[np.uint8]
) -> dict[Path, tuple[NDArray[np.float32], list[str]]]:
    """Return what a board answers: logits, float32 (N, classes), and the failures of the self-test, of each file.

    Args:
        device: the board.
        engine: the runtime's engine.
        files: sealed model files, and how many of the images each is given.
        images: uint8 (N, 28, 28).

    Raises:
        BoardError: the process on the board did not end well; or it could not run a file at all.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _job(device, "answers", engine, files, images, folder)
        failures = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        with np.load(folder / "answers.npz") as found:
            for file in files:
                if file.name not in found:
                    raise BoardError(f"{file.name} on {device.board.name}: {'; '.join(failures[file.name])}")
            return {file: (found[file.name], failures[file.name]) for file in files}


def instructions(
    device: Device, engine: str, files: Sequence[Path], images: NDArray[np.uint8]
) -> dict[Path, tuple[float, float]]:
    """Return the instructions of one inference of each file: of the engine alone, and of `Classifier.classify`.

    They are counted on single images and one thread, as the mean of ten inferences after thirty.

    Args:
        device: the board.
        engine: the runtime's engine.
        files: sealed model files.
        images: uint8 (N, 28, 28), at least forty.

    Raises:
        UnavailableError: there is no C compiler.
        BoardError: the process on the board did not end well.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copyfile(_plugin(), folder / "count.so")
        options = ["-plugin", f"{HOST}{folder}/count.so", "-d", "plugin", "-D", f"{HOST}{folder}/counts"]
        _job(device, "count", engine, dict.fromkeys(files, 0), images[: _WARM_UP + _COUNTED], folder, options)
        counts = [int(line) for line in (folder / "counts").read_text(encoding="utf-8").split()]
    if len(counts) != 4 * len(files):
        where = f"with {engine} on {device.board.name}"
        raise BoardError(f"counting {where} left {len(counts)} marks, expected four for each of {len(files)} files")
    # Four marks a file; what lies between two inferences is of no interest.
    between = np.array(counts).reshape(len(files), 4)[:, 1::2] / _COUNTED
    return {file: (float(alone), float(whole)) for file, (alone, whole) in zip(files, between, strict=True)}


def _job(
    device: Device,
    task: str,
    engine: str,
    files: Mapping[Path, int],
    images: NDArray[np.uint8],
    folder: Path,
    qemu_options: Sequence[str] = (),
) -> None:
    """Run guest.py in a folder that the board sees as /job."""
    for file in files:
        shutil.copyfile(file, folder / file.name)
    np.save(folder / "images.npy", images)
    job = {"engine": engine, "files": {file.name: count for file, count in files.items()}, "warm_up": _WARM_UP}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [f"{READER}/bin/python3", "/guest.py", task, _JOB]
    result = run(
        device,
        command,
        binds=[(folder, _JOB), (_GUEST, "/guest.py")],
        environment={"PYTHONHASHSEED": "0"},
        qemu_options=qemu_options,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise BoardError(f"{task} with {engine} on {device.board.name} ended with {result.returncode}: {last}")


def _plugin() -> Path:
    """Return the plugin that counts, compiled for this machine's qemu."""
    source = _PLUGIN.read_bytes()

    def make(new: Path) -> None:
        flags = ["-std=c11", "-O2", "-shared", "-fPIC", "-nostdlib", "-fno-stack-protector", "-fvisibility=hidden"]
        try:
            command = ["cc", *flags, "-Wall", "-o", str(new / "count.so"), str(_PLUGIN)]
            subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError as error:
            raise UnavailableError("instructions cannot be counted: there is no C compiler (cc)") from error
        except subprocess.CalledProcessError as error:
            raise UnavailableError(f"the plugin that counts cannot be compiled: {error.stderr.strip()}") from error

    return cache.kept(f"plugin-{hashlib.sha256(source).hexdigest()[:12]}", make) / "count.so"
