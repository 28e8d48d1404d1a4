"""Answer images by a network in C on the processors of the boards, under qemu-user, and count its instructions."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from mnist_edge_emulators import cache, debian
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_emulators.raspberry_pi import jobs
from mnist_edge_emulators.raspberry_pi.device import emulator
from mnist_edge_exporters.bundle import static_program
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

# By the board: what zig compiles for, qemu, and the processor; `pizero` is the Pi Zero and the first Pi.
PROCESSORS = {
    "pi4": ("arm64", "qemu-aarch64", "cortex-a72"),
    "pi5": ("arm64", "qemu-aarch64", "cortex-a76"),
    "zero2": ("arm64", "qemu-aarch64", "cortex-a53"),
    "legacy32": ("armhf", "qemu-arm", "cortex-a7"),
    "pizero": ("armv6", "qemu-arm", "arm1176"),
}
OPTIONS = ("-std=gnu99", "-Os", "-static")  # as `bundle --engine c` compiles
# getppid is a mark of the plugin that counts instructions.
PROGRAM = """
#include <stdio.h>
#include <unistd.h>
#include "network.h"
int main(void)
{
    uint8_t image[784], logits[NETWORK_CLASSES];
    if (network_selftest())
        return 1;
    while (fread(image, 1, sizeof image, stdin) == sizeof image) {
        getppid();
        network_logits(image, logits);
        getppid();
        fwrite(logits, 1, sizeof logits, stdout);
    }
    return 0;
}
"""


def answers(board: str, sealed: SealedModel, images: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Return the logits, uint8 (N, classes), and the instructions of an image, the mean."""
    target, qemu, cpu = PROCESSORS[board]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = figures.written(sealed, folder / "network").folder / "src"
        (folder / "main.c").write_text(PROGRAM, encoding="utf-8")
        files = [str(folder / "main.c"), str(source / "network.c"), str(source / "network_golden.c")]
        command = [sys.executable, "-m", "ziglang", "cc", *static_program.PROCESSORS[target], *OPTIONS, f"-I{source}"]
        environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache.folder() / "zig")}
        subprocess.run([*command, "-o", str(folder / "program"), *files], check=True, env=environment)
        counting = ["-plugin", str(jobs.plugin()), "-d", "plugin", "-D", str(folder / "counts")]
        run = [*debian.host_command(emulator(), qemu), "-cpu", cpu, *counting, str(folder / "program")]
        answered = subprocess.run(run, input=images.tobytes(), stdout=subprocess.PIPE, check=True)
        counts = [int(line) for line in (folder / "counts").read_text(encoding="utf-8").split()]
    return np.frombuffer(answered.stdout, np.uint8).reshape(len(images), -1), float(np.mean(counts[1::2]))
