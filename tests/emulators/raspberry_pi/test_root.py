from __future__ import annotations

import json
from pathlib import Path

from mnist_edge_emulators.raspberry_pi import root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import Device

BOARD = next(iter(BOARDS.values()))


def test_the_versions_that_counts_depend_on(tmp_path: Path) -> None:
    python = f"python{BOARD.python}"
    found = {"debian": [f"{python}_3.11.2-6", "libc6_2.36-9", "zlib1g_1.2"], "wheels": ["numpy==2.0"]}
    (tmp_path / "packages.json").write_text(json.dumps(found), encoding="utf-8")
    device = Device(BOARD, tmp_path / "root", tmp_path)

    assert root.versions(device) == {python: "3.11.2-6", "libc6": "2.36-9", "numpy": "2.0"}
    found["debian"].append("python3-numpy_1.24")
    (tmp_path / "packages.json").write_text(json.dumps(found), encoding="utf-8")
    assert root.versions(device)["python3-numpy"] == "1.24"


def test_a_root_is_finished_as_the_system_would_have_it(tmp_path: Path) -> None:
    for name in ("usr/bin", "etc/ssl/certs", "usr/share/ca-certificates/mozilla"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("b", "a"):
        (tmp_path / "usr/share/ca-certificates/mozilla" / f"{name}.crt").write_text(f"{name}\n")
    for name in BOARD.links:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    root._finish(BOARD, tmp_path)

    assert (tmp_path / "usr/bin/sh").readlink() == Path("dash")
    assert (tmp_path / "etc/cpuinfo").read_text() == BOARD.cpuinfo
    assert (tmp_path / "sys/devices/system/cpu/online").read_text() == "0-3\n"
    assert (tmp_path / "etc/ssl/certs/ca-certificates.crt").read_text() == "a\nb\n"
    assert (tmp_path / "home/pi").is_dir()
