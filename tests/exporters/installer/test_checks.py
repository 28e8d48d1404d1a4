"""A damaged bundle, and one for another machine, is refused before anything is done."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from mnist_edge_exporters.bundle import archive
from mnist_edge_exporters.installer import checks
from mnist_edge_exporters.installer.errors import InstallError

from .conftest import sh, unpack


def _rewrite(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text)


def _missing(folder: Path) -> None:
    (folder / "wheels" / "runtime.whl").unlink()


def _linked(folder: Path) -> None:
    (folder / "model" / "digits.tflite").unlink()
    (folder / "model" / "digits.tflite").symlink_to("/etc/passwd")


def _changed(folder: Path) -> None:
    script = folder / "installer" / "__main__.py"
    _rewrite(script, "syntax error" + script.read_text())


def _added(folder: Path) -> None:
    (folder / "wheels" / "evil.whl").write_bytes(b"")


def _unlisted(folder: Path) -> None:
    sums = folder / archive.SUMS
    _rewrite(sums, "".join(sums.read_text().splitlines(keepends=True)[1:]))


def _without_sums(folder: Path) -> None:
    (folder / archive.SUMS).unlink()


@pytest.mark.parametrize("damage", [_missing, _linked, _changed, _added, _unlisted, _without_sums])
def test_damage_is_found_before_anything_is_done(damage: Callable[[Path], None], unpacked: Path) -> None:
    assert len(checks.check_files(unpacked)) == 12
    damage(unpacked)
    with pytest.raises(InstallError) as refused:
        checks.check_files(unpacked)
    assert refused.value.code == 4
    assert sh(unpacked, code=4).stderr.count("\n") == 1
    assert not (unpacked.parent / "home").exists()


def test_much_damage_is_one_sentence(unpacked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mnist-edge"
    shutil.copytree(unpacked, folder, copy_function=os.link)
    for name, told in ((archive.SBOM, archive.SBOM), (archive.MANIFEST, f"{archive.MANIFEST}, and 1 more")):
        _rewrite(folder / name, "{ }")
        assert sh(folder, code=4).stderr == f"error: the bundle is damaged ({told}); copy it again\n"
    _rewrite(folder / archive.SUMS, "nothing of the kind\n")
    assert sh(folder, code=4).stderr == "error: the bundle is damaged (SHA256SUMS); copy it again\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"python": "3.99"}, "the bundle is for this-machine: Python 3.99, and this is Python 3."),
        ({"multiarch": "m68k-linux-gnu"}, "m68k-linux-gnu, and this is "),
        ({"glibc": "2.99"}, "glibc 2.99, and this system has 2."),
        ({"installed_bytes": 1 << 60}, "make room and start again"),
    ],
)
def test_machines_it_is_not_for(
    changes: dict[str, object], message: str, small: Callable[..., Path], tmp_path: Path
) -> None:
    bundle = unpack(small(**changes), tmp_path / "device")
    assert message in sh(bundle, "--prefix", tmp_path / "prefix", code=3).stderr
    assert not (tmp_path / "prefix").exists()


@pytest.mark.parametrize(
    ("machine", "python", "multiarch", "libc", "advice"),
    [
        ("armv6l", "3.11", "arm-linux-gnueabihf", "2.36",
         "no bundle can be for a processor of ARMv6 (Raspberry Pi Zero, Zero W and 1), since no engine has "
         "packages for it; "
         "take a board with 64 bits, such as a Raspberry Pi Zero 2 W, 3, 4 or 5"),
        ("armv7l", "3.13", "arm-linux-gnueabihf", "2.41",
         "no bundle can be for this system, since no engine has packages for it; install Raspberry Pi OS "
         "Bookworm, 64 bits "
         "(--target bookworm-arm64) or Trixie, 64 bits (--target trixie-arm64) or Bookworm, 32 bits (--target "
         "bookworm-armhf)"),
        ("aarch64", "3.9", "aarch64-linux-gnu", "2.31",
         "no bundle can be for this system, since no engine has packages"),
        ("aarch64", "3.13", "aarch64-linux-gnu", "2.41", "make one with: mnist-edge bundle --target trixie-arm64"),
        ("armv7l", "3.11", "arm-linux-gnueabihf", "2.36", "make one with: mnist-edge bundle --target bookworm-armhf"),
        ("x86_64", "3.13", "x86_64-linux-gnu", "2.41",
         "no bundle can be for this system, since no engine has packages for it; install Debian Bookworm (--target "
         "bookworm-amd64)"),
    ],
    ids=["ARMv6", "Trixie 32", "Bullseye", "Trixie 64", "Bookworm 32", "a PC with Trixie"],
)  # fmt: skip
def test_what_helps_a_machine_that_it_is_not_for(
    monkeypatch: pytest.MonkeyPatch, machine: str, python: str, multiarch: str, libc: str, advice: str
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", libc))
    monkeypatch.setattr(sys, "implementation", SimpleNamespace(_multiarch=multiarch))
    monkeypatch.setattr(sys, "version_info", (*map(int, python.split(".")), 0))
    manifest = {"target": "bookworm-arm64", "python": "3.11", "multiarch": "aarch64-linux-gnu", "glibc": "2.36"}

    with pytest.raises(InstallError) as refused:
        checks.check_machine(manifest)
    assert refused.value.code == 3
    assert advice in str(refused.value)
