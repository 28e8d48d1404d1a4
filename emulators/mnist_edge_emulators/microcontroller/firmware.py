"""Compile a network that was exported as C into programs for a chip, with ziglang's compiler."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.host import install_extra

from .. import cache
from ..errors import EmulatorError, UnavailableError
from .chips import Chip

__all__ = ["OPTIMIZATION", "Exported", "Program", "compiled", "read"]

OPTIMIZATION = "-Os"
_OPTIONS = ("-std=c99", "-g0", "-ffreestanding", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections")
_ROOM = 1 << 22  # bytes: more than any network, so that the linker never fails for want of memory
_HERE = Path(__file__).parent
_CLASSES = re.compile(r"#define (\w+)_CLASSES (\d+)")
_SECONDS = 300  # to compile one program; the first one on a machine takes some
_PROGRAM_HEADERS = 28  # offset in the header of an ELF file of 32 bits; the sizes are 20 bytes behind it
_LOADED = 1  # PT_LOAD


@dataclass(frozen=True)
class Exported:
    """A folder that `mnist-edge export --format c` wrote: its path, the network's name in C, and its classes."""

    folder: Path
    name: str
    classes: int


@dataclass(frozen=True)
class Program:
    """A program for a chip.

    Attributes:
        file: the program that answers images.
        flash: bytes of flash of the smallest program that answers one: the network, its constants and the start.
        ram: bytes of its static RAM: the network's buffer, the image of 784 bytes and the logits.
    """

    file: Path
    flash: int
    ram: int


def read(folder: Path) -> Exported:
    """Return the network in a folder.

    Raises:
        InputError: it is not a folder with an exported network.
    """
    if not folder.is_dir():
        what = "is no folder; unpack it, or name the folder beside it" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}; make one with: mnist-edge export --model nano --format c")
    for header in sorted((folder / "src").glob("*.h")):
        name = header.stem
        found = _CLASSES.search(header.read_text(encoding="utf-8", errors="replace"))
        sources = (header.with_name(f"{name}.c"), header.with_name(f"{name}_golden.c"))
        if found and found[1] == name.upper() and all(source.is_file() for source in sources):
            return Exported(folder, name, int(found[2]))
    raise InputError(f"{folder}: no network in C is in it; name the folder that mnist-edge export --format c wrote")


def compiled(exported: Exported, chip: Chip, folder: Path) -> Program:
    """Compile the programs of a network for a chip into `folder`.

    Raises:
        UnavailableError: ziglang is not installed.
        EmulatorError: the network does not compile.
    """
    smallest = _compile(exported, chip, folder / "smallest.elf", "-DSMALLEST")
    flash, ram = _sizes(smallest.read_bytes(), chip.ram_origin)
    return Program(_compile(exported, chip, folder / "firmware.elf"), flash, ram)


def _compile(exported: Exported, chip: Chip, target: Path, *defined: str) -> Path:
    if find_spec("ziglang") is None:
        raise UnavailableError(f"the compiler ziglang is not installed; {install_extra('c')}")
    name, source = exported.name, exported.folder / "src"
    values = {"flash_origin": chip.flash_origin, "ram_origin": chip.ram_origin, "room": _ROOM, "ram": chip.part.ram}
    script = (_HERE / "firmware.ld").read_text(encoding="utf-8")
    for key, value in values.items():
        script = script.replace(f"@{key}@", f"{value:#x}")
    layout = target.with_suffix(".ld")
    layout.write_text(script, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "ziglang", "cc", "-target", chip.target, f"-mcpu={chip.cpu}", OPTIMIZATION, *_OPTIONS),
        *(f"-Wl,-T,{layout}", "-Wl,-e,reset", "-include", str(source / f"{name}.h")),
        *(f"-DNETWORK={name}", f"-DCLASSES={exported.classes}", *defined, "-o", str(target)),
        *(str(_HERE / "firmware.c"), str(source / f"{name}.c"), str(source / f"{name}_golden.c")),
    ]
    # Beside the emulators, so that tests, which have a cache of their own, do not make the compiler's library again.
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache.folder() / "zig")}
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=environment, timeout=_SECONDS
        )
    except subprocess.TimeoutExpired:
        late = f"it did not compile for {chip.name} within {_SECONDS} seconds; repeat it, zig keeps what it made"
        raise EmulatorError(late) from None
    if result.returncode:
        reason = next((line for line in result.stderr.splitlines() if "error:" in line), result.stderr.strip())
        raise EmulatorError(f"{exported.folder} does not compile for {chip.name}: {reason}")
    return target


def _sizes(elf: bytes, ram_origin: int) -> tuple[int, int]:
    """Return the bytes that a program of 32 bits has in the file, which lie in flash, and those in RAM."""
    (table,) = struct.unpack_from("<I", elf, _PROGRAM_HEADERS)
    size, count = struct.unpack_from("<HH", elf, _PROGRAM_HEADERS + 14)
    flash = ram = 0
    for index in range(count):
        kind, _, address, _, in_file, in_memory = struct.unpack_from("<6I", elf, table + index * size)
        if kind == _LOADED:
            flash += in_file
            ram += in_memory if address >= ram_origin else 0
    return flash, ram
