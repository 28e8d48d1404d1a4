from __future__ import annotations

import pytest
from mnist_edge_exporters.bundle.systems import SYSTEMS, named
from mnist_edge_exporters.installer import checks
from mnist_edge_runtime import EngineError, UsageError
from packaging.markers import Marker


@pytest.mark.parametrize(
    ("system", "format", "engine"),
    [
        ("bookworm-arm64", "tflite", "litert"),
        ("bookworm-arm64", "onnx", "onnxruntime"),
        ("trixie-arm64", "tflite", "litert"),
        ("bookworm-armhf", "tflite", "tflite-runtime"),
    ],
)
def test_the_engine_is_the_first_with_wheels(system: str, format: str, engine: str) -> None:
    assert named(system).engine(format) == engine


def test_a_format_without_an_engine_is_told_with_one_that_has() -> None:
    message = "no engine for onnx files has packages for bookworm-armhf; export a .tflite file for it"
    with pytest.raises(EngineError, match=message):
        named("bookworm-armhf").engine("onnx")


def test_platform_tags_go_from_the_newest_to_the_oldest() -> None:
    tags = named("bookworm-arm64").platforms()
    assert tags[0] == "manylinux_2_36_aarch64"
    assert tags[-3:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64", "linux_aarch64"]
    assert "manylinux_2_5_x86_64" in named("bookworm-amd64").platforms()


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))
def test_markers_are_judged_for_the_system(system: object) -> None:
    environment = system.environment()  # type: ignore[attr-defined]
    assert Marker("sys_platform == 'linux' and platform_system != 'Windows'").evaluate(environment)
    assert Marker("python_version < '3.12'").evaluate(environment) == (environment["python_version"] == "3.11")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("bullseye-arm64", "Python 3.9 on aarch64"),
        ("bullseye-armhf", "Python 3.9 on armv7l"),
        ("trixie-armhf", "Python 3.13 on armv7l"),
        ("bookworm-armv6", "Python 3.11 on armv6l"),
    ],
)
def test_a_system_that_no_engine_has_wheels_for_is_refused_with_that_reason(name: str, reason: str) -> None:
    message = f"--target {name} is not offered, since no engine has wheels for its {reason}; choose from bookworm-arm64"
    with pytest.raises(UsageError, match=message):
        named(name)


def test_the_installer_knows_the_same_systems() -> None:
    """It has a table of its own, since it travels alone."""
    found = {name: (each.python, each.multiarch, ".".join(map(str, each.glibc))) for name, each in SYSTEMS.items()}

    assert {name: each[1:] for name, each in checks.TARGETS.items()} == found


def test_another_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="--target buster-arm64 is unknown; choose from bookworm-arm64, trixie-arm64"):
        named("buster-arm64")
