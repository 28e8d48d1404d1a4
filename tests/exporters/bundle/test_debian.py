"""What is taken of Debian's packages, by packages of the test's own; the boards run what is made of the real ones."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import apt, debian, systems
from mnist_edge_runtime import InputError

ARMHF = systems.named("bookworm-armhf")
LIBRARIES = "usr/lib/arm-linux-gnueabihf"


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="dpkg-deb (Debian's package dpkg) is not installed")
def test_modules_and_libraries_are_taken_and_nothing_else(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    files = {
        "DEBIAN/control": "Package: libblas3\nVersion: 1:3.11-2\nArchitecture: armhf\nMaintainer: x\nDescription: x\n",
        f"{LIBRARIES}/blas/libblas.so.3.11.0": "blas",
        f"{LIBRARIES}/libplain-2.so": "plain",
        f"{LIBRARIES}/libother.so.6.1": "other",
        f"{LIBRARIES}/gio/modules/libplugin.so": "plugin",
        "usr/lib/python3/dist-packages/numpy/core/_multiarray.so": "module",
        "usr/lib/python3/dist-packages/numpy/__init__.py": "text",
        "usr/share/doc/libblas3/copyright": "terms",
        "usr/share/doc/libblas3/changelog.gz": "news",
        "usr/bin/f2py3": "program",
    }
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tree / LIBRARIES / "blas" / "libblas.so.3").symlink_to("libblas.so.3.11.0")
    (tree / LIBRARIES / "libother.so.6").symlink_to("libother.so.6.1")
    (tree / LIBRARIES / "libevil.so").symlink_to("/etc/passwd")
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, tmp_path / "x.deb"], check=True)

    data = debian._repacked(tmp_path / "x.deb", "libblas3", ARMHF)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == {
            "debian_libraries/copyright/libblas3": "terms",
            "debian_libraries/libblas.so.3": "blas",
            "debian_libraries/libother.so.6": "other",
            "debian_libraries/libplain-2.so": "plain",
            "numpy/__init__.py": "text",
            "numpy/core/_multiarray.so": "module",
        }
    assert debian._repacked(tmp_path / "x.deb", "libblas3", ARMHF) == data


def test_libraries_are_followed_and_programs_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    controls = [
        ("python3-pil", "9.4", "python3 (>= 3.11~), python3:any, mime-support | libmime, libjpeg62 (>= 1.3), libc6"),
        ("libjpeg62", "1:2.1", "libc6 (>= 2.4), libstdc++6 | libc++1"),
        ("libstdc++6", "12.2", "gcc-12-base (= 12), libc6"),
        ("mime-support", "3.66", "libperl5"),
        ("libperl5", "5.36", "libc6"),
    ]
    text = "\n\n".join(f"Package: {name}\nVersion: {number}\nDepends: {needs}" for name, number, needs in controls)
    monkeypatch.setattr(apt, "call", lambda *arguments: text)
    offered = {name for name, _, _ in controls} | {"gcc-12-base"}
    found = debian._libraries([], ["python3-pil"], offered)
    assert found == {"libjpeg62": "1:2.1", "libstdc++6": "12.2", "python3-pil": "9.4"}


def test_where_there_is_no_debian_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="apt-get is not installed; take a machine with Debian"):
        debian.collect(ARMHF)
    monkeypatch.setattr(apt, "call", lambda *arguments: "http://a/ubuntu/ noble main")
    with pytest.raises(InputError, match="no source of Debian packages"):
        debian.collect(ARMHF)
    assert debian.collect(systems.named("bookworm-arm64")) == []
