from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.engines import availability, registry
from mnist_edge_runtime.host import Host


def _pi(**changes: Any) -> Host:
    """Return a Raspberry Pi, changed."""
    pi = replace(
        Host.here(),
        cpu="Cortex-A72",
        system="Linux",
        processor="aarch64",
        bits=64,
        libc=(2, 36),
        python="3.11.2",
        has_pip=True,
    )
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
        ("litert", {"python": "3.15.0"}, "for Python 3.10 to 3.14, this is 3.15", "take a Python, 3.10 to 3.14, on"),
        ("litert", {"processor": "armv7l", "bits": 32}, "this is armv7l (32-bit Python)", "install 'tflite-runtime"),
        ("litert", {"bits": 32}, "this is armv7l (32-bit Python)", "'tflite-runtime>=2.14' 'numpy<2'"),
        ("onnxruntime", {"bits": 32}, "this is armv7l (32-bit Python)", "# and take .tflite files"),
        ("litert", {"bits": 32, "python": "3.13.0"}, "Python", "install a system of 64 bits, such as Raspberry Pi OS"),
        ("tflite-runtime", {"libc": (2, 31)}, "for glibc 2.34 and newer, this system has glibc 2.31", "ai-edge-litert"),
        ("litert", {"libc": None}, "this system has another C library",
         "on a system with glibc 2.27 or newer, such as"),
        ("litert", {"processor": "riscv64"}, "for x86_64 and aarch64, this is riscv64",
         "with another processor: x86_64"),
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


TRIXIE_32 = {"bits": 32, "processor": "armv7l", "python": "3.13.5", "libc": (2, 41)}
BULLSEYE = {"python": "3.10.2", "libc": (2, 31)}


@pytest.mark.parametrize("engine", registry.ENGINES)
@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        ({"bits": 32, "processor": "armv6l", "cpu": "ARM1176"},
         "take a board with another processor, such as a Raspberry Pi Zero 2 W, 3, 4 or 5, with Raspberry Pi OS "
         "(64-bit), "
         "Bookworm or Trixie"),
        ({**TRIXIE_32, "cpu": "Cortex-A53"},
         "install a system of 64 bits, such as Raspberry Pi OS (64-bit), Bookworm or Trixie"),
        ({**TRIXIE_32, "processor": "aarch64"},
         "install a system of 64 bits, such as Raspberry Pi OS (64-bit), Bookworm or Trixie"),
        ({**TRIXIE_32, "cpu": "Cortex-A7"}, "install Raspberry Pi OS (32-bit), Bookworm"),
        ({**TRIXIE_32, "cpu": "armv7l"},
         "install Raspberry Pi OS (32-bit), Bookworm; on a Raspberry Pi Zero 2 W, 3, 4 or 5 the one of 64 bits, "
         "Bookworm or "
         "Trixie, is the better choice"),
        ({"bits": 32, "processor": "armv7l", "cpu": "Cortex-A7", **BULLSEYE},
         "install Raspberry Pi OS (32-bit), Bookworm"),
        ({"python": "3.9.2", "libc": (2, 31)},
         "take a Python, 3.10 to 3.14, on a system with glibc 2.27 or newer, such as Raspberry Pi OS (64-bit), "
         "Bookworm or "
         "Trixie"),
        ({"bits": 32, "processor": "x86_64", "python": "3.13.0"},
         "take a Python of 64 bits, 3.10 to 3.14, on a system with glibc 2.27 or newer"),
    ],
    ids=["ARMv6", "Trixie 32 on a Pi 3", "and with a kernel of 64", "on a Pi 2", "on an unknown board", "Bullseye 32",
         "Bullseye 64", "a PC of 32 bits"],
)  # fmt: skip
def test_where_no_engine_fits_the_advice_can_be_followed(engine: str, changes: dict[str, Any], advice: str) -> None:
    assert availability.missing(engine, _pi(**changes))[1] == advice


def test_advice_names_the_releases_that_the_table_of_wheels_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert availability.releases("aarch64") == ["Bookworm", "Trixie"]
    assert availability.releases("armv7l") == ["Bookworm"]
    assert availability.releases("armv6l") == []
    rows = {"litert": registry.ENGINES["litert"]._replace(glibc={"armv7l": (2, 27)})}
    monkeypatch.setattr(availability, "ENGINES", rows)

    assert availability.releases("armv7l") == ["Bookworm", "Trixie"]


def test_the_lowest_python_is_that_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "runtime" / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["requires-python"] == f">={'.'.join(map(str, availability.PYTHON))}"
