from __future__ import annotations

import platform
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_runtime import host
from mnist_edge_runtime.host import Host, Throttling

PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
    "proc/cpuinfo": "processor\t: 0\nCPU part\t: 0xd08\n\nRevision\t: c03114\nModel\t\t: Raspberry Pi 4\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
}

ALLOCATE = """
from mnist_edge_runtime.host import peak_rss
before = peak_rss()
block = b"x" * 100_000_000
del block
print(before, peak_rss())
"""


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(host, "_SYSTEM", tmp_path)
    return tmp_path


def _write(system: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(text)


def test_a_raspberry_pi_is_described(system: Path) -> None:
    _write(system, PI)
    found = Host.here()

    assert (found.model, found.cpu) == ("Raspberry Pi 4 Model B Rev 1.4", "Cortex-A72")
    assert found.governor == "ondemand"
    assert found.python == platform.python_version()
    assert host.temperature() == 48.312


def test_memory_is_what_the_system_and_the_container_have_left(system: Path) -> None:
    assert host.available_memory() is None
    _write(
        system, {"proc/meminfo": "MemTotal: 4000 kB\nMemAvailable:    3000 kB\n", "proc/self/cgroup": "0::/a.slice\n"}
    )
    assert host.available_memory() == 3000 * 1024

    group = {"memory.max": "900000\n", "memory.current": "500000\n", "memory.stat": "anon 9\ninactive_file 100000\n"}
    _write(system, {f"sys/fs/cgroup/a.slice/{name}": text for name, text in group.items()})
    assert host.available_memory() == 500_000
    _write(system, {"sys/fs/cgroup/a.slice/memory.max": "max\n"})
    assert host.available_memory() == 3000 * 1024


def test_a_workstation_is_described(system: Path) -> None:
    _write(system, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: Some(R) Processor: fast\n"})
    found = Host.here()

    assert (found.model, found.cpu, found.governor) == (None, "Some(R) Processor: fast", None)
    assert found.cores >= 1


def test_the_python_of_this_host_is_described() -> None:
    here = Host.here()

    assert here.bits in (32, 64)
    assert here.python_release == sys.version_info[:2]
    assert (here.system, here.release, here.processor) == (platform.system(), platform.release(), platform.machine())
    assert here.pip("install", "numpy<2") == f"{here.executable} -m pip install 'numpy<2'"


def test_the_architecture_of_wheels_is_that_of_python() -> None:
    kernel = replace(Host.here(), processor="aarch64")

    assert replace(kernel, bits=64).architecture == "aarch64"
    assert replace(kernel, bits=32).architecture == "armv7l"


def test_without_pip_another_bundle_is_what_helps() -> None:
    bundled = replace(Host.here(), has_pip=False)

    assert "make another bundle on the workstation" in bundled.pip("install", "numpy<2")
    assert bundled.pip("uninstall", "-y", "onnxruntime").endswith("no pip here to uninstall onnxruntime")


def test_a_system_that_says_nothing_is_described_all_the_same(system: Path) -> None:
    found = Host.here()

    assert (found.model, found.cpu, found.governor) == (None, platform.machine(), None)
    assert host.temperature() is None


@pytest.mark.parametrize(
    ("raw", "now", "since_start"),
    [
        (0x0, (), ()),
        (0x1, ("under-voltage",), ()),
        (0xE, ("frequency capped", "throttled", "soft temperature limit"), ()),
        (0x50000, (), ("under-voltage", "throttled")),
        (0xF0005, ("under-voltage", "throttled"), host._FLAGS.values()),
    ],
)
def test_the_bits_of_the_firmware_are_decoded(raw: int, now: tuple[str, ...], since_start: tuple[str, ...]) -> None:
    assert Throttling(raw).now == now
    assert Throttling(raw).since_start == tuple(since_start)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo throttled=0x50005", Throttling(0x50005)),
        ("echo throttled=0x0", Throttling(0)),
        ("echo VCHI initialization failed; exit 1", None),
        ("echo something else", None),
    ],
)
def test_the_firmware_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: Throttling | None
) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert host.throttling() == expected


def test_without_the_firmware_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert host.throttling() is None


def test_the_peak_of_memory_is_that_of_the_process_itself() -> None:
    """It stays after the memory is free again, and knows nothing of the process that started this one."""
    held = b"x" * 300_000_000
    result = subprocess.run([sys.executable, "-c", ALLOCATE], capture_output=True, text=True, check=True)
    before, after = map(int, result.stdout.split())

    assert len(held) < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert before < 150_000_000
    assert 95_000_000 < after - before < 130_000_000


def test_the_cache_lies_in_the_home_folder_or_where_a_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert host.cache_folder() == tmp_path / ".cache" / "mnist-edge"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    assert host.cache_folder() == tmp_path / "theirs" / "mnist-edge"
