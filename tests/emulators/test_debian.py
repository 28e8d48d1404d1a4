from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_emulators import debian
from mnist_edge_emulators.errors import UnavailableError


def test_a_root_has_debians_links_and_a_broken_package_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken_1_all.deb"
    broken.write_bytes(b"no archive")
    debian.unpack([], tmp_path / "empty")
    assert (tmp_path / "empty" / "bin").readlink() == Path("usr/bin")
    if not Path("/usr/bin/dpkg-deb").exists():
        pytest.skip("dpkg-deb is not installed")

    with pytest.raises(UnavailableError, match=r"^broken_1_all.deb .*: dpkg-deb ended with 2, tar with 2$"):
        debian.unpack([broken], tmp_path / "root")


def test_equal_descriptions_share_a_folder() -> None:
    described = debian.DebianRoot("tools", "bookworm", "amd64", ("qemu-user",))
    assert described.folder == debian.DebianRoot("tools", "bookworm", "amd64", ("qemu-user",)).folder
    assert described.folder != debian.DebianRoot("tools", "trixie", "amd64", ("qemu-user",)).folder


def test_emulators_run_on_linux_with_x86_64_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(UnavailableError, match="chips are emulated on Linux x86_64, this is Linux aarch64"):
        debian.programs(debian.DebianRoot("none", "bookworm", "amd64", ()), "chips")
