"""Run jobs on a board in as few processes as possible: starting one takes seconds under qemu."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cache
from ..errors import EmulatorError, UnavailableError
from .device import HOST, READER, Device

__all__ = ["answers", "instructions", "plugin", "preparation", "reading", "run"]

_GUEST = Path(__file__).with_name("guest.py")
_BARE_ENGINES = Path(__file__).resolve().parents[3] / "benchmarks" / "bare_engines.py"
_PLUGIN = Path(__file__).with_name("instruction_counter.c")
_JOB = "/job"
_SECONDS = 900  # seconds after which a process on a board is ended
_WARM_UP, _COUNTED = 30, 10  # images; Python itself gets faster in the first calls, the more so after other files
_WARM_UP_PICTURES, _COUNTED_PICTURES = 5, 3  # whose preparation is hundreds of calls of its own


def run(device: Device, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command on a board with an empty home and return its result; options as of `Device.command`.

    After 15 minutes it is ended, with exit code 124.
    """
    # At this signal proot ends all processes that run under it.
    limit = ["timeout", "--signal=QUIT", str(_SECONDS)]
    with tempfile.TemporaryDirectory() as home:
        line = device.command(command, home=Path(home), **options)
        return subprocess.run([*limit, *line], capture_output=True, text=True, check=False)


def answers(
    device: Device, engine: str, files: Mapping[Path, int], images: NDArray[np.uint8]
) -> dict[Path, tuple[NDArray[np.float32], list[str]]]:
    """Return a board's answers for each file: logits, float32 (N, classes), and the failures of the self-test.

    Args:
        device: the board.
        engine: the runtime's engine.
        files: sealed model files, and the number of images for each.
        images: uint8 (N, 28, 28).

    Raises:
        EmulatorError: the process on the board failed, or a file did not run there.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {"engine": engine, "files": {file.name: count for file, count in files.items()}}
        _job(device, "answers", job, files, images, folder)
        failures = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
        with np.load(folder / "answers.npz") as found:
            for file in files:
                if file.name not in found:
                    raise EmulatorError(f"{file.name} on {device.board.name}: {'; '.join(failures[file.name])}")
            return {file: (found[file.name], failures[file.name]) for file in files}


def instructions(
    device: Device, engine: str, files: Sequence[Path], images: NDArray[np.uint8]
) -> dict[Path, tuple[float, float]]:
    """Return the instructions per inference of each file: of the engine alone, and of `Classifier.classify`.

    Counted on single images and one thread, as the mean of ten inferences after thirty.

    Args:
        device: the board.
        engine: the runtime's engine.
        files: sealed model files.
        images: uint8 (N, 28, 28), at least forty.

    Raises:
        UnavailableError: no C compiler is installed.
        EmulatorError: the process on the board failed.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = {"engine": engine, "files": dict.fromkeys((file.name for file in files), 0), "warm_up": _WARM_UP}
        counts = _counts(device, "count", job, files, images[: _WARM_UP + _COUNTED], folder)
    if len(counts) != 4 * len(files):
        where = f"with {engine} on {device.board.name}"
        raise EmulatorError(f"counting {where} left {len(counts)} marks, expected four for each of {len(files)} files")
    # Four marks a file: only the second and the fourth end an inference.
    between = np.array(counts).reshape(len(files), 4)[:, 1::2] / _COUNTED
    return {file: (float(alone), float(whole)) for file, (alone, whole) in zip(files, between, strict=True)}


def preparation(device: Device, picture: NDArray[np.uint8]) -> float:
    """Return the instructions that bring a picture, uint8 (H, W), to MNIST's form.

    Raises:
        UnavailableError: no C compiler is installed.
        EmulatorError: the process on the board failed.
    """
    images = np.stack([picture] * (_WARM_UP_PICTURES + _COUNTED_PICTURES))
    with tempfile.TemporaryDirectory() as name:
        counts = _counts(device, "prepare", {"warm_up": _WARM_UP_PICTURES}, (), images, Path(name))
    if len(counts) != 2:
        raise EmulatorError(f"counting on {device.board.name} left {len(counts)} marks, expected two")
    return counts[1] / _COUNTED_PICTURES


def reading(device: Device, engine: str, file: Path, jpeg: bytes) -> float:
    """Return the instructions that read the number in a camera's frame, from its JPEG to its digits.

    Raises:
        UnavailableError: no C compiler is installed.
        EmulatorError: the process on the board failed.
    """
    frames = np.stack([np.frombuffer(jpeg, np.uint8)] * (_WARM_UP_PICTURES + _COUNTED_PICTURES))
    job = {"engine": engine, "file": file.name, "warm_up": _WARM_UP_PICTURES}
    with tempfile.TemporaryDirectory() as name:
        counts = _counts(device, "read", job, [file], frames, Path(name))
    if len(counts) != 2:
        raise EmulatorError(f"counting on {device.board.name} left {len(counts)} marks, expected two")
    return counts[1] / _COUNTED_PICTURES


def _counts(
    device: Device,
    task: str,
    job: Mapping[str, Any],
    files: Sequence[Path],
    images: NDArray[np.uint8],
    folder: Path,
) -> list[int]:
    """Run guest.py on the board, and return the instructions up to each mark since the one before."""
    shutil.copyfile(plugin(), folder / "count.so")
    options = ["-plugin", f"{HOST}{folder}/count.so", "-d", "plugin", "-D", f"{HOST}{folder}/counts"]
    _job(device, task, job, files, images, folder, options)
    return [int(line) for line in (folder / "counts").read_text(encoding="utf-8").split()]


def _job(
    device: Device,
    task: str,
    job: Mapping[str, Any],
    files: Iterable[Path],
    images: NDArray[np.uint8],
    folder: Path,
    qemu_options: Sequence[str] = (),
) -> None:
    """Run guest.py on the board, with `folder` as /job."""
    for file in files:
        shutil.copyfile(file, folder / file.name)
    np.save(folder / "images.npy", images)
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    command = [f"{READER}/bin/python3", "/guest.py", task, _JOB]
    result = run(
        device,
        command,
        binds=[(folder, _JOB), (_GUEST, "/guest.py"), (_BARE_ENGINES, "/bare_engines.py")],
        environment={"PYTHONHASHSEED": "0"},
        qemu_options=qemu_options,
    )
    if result.returncode:
        last = (result.stderr.strip().splitlines() or ["it said nothing"])[-1]
        with_engine = f" with {job['engine']}" if "engine" in job else ""
        raise EmulatorError(f"{task}{with_engine} on {device.board.name} ended with {result.returncode}: {last}")


def plugin() -> Path:
    """Return qemu's plugin that counts instructions, compiled for this machine."""
    source = _PLUGIN.read_bytes()

    def make(new: Path) -> None:
        flags = ["-std=c11", "-O2", "-shared", "-fPIC", "-nostdlib", "-fno-stack-protector", "-fvisibility=hidden"]
        try:
            command = ["cc", *flags, "-Wall", "-o", str(new / "count.so"), str(_PLUGIN)]
            subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError as error:
            raise UnavailableError("instructions cannot be counted: no C compiler (cc) is installed") from error
        except subprocess.CalledProcessError as error:
            reason = error.stderr.strip()
            raise UnavailableError(f"the plugin that counts instructions cannot be compiled: {reason}") from error

    return cache.cached(f"plugin-{hashlib.sha256(source).hexdigest()[:12]}", make) / "count.so"
