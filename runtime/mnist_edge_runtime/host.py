"""Describe this host and detect CPU throttling."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

__all__ = [
    "Host",
    "Throttling",
    "available_memory",
    "cache_folder",
    "cores",
    "install_extra",
    "peak_rss",
    "temperature",
    "throttling",
]

_SYSTEM = Path("/")
# https://www.raspberrypi.com/documentation/computers/os.html#get_throttled: these bits now, 16 higher since the start.
_FLAGS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_SINCE_START = 16
# The processors of Raspberry Pis, by their part in /proc/cpuinfo: arch/arm64/include/asm/cputype.h of Linux.
_PARTS = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
}
_HAS_64_BITS = {"ARM1176": False, "Cortex-A7": False, "Cortex-A53": True, "Cortex-A72": True, "Cortex-A76": True}


@dataclass(frozen=True)
class Host:
    """Describe a computer: the properties that decide which wheels fit it and how fast it is.

    Attributes:
        model: name of the board, such as "Raspberry Pi 4 Model B Rev 1.4"; None elsewhere.
        cpu: name of the processor, such as "Cortex-A72".
        cores: number of cores that this process may use.
        governor: the policy that sets the clock's frequency; None where the system does not tell.
        system: such as "Linux".
        release: version of the kernel.
        processor: the kernel's architecture, such as "aarch64".
        bits: 64 or 32, of Python, which may be fewer than the kernel's.
        libc: version of glibc, None where the C library is another.
        python: version of Python, such as "3.11.2".
        executable: this Python.
        numpy: version of numpy.
        has_pip: whether packages can be installed; not into a bundle.
    """

    model: str | None
    cpu: str
    cores: int
    governor: str | None
    system: str
    release: str
    processor: str
    bits: int
    libc: tuple[int, int] | None
    python: str
    executable: str
    numpy: str
    has_pip: bool

    @classmethod
    def here(cls) -> Host:
        """Describe this host."""
        name, found = platform.libc_ver()
        numbers = re.match(r"(\d+)\.(\d+)", found) if name == "glibc" else None
        return cls(
            model=_text("proc/device-tree/model"),
            cpu=_cpu(),
            cores=cores(),
            governor=_text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            system=platform.system(),
            release=platform.release(),
            processor=platform.machine(),
            bits=64 if sys.maxsize > 2**32 else 32,
            libc=(int(numbers[1]), int(numbers[2])) if numbers else None,
            python=platform.python_version(),
            executable=sys.executable,
            numpy=np.__version__,
            has_pip=find_spec("pip") is not None,
        )

    @property
    def architecture(self) -> str:
        """The architecture that wheels must be for."""
        narrow = {"aarch64": "armv7l", "x86_64": "i686"}
        return narrow.get(self.processor, self.processor) if self.bits == 32 else self.processor

    @property
    def has_64_bits(self) -> bool | None:
        """Whether the processor could run a system of 64 bits; None where that is not known."""
        return True if self.processor in ("aarch64", "x86_64") else _HAS_64_BITS.get(self.cpu)

    @property
    def python_release(self) -> tuple[int, int]:
        """The major and minor version of Python that wheels must be for."""
        major, minor, *_ = self.python.split(".")
        return int(major), int(minor)

    def pip(self, command: str, *arguments: str) -> str:
        """Return the command that installs into this Python, or uninstalls; without pip, the advice in its place."""
        if not self.has_pip:
            names = " ".join(word for word in arguments if not word.startswith("-"))
            bundle = "make another bundle on the workstation (mnist-edge bundle)"
            return f"{bundle}, for there is no pip here to {command} {names}"
        import shlex

        return shlex.join([self.executable, "-m", "pip", command, *arguments])


@dataclass(frozen=True)
class Throttling:
    """The firmware's report on power and heat: the bits of `vcgencmd get_throttled` on a Raspberry Pi."""

    raw: int

    @property
    def now(self) -> tuple[str, ...]:
        """The reasons why the CPU is throttled at this moment."""
        return tuple(name for bit, name in _FLAGS.items() if self.raw >> bit & 1)

    @property
    def since_start(self) -> tuple[str, ...]:
        """The reasons why it was throttled at any moment since the system's start."""
        return tuple(name for bit, name in _FLAGS.items() if self.raw >> bit + _SINCE_START & 1)


def install_extra(extra: str) -> str:
    """Return how to install an extra of mnist-edge: from its folder, since no package index has it under its name."""
    import shlex

    command = shlex.join([sys.executable, "-m", "pip", "install", "./runtime", f".[{extra}]"])
    return f"in the folder of mnist-edge, its source: {command}"


def cache_folder() -> Path:
    """Return the product's folder in the cache of this user, which need not be there yet."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mnist-edge"


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def available_memory() -> int | None:
    """Return the bytes of memory that programs can still get, of a container what it has left; None if not told."""
    found = []
    for line in (_text("proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            found.append(int(line.split()[1]) * 1024)
    for line in (_text("proc/self/cgroup") or "").splitlines():
        group, limit = line.removeprefix("0::"), ""
        if group != line:
            limit, used = (_text(f"sys/fs/cgroup{group}/memory.{name}") or "" for name in ("max", "current"))
        if limit.isdigit():
            cached = re.search(r"^inactive_file (\d+)", _text(f"sys/fs/cgroup{group}/memory.stat") or "", re.M)
            found.append(int(limit) - int(used) + (int(cached[1]) if cached else 0))
    return min(found, default=None)


def temperature() -> float | None:
    """Return the processor's temperature in degrees Celsius, None without a sensor."""
    text = _text("sys/class/thermal/thermal_zone0/temp")
    return int(text) / 1000 if text and text.lstrip("-").isdigit() else None


def throttling() -> Throttling | None:
    """Ask the firmware; return None where there is no `vcgencmd` or it may not be asked."""
    import subprocess  # which takes longer to import than a picture to classify

    try:
        result = subprocess.run(["vcgencmd", "get_throttled"], capture_output=True, text=True, check=True, timeout=10)
        return Throttling(int(result.stdout.strip().removeprefix("throttled="), 16))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def peak_rss() -> int | None:
    """Return the peak of this process's resident memory in bytes; None on Windows, which does not tell."""
    # Linux counts in ru_maxrss the memory of the process from before it became this program, too.
    for line in (_text("proc/self/status") or "").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    if sys.platform == "win32":
        return None
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _cpu() -> str:
    lines = (line.partition(":") for line in (_text("proc/cpuinfo") or "").splitlines())
    fields = {name.strip(): value.strip() for name, _, value in lines}
    return _PARTS.get(fields.get("CPU part", "")) or fields.get("model name") or platform.machine()


def _text(path: str) -> str | None:
    """Return the content of a file of the system, None where there is no such file."""
    try:
        return (_SYSTEM / path).read_text(errors="replace").strip("\0\n ")
    except OSError:
        return None
