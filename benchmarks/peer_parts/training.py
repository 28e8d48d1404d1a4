"""Measure the seconds from the command to 99 % of MNIST's validation images, beside Keras' own example.

Each training is a process of its own on all cores, one after the other; its clock begins with the process and is read
at the line that it prints after an epoch. Training and validation images are the same for all.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .session import HERE, Session

__all__ = ["GOAL", "classic", "epochs_of", "measure", "processor_seconds", "reached"]

GOAL = 0.99
EPOCH = re.compile(r"^epoch (\d+)/\d+ .*accuracy ([0-9.]+)%")  # the last accuracy of a line is that of validation

# Number, seconds since the start of the process, validation accuracy, seconds of the processors since the start.
Epoch = tuple[int, float, float, float]


def measure(session: Session, seed: int) -> dict[str, Any]:
    """Return the epochs of `small --fast` and of Keras' example with a seed."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        split = session.split()
        parts = {"train": split.train, "validation": split.validation}
        arrays = {f"{name}_{of}": array for name, part in parts.items() for of, array in part._asdict().items()}
        np.savez(data, **arrays)
        example = [session.environment("converters"), HERE / "convnet_worker.py", str(seed), data]
        return {
            "mnist-edge train --fast": list(epochs_of([*_train(folder, seed), "--fast"])),
            "Keras' example": list(epochs_of(example)),
        }


def classic(session: Session) -> dict[str, Any]:
    """Return the epochs of the network of the tutorials."""
    with tempfile.TemporaryDirectory() as folder:
        return {"mnist-edge train --arch classic": list(epochs_of([*_train(folder, 0), "--arch", "classic"]))}


def _train(folder: str, seed: int) -> list[Any]:
    command = [sys.executable, "-m", "mnist_edge.cli", "train", "--data", "mnist", "--overwrite"]
    return [*command, "--runs-dir", folder, "--seed", str(seed)]


def epochs_of(command: Sequence[Any]) -> Iterator[Epoch]:
    """Run a training and yield its epochs, from the lines that it prints.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        lines = []
        for line in process.stderr:
            lines.append(line)
            if match := EPOCH.match(line):
                seconds = round(time.monotonic() - started, 2)
                yield int(match[1]), seconds, float(match[2]) / 100, processor_seconds(process.pid)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr="".join(lines))


def processor_seconds(process: int) -> float:
    """Return the seconds that all processors have worked for a process of Linux, its threads together."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def reached(epochs: Sequence[Epoch]) -> Epoch | None:
    """Return the first epoch that reached the goal; None where none did."""
    return next((epoch for epoch in epochs if epoch[2] >= GOAL), None)
