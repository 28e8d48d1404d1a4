"""Bundles on the boards that they are for, with the network cut off: installed twice, replaced, refused, gone back."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi.device import Device
from mnist_edge_exporters.bundle import archive
from mnist_edge_exporters.bundle.build import build
from mnist_edge_runtime import InputError, host, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image

TARGETS = {"pi4": "bookworm-arm64", "pi5": "trixie-arm64", "legacy32": "bookworm-armhf"}
PREFIX = ".local/share/mnist-edge"
CLASSIFY = f"{PREFIX}/current/bin/mnist-edge-runtime classify --csv three.jpg"
# The libraries that a process has loaded while it read a picture, and where each came from.
LOADED = r"""
import re, sys
import numpy.linalg, PIL._imaging, tflite_runtime.interpreter
found = re.findall(r"(/\S+/)(lib[^/]+[.]so\S*)", open("/proc/self/maps").read())
print(*sorted({("carried/" if "debian_libraries" in folder else "system/") + name for folder, name in found}))
"""


@dataclass(frozen=True)
class Installed:
    """A board with a bundle in its /home/pi, and what installing it twice and reading a picture printed."""

    device: Device
    home: Path
    output: str

    def sh(self, script: str) -> str:
        return _sh(self.device, self.home, script)


def _sh(device: Device, home: Path, script: str) -> str:
    """Run a script in /home/pi of the board, without network, and return what it prints, errors included."""
    command = device.command(["/bin/sh", "-ec", script], home=home, offline=True)
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=600
    )
    assert result.returncode == 0, result.stdout
    # Which file answers is said on stderr, which is together with stdout here.
    return "".join(line for line in result.stdout.splitlines(keepends=True) if not line.startswith("model: "))


@pytest.fixture(scope="module")
def installations(
    devices: Mapping[str, Device], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Installed]]:
    """Install a bundle on each board; as many boards work in parallel as there are cores."""
    folder = tmp_path_factory.mktemp("bundles")

    def install(board: str) -> Installed:
        home = folder / board
        home.mkdir()
        build(models.bundled_models("litert")[0], TARGETS[board], home / "bundle.tar.gz")
        Image.fromarray(draw("3")).save(home / "three.jpg")
        script = f"tar -xzf bundle.tar.gz; sh mnist-edge/install.sh; sh mnist-edge/install.sh; {CLASSIFY}"
        return Installed(devices[board], home, _sh(devices[board], home, script))

    try:
        with ThreadPoolExecutor(host.cores()) as pool:
            yield dict(zip(TARGETS, pool.map(install, TARGETS), strict=True))
    except (UnavailableError, InputError) as error:
        pytest.skip(str(error))
    shutil.rmtree(folder)


@pytest.fixture(params=TARGETS)
def installed(request: pytest.FixtureRequest, installations: Mapping[str, Installed]) -> Installed:
    return installations[request.param]


def test_it_installs_twice_and_reads_a_picture(installed: Installed) -> None:
    first, second, header, answer = installed.output.splitlines()
    command = f"/home/pi/{PREFIX}/current/bin/mnist-edge-runtime"
    assert first.startswith(f"installed: {command}, base-int8.tflite on ")
    assert second == f"already {first}"
    assert header.startswith("file,label")
    assert answer.startswith("three.jpg,3,")
    assert installed.home.joinpath("bundle.tar.gz").stat().st_size <= 45_000_000


@pytest.mark.parametrize("installed", ["legacy32"], indirect=True)  # the only one that carries libraries of Debian's
def test_debians_libraries_are_those_of_the_bundle(installed: Installed) -> None:
    libraries = f"$HOME/{PREFIX}/current/lib/python3.11/site-packages/debian_libraries"
    (installed.home / "loaded.py").write_text(LOADED)
    script = f"LD_LIBRARY_PATH={libraries} {PREFIX}/current/bin/python3 -I loaded.py; ls {libraries}"
    loaded, *carried = installed.sh(script).splitlines()
    assert {"carried/libblas.so.3", "carried/liblapack.so.3", "carried/libjpeg.so.62"} <= set(loaded.split())
    assert not {f"system/{name}" for name in carried} & set(loaded.split())


def _variant(home: Path, name: str, member: str, data: bytes) -> None:
    """Write another bundle beside the first: one member differs, and its sums are right."""
    folder = shutil.copytree(home / archive.FOLDER, home / name)
    (folder / member).write_bytes(data)
    (folder / archive.SUMS).unlink()
    files = [path for path in folder.rglob("*") if path.is_file()]
    sums = archive.sha256_sums({path.relative_to(folder).as_posix(): path.read_bytes() for path in files})
    (folder / archive.SUMS).write_bytes(sums)


@pytest.mark.parametrize("installed", ["pi5"], indirect=True)  # the installer is the same on every board
def test_versions_come_and_go_and_bad_ones_do_not_come(installed: Installed) -> None:
    home, model = installed.home, "model/base-int8.tflite"
    sealed = sealed_model.read(home / archive.FOLDER / model)
    promises = replace(sealed.golden, images=255 - sealed.golden.images)
    _variant(home, "newer", archive.SBOM, b"{}")
    _variant(home, "swapped", model, sealed_model.seal(sealed.payload, sealed.contract, promises))
    shutil.copytree(home / archive.FOLDER, home / "damaged")
    wheel = next((home / "damaged" / "wheels").glob("numpy-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"\1")

    lines = installed.sh(
        f"readlink {PREFIX}/current; sh newer/install.sh; readlink {PREFIX}/previous {PREFIX}/current;"
        "sh swapped/install.sh || echo code $?; sh damaged/install.sh 2>&1 | tail -1;"
        f"readlink {PREFIX}/current; sh {PREFIX}/install.sh --rollback; readlink {PREFIX}/current; {CLASSIFY}"
    ).splitlines()
    old, installing, previous, newer, failed, code, damaged, kept, back, current, _, answer = lines
    assert installing.startswith("installed: ")
    assert (previous, kept) == (old, newer)
    assert newer != old
    assert failed.startswith("error: the self-test failed, so nothing was changed: failed: logits are up to")
    assert code == "code 5"
    assert damaged == f"error: the bundle is damaged (wheels/{wheel.name}); copy it again"
    assert back.startswith("went back: ")
    assert current == old
    assert answer.startswith("three.jpg,3,")
    assert sorted(path.name for path in (home / PREFIX / "versions").iterdir()) == sorted(
        Path(link).name for link in (old, newer)
    )
