from __future__ import annotations

from typing import Any

import pytest
from mnist_edge_runtime.engines import availability, registry
from mnist_edge_runtime.host import Host

PI = Host("Linux", "aarch64", 64, (2, 36), (3, 11), "/home/pi/reader/bin/python", "1.26.4")


def _pi(**changes: Any) -> Host:
    return Host(**{**vars(PI), **changes})


def test_this_machine_is_described() -> None:
    here = Host.here()

    assert here.bits in (32, 64)
    assert here.pip("install", "numpy<2") == f"{here.executable} -m pip install 'numpy<2'"


def test_without_pip_another_bundle_is_what_helps() -> None:
    assert "make another bundle on the workstation" in _pi(has_pip=False).pip("install", "numpy<2")
    assert _pi(has_pip=False).pip("uninstall", "-y", "onnxruntime").endswith("no pip here to uninstall onnxruntime")


@pytest.mark.parametrize("engine", registry.ENGINES)
def test_where_a_wheel_fits_the_command_installs_it(engine: str) -> None:
    wrong, mend = availability.missing(engine, PI)

    assert wrong == "it is not installed"
    assert mend.startswith("/home/pi/reader/bin/python -m pip install ")
    assert registry.ENGINES[engine].distribution in mend


@pytest.mark.parametrize(
    ("engine", "changes", "objection", "mend"),
    [
        ("tflite-runtime", {"python": (3, 13)}, "for Python 3.9 to 3.11, this is 3.13", "install 'ai-edge-litert"),
        ("litert", {"python": (3, 15)}, "for Python 3.10 to 3.14, this is 3.15", "take Python 3.11"),
        ("litert", {"processor": "armv7l", "bits": 32}, "this is armv7l (32-bit Python)", "install 'tflite-runtime"),
        ("litert", {"bits": 32}, "this is armv7l (32-bit Python)", "'tflite-runtime>=2.14' 'numpy<2'"),
        ("onnxruntime", {"bits": 32}, "this is armv7l (32-bit Python)", "# and take .tflite files"),
        ("litert", {"bits": 32, "python": (3, 13)}, "Python", "install a system of 64 bits"),
        ("tflite-runtime", {"libc": (2, 31)}, "for glibc 2.34 and newer, this system has glibc 2.31", "ai-edge-litert"),
        ("litert", {"libc": None}, "this system has another C library", "take Python 3.11 on a system with glibc"),
        ("litert", {"processor": "riscv64"}, "for x86_64 and aarch64, this is riscv64", "take Python 3.11"),
    ],
    ids=["new Python", "newer Python", "32 bits", "32 bits on a kernel of 64", "onnxruntime on 32 bits",
         "nothing on 32 bits", "old glibc", "musl", "another processor"],
)  # fmt: skip
def test_where_none_fits_it_says_why_and_what_does(
    engine: str, changes: dict[str, Any], objection: str, mend: str
) -> None:
    wrong, advice = availability.missing(engine, _pi(**changes))

    assert wrong.startswith("it is not installed, and cannot be: its wheels are ")
    assert objection in wrong
    assert mend in advice


def test_of_other_systems_pip_knows_more() -> None:
    assert (
        availability.missing("tflite-runtime", _pi(system="Darwin", processor="arm64", libc=None))[0]
        == "it is not installed"
    )
