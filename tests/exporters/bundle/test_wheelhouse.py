"""Dependencies are judged for the system that the bundle is for, by wheels of an index of the test's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import systems, wheel_files, wheelhouse
from mnist_edge_runtime import InputError, UsageError
from packaging.requirements import Requirement


def _wheel(folder: Path, name: str, version: str, needs: Sequence[str] = (), tags: str = "py3-none-any") -> None:
    info = f"{name}-{version}.dist-info"
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    metadata = "\n".join(["Metadata-Version: 2.1", *lines, ""]).encode()
    wheel = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tags}\n".encode()
    data = wheel_files.pack({f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}, info)
    (folder / f"{name}-{version}-{tags}.whl").write_bytes(data)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that is pip's whole world."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return tmp_path


def _collect(target: str, *needs: str, constraint: Path | None = None) -> dict[str, str]:
    found = wheelhouse.collect(systems.named(target), [Requirement(need) for need in needs], constraint)
    return {wheel.name: wheel.version for wheel in found}


@pytest.mark.long
def test_markers_are_those_of_the_target(index: Path) -> None:
    needs = (
        'for-arm; platform_machine == "aarch64"',
        'for-pc; platform_machine == "x86_64"',
        'for-old; python_version < "3.12"',
        'for-windows; sys_platform == "win32"',
        'for-extra; extra == "more"',
        'for-other; extra == "other"',
    )
    _wheel(index, "engine", "1.0", needs)
    for name in ("for_arm", "for_pc", "for_old", "for_windows", "for_extra", "for_other"):
        _wheel(index, name, "1.0")
    assert _collect("bookworm-arm64", "engine").keys() == {"engine", "for-arm", "for-old"}
    assert _collect("trixie-arm64", "engine").keys() == {"engine", "for-arm"}
    assert _collect("bookworm-amd64", "engine[more]").keys() == {"engine", "for-pc", "for-old", "for-extra"}


@pytest.mark.long
def test_wheels_are_those_of_the_target(index: Path) -> None:
    _wheel(index, "engine", "2.0", tags="cp311-cp311-manylinux_2_28_aarch64")
    _wheel(index, "engine", "3.0", tags="cp313-cp313-manylinux_2_39_aarch64")
    _wheel(index, "engine", "4.0", tags="cp313-cp313-manylinux_2_42_aarch64")  # for a newer C library
    assert _collect("bookworm-arm64", "engine") == {"engine": "2.0"}
    assert _collect("trixie-arm64", "engine") == {"engine": "3.0"}
    with pytest.raises(
        InputError, match=r"pip cannot get the wheels for bookworm-amd64: .*engine; see whether it reaches"
    ):
        _collect("bookworm-amd64", "engine")


@pytest.mark.long
def test_what_several_ask_of_one_is_met_together(index: Path) -> None:
    _wheel(index, "first", "1.0", ["shared<3"])
    _wheel(index, "second", "1.0", ["first", "shared!=2.5"])
    for version in ("2.0", "2.5", "3.0"):
        _wheel(index, "shared", version, ["only-of-three"] if version == "3.0" else [])
    _wheel(index, "only_of_three", "1.0")
    found = _collect("bookworm-arm64", "shared", "second")
    assert found == {"first": "1.0", "second": "1.0", "shared": "2.0"}
    _wheel(index, "third", "1.0", ["shared>=3"])
    with pytest.raises(InputError, match="pip cannot get the wheels"):
        _collect("bookworm-arm64", "second", "third")
    constraint = index / "constraint.txt"
    constraint.write_text("shared==3.0")
    with pytest.raises(
        InputError, match=r"Cannot install shared<3 because .* dependencies; see .*constraint\.txt asks"
    ):
        _collect("bookworm-arm64", "shared<3", constraint=constraint)


def test_constraints_are_those_of_the_bundle(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("1.0", "2.0", "3.0"):
        _wheel(index, "engine", version)
    here, device = index / "here.txt", index / "device.txt"
    here.write_text("engine==1.0")
    device.write_text("engine==2.0")
    monkeypatch.setenv("PIP_CONSTRAINT", str(here))
    assert _collect("bookworm-arm64", "engine") == {"engine": "3.0"}
    assert _collect("bookworm-arm64", "engine", constraint=device) == {"engine": "2.0"}
    with pytest.raises(InputError, match=r"none\.txt"):
        _collect("bookworm-arm64", "engine", constraint=index / "none.txt")


def test_targets_are_named() -> None:
    with pytest.raises(UsageError, match="--target buster-arm64 is unknown; choose from bookworm-arm64"):
        systems.named("buster-arm64")


def test_members_that_are_left_out_leave_the_record(tmp_path: Path) -> None:
    info = "engine-1.0.dist-info"
    wheel = wheel_files.pack({"engine/cpu.so": b"cpu", "engine/gpu.so": b"gpu", f"{info}/METADATA": b"Name: e\n"}, info)
    slim, left_out = wheel_files.without(wheel, ["engine/gpu.so", "engine/npu.so"])
    assert left_out == ("engine/gpu.so",)
    assert slim == wheel_files.pack({"engine/cpu.so": b"cpu", f"{info}/METADATA": b"Name: e\n"}, info)
    assert wheel_files.without(slim, ["engine/gpu.so"]) == (slim, ())
