"""Measure the runtime's memory in a whole emulated machine; under qemu-user the guest's memory is part of qemu's."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import debian
from ..errors import EmulatorError, UnavailableError
from .boards import KERNEL, SYSTEM_EMULATOR
from .device import READER, Device

__all__ = ["AMPLE", "IMAGE", "PICTURE", "STEP", "VirtualMachine", "least", "peak", "virtual_machine"]

AMPLE = 512  # MiB of the machine in which the peak is measured
STEP = 16  # MiB between two sizes of machine
IMAGE, PICTURE = "digit.npy", "digit.png"  # the two inputs that are classified
_SECONDS = 60  # seconds for one start, which takes ten; without enough memory it thrashes and is stopped
_MODULES = ("virtio/virtio", "virtio/virtio_ring", "virtio/virtio_mmio", "block/virtio_blk")
_INIT = """#!/bin/busybox sh
export PATH=/usr/bin:/bin HOME=/home/pi LANG=C.UTF-8
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
/bin/busybox mount -t ext4 -o ro /dev/vda /disk
/bin/busybox mount -t proc proc /disk/proc
/bin/busybox mount -t sysfs sys /disk/sys
/bin/busybox mount -t devtmpfs dev /disk/dev
/bin/busybox mount -t tmpfs tmp /disk/tmp
/bin/busybox chroot /disk {python} /measure.py $engine /inputs/$input
/bin/busybox poweroff -f
"""
_MEASURE = """
import resource, subprocess, sys
command = [sys.executable, "-m", "mnist_edge_runtime", "classify", "--accept-all", "--engine", *sys.argv[1:]]
result = subprocess.run(command, capture_output=True, text=True)
print(result.stdout, result.stderr)
print("exit code", result.returncode, "peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, "kB")
"""


class VirtualMachine:
    """A whole emulated machine with a board's files on its disk."""

    def __init__(self, command: list[str], kernel: Path, disk: Path, start: Path) -> None:
        """Take the command and the files to start it from; `virtual_machine` makes them."""
        self._command, self._kernel, self._disk, self._start = command, kernel, disk, start

    def run(self, engine: str, name: str, mebibytes: int) -> float | None:
        """Classify an input with this many MiB of memory; return the peak RSS in MiB, None where it failed."""
        append = f"console=ttyAMA0 quiet panic=-1 engine={engine} input={name}"
        command = [
            *self._command,
            *("-M", "virt", "-cpu", "cortex-a72", "-m", str(mebibytes), "-nographic", "-nic", "none", "-no-reboot"),
            *("-kernel", str(self._kernel), "-initrd", str(self._start), "-append", append),
            *("-drive", f"file={self._disk},format=raw,if=none,id=disk,readonly=on"),
            *("-device", "virtio-blk-device,drive=disk"),
        ]
        try:
            result = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return None
        except subprocess.CalledProcessError as error:
            raise EmulatorError(f"qemu-system-aarch64 ended with {error.returncode}: {error.stderr.strip()}") from error
        found = re.search(r"exit code 0 peak (\d+) kB", result.stdout)
        return int(found[1]) / 1024 if found else None


def peak(machine: VirtualMachine, engine: str, name: str) -> float:
    """Return the peak RSS, in MiB, of classifying one of the inputs in a machine with ample memory.

    Raises:
        EmulatorError: it could not be classified.
    """
    found = machine.run(engine, name, AMPLE)
    if found is None:
        raise EmulatorError(f"classify of {name} with {engine} failed in an emulated machine of {AMPLE} MiB")
    return found


def least(machine: VirtualMachine, engine: str) -> int:
    """Return the memory of the smallest machine, in MiB and steps of 16, in which the picture is still classified."""
    mebibytes = 8 * STEP
    while machine.run(engine, PICTURE, mebibytes) is None:
        mebibytes += STEP
    while machine.run(engine, PICTURE, mebibytes - STEP) is not None:
        mebibytes -= STEP
    return mebibytes


@contextmanager
def virtual_machine(device: Device, inputs: Path) -> Iterator[VirtualMachine]:
    """Yield a machine with the files of `device` and the folder of inputs; its disk is removed afterwards.

    Raises:
        UnavailableError: packages are not available, or mke2fs (e2fsprogs) is not installed.
    """
    tools, kernel = debian.unpacked(SYSTEM_EMULATOR), debian.unpacked(KERNEL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "start").write_bytes(_archive(kernel))
        _disk(device, inputs, folder / "disk")
        (image,) = (kernel / "boot").glob("vmlinuz-*")
        command = debian.host_command(tools, "qemu-system-aarch64")
        yield VirtualMachine(command, image, folder / "disk", folder / "start")


def _disk(device: Device, inputs: Path, image: Path) -> None:
    """Write a disk image with the board's files, the inputs and the script that measures."""
    if device.runtime is None:
        raise EmulatorError(f"{device.board.name} has no runtime")
    files = image.with_name("files")
    # Hard links, since there are many files and none is changed.
    shutil.copytree(device.root, files, symlinks=True, copy_function=_link)
    shutil.copytree(device.runtime, files / "opt" / "runtime", dirs_exist_ok=True, copy_function=_link)
    shutil.copytree(inputs, files / "inputs")
    (files / "measure.py").write_text(_MEASURE, encoding="utf-8")
    size = sum(each.lstat().st_size + 4096 for each in files.rglob("*"))
    mke2fs = shutil.which("mke2fs", path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if mke2fs is None:
        raise UnavailableError("a disk cannot be made: mke2fs (e2fsprogs) is not installed")
    command = [mke2fs, "-q", "-t", "ext4", "-d", str(files), str(image), f"{size // 900}k"]
    subprocess.run(command, capture_output=True, text=True, check=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target)


def _archive(kernel: Path) -> bytes:
    """Return the initial file system, a cpio archive: busybox, the disk's kernel modules and the init script."""
    (modules,) = (kernel / "usr" / "lib" / "modules").glob("*/kernel/drivers")
    names = [module.rpartition("/")[2] for module in _MODULES]
    init = _INIT.format(modules=" ".join(names), python=f"{READER}/bin/python3").encode()
    members = dict.fromkeys(("bin", "dev", "disk"), (stat.S_IFDIR | 493, b""))
    members["bin/busybox"] = (stat.S_IFREG | 0o755, (kernel / "bin" / "busybox").read_bytes())
    members["init"] = (stat.S_IFREG | 0o755, init)
    for name, module in zip(names, _MODULES, strict=True):
        members[f"{name}.ko"] = (stat.S_IFREG | 0o644, (modules / f"{module}.ko").read_bytes())
    members["TRAILER!!!"] = (0, b"")
    return b"".join(_member(name, mode, content) for name, (mode, content) in members.items())


def _member(name: str, mode: int, content: bytes) -> bytes:
    """Return one member of a cpio archive, in the format "newc" of cpio(5)."""
    size = len(name) + 1
    fields = (0, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, size, 0)
    header = b"070701" + b"".join(f"{field:08x}".encode() for field in fields) + name.encode() + b"\0"
    padded: Callable[[bytes], bytes] = lambda part: part + bytes(-len(part) % 4)  # noqa: E731
    return padded(header) + padded(content)
