from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mnist_edge_runtime.engines import availability, registry
from mnist_edge_runtime.host import Host


def _pi(**changes: Any) -> Host:
    """Return a Raspberry Pi, changed."""
    pi = replace(Host.here(), system="Linux", processor="aarch64", bits=64, libc=(2, 36), python="3.11.2", has_pip=True)
    return replace(pi, **{"executable": "/home/pi/reader/bin/python", **changes})


@pytest.mark.parametrize("engine", registry.ENGINES)
def test_where_a_wheel_fits_the_command_installs_it(engine: str) -> None:
    problem, fix = availability.missing(engine, _pi())

    assert problem == "it is not installed"
    assert fix.startswith("/home/pi/reader/bin/python -m pip install ")
    assert registry.ENGINES[engine].distribution in fix


@pytest.mark.parametrize(
    ("engine", "changes", "objection", "fix"),
    [
        ("tflite-runtime", {"python": "3.13.0"}, "for Python 3.9 to 3.11, this is 3.13", "install 'ai-edge-litert"),
        ("litert", {"python": "3.15.0"}, "for Python 3.10 to 3.14, this is 3.15", "take Python 3.11"),
        ("litert", {"processor": "armv7l", "bits": 32}, "this is armv7l (32-bit Python)", "install 'tflite-runtime"),
        ("litert", {"bits": 32}, "this is armv7l (32-bit Python)", "'tflite-runtime>=2.14' 'numpy<2'"),
        ("onnxruntime", {"bits": 32}, "this is armv7l (32-bit Python)", "# and take .tflite files"),
        ("litert", {"bits": 32, "python": "3.13.0"}, "Python", "install a system of 64 bits"),
        ("tflite-runtime", {"libc": (2, 31)}, "for glibc 2.34 and newer, this system has glibc 2.31", "ai-edge-litert"),
        ("litert", {"libc": None}, "this system has another C library", "take Python 3.11 on a system with glibc"),
        ("litert", {"processor": "riscv64"}, "for x86_64 and aarch64, this is riscv64", "take Python 3.11"),
    ],
    ids=["new Python", "newer Python", "32 bits", "32 bits on a kernel of 64", "onnxruntime on 32 bits",
         "nothing on 32 bits", "old glibc", "musl", "another processor"],
)  # fmt: skip
def test_where_none_fits_it_says_why_and_what_does(
    engine: str, changes: dict[str, Any], objection: str, fix: str
) -> None:
    problem, advice = availability.missing(engine, _pi(**changes))

    assert problem.startswith("it is not installed, and cannot be: its wheels are ")
    assert objection in problem
    assert fix in advice


def test_of_other_systems_pip_knows_more() -> None:
    assert (
        availability.missing("tflite-runtime", _pi(system="Darwin", processor="arm64", libc=None))[0]
        == "it is not installed"
    )
