"""A bundle installs itself through install.sh, goes back, and leaves everything as it was where it cannot."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_runtime.model_file import sealed_model
from PIL import Image

from .conftest import command, environment, sh, tree, unpack, variant

MODEL = "model/small-int8.tflite"
_WITHOUT_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
bookworm = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64" or platform.libc_ver() < ("glibc", "2.36"),
    reason="bookworm-amd64 is Python 3.11 on x86-64 with glibc 2.36 or newer, and this is not",
)


@pytest.fixture(scope="module")
def real(amd64_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder `mnist-edge` of a bundle with a real engine."""
    return unpack(amd64_bundle, tmp_path_factory.mktemp("device"))


@pytest.fixture(scope="module")
def real_prefix(real: Path) -> Path:
    """Return a prefix with spaces in its name, in which that bundle is installed; no network."""
    prefix = real.parent / "a place"
    result = sh(real, "--prefix", prefix, before=_WITHOUT_NETWORK)
    identity = os.path.basename(os.readlink(prefix / "current"))
    what = f"{prefix}/current/bin/mnist-edge-runtime, small-int8.tflite on litert, version {identity}"
    assert result.stdout == f"installed: {what}\n"
    return prefix


@bookworm
def test_what_is_installed_reads_pictures(real_prefix: Path, tmp_path: Path) -> None:
    from mnist_edge_trainer.demo.synthetic_digits import draw

    Image.fromarray(draw("3")).save(tmp_path / "three.png")
    answer = json.loads(command(real_prefix, "classify", "--json", tmp_path / "three.png"))
    model = real_prefix.resolve() / os.readlink(real_prefix / "current") / MODEL
    assert answer["model"] == str(model)
    assert answer["predictions"][0]["label"] == "3"
    assert "(default: the one of this bundle)" in " ".join(command(real_prefix, "classify", "--help").split())
    assert str(real_prefix) not in (real_prefix / "current" / "bin" / "mnist-edge-runtime").read_text()


@bookworm
def test_a_model_that_does_not_keep_its_promise_is_not_installed(real: Path, real_prefix: Path, tmp_path: Path) -> None:
    sealed = sealed_model.read(real / MODEL)
    golden = replace(sealed.golden, images=255 - sealed.golden.images)
    changes = {MODEL: sealed_model.seal(sealed.payload, sealed.contract, golden)}
    swapped = variant(real, tmp_path / "mnist-edge", changes)
    before = tree(real_prefix)
    failed = sh(swapped, "--prefix", real_prefix, code=5)
    assert failed.stderr.startswith("error: the self-test failed, so nothing was changed: failed: logits are up to")
    assert tree(real_prefix) == before


@pytest.mark.long
@bookworm
def test_a_damaged_model_is_replaced(real: Path, real_prefix: Path) -> None:
    model = real_prefix / "current" / MODEL
    model.write_bytes(model.read_bytes() + b"\0")
    assert sh(real, "--prefix", real_prefix).stdout.startswith("installed: ")
    assert command(real_prefix, "selftest").startswith("passed")


def _versions(prefix: Path) -> list[str]:
    return sorted(path.name for path in (prefix / "versions").iterdir())


def _break(prefix: Path, version: str) -> None:
    (prefix / "versions" / version / "command.py").write_text("raise SystemExit('broken since')")


def test_installing_again_changes_nothing(prefix: Path, unpacked: Path) -> None:
    before = tree(prefix)
    assert sh(unpacked, "--prefix", prefix).stdout.startswith("already installed: ")
    assert tree(prefix) == before


def test_a_new_version_keeps_the_one_before_and_one_goes_back(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    (old,) = _versions(prefix)
    assert "no version before" in sh(unpacked, "--rollback", "--prefix", prefix, code=3).stderr
    (prefix / ".new" / "version").mkdir(parents=True)  # as a killed installation leaves it
    newer = variant(unpacked, tmp_path / "newer", {"sbom.cdx.json": b"{ }"})
    assert sh(newer, "--prefix", prefix).stdout.startswith("installed: ")
    assert len(_versions(prefix)) == 2
    assert os.readlink(prefix / "previous") == f"versions/{old}"
    assert command(prefix, "selftest").startswith("passed")

    assert sh(prefix, "--rollback").stdout.startswith("went back: ")
    assert os.readlink(prefix / "current") == f"versions/{old}"
    assert command(prefix, "selftest").startswith("passed")
    assert sh(prefix, "--rollback").stdout.startswith("went back: ")
    assert os.readlink(prefix / "previous") == f"versions/{old}"

    _break(prefix, old)
    before = tree(prefix)
    assert "the version before fails its self-test" in sh(prefix, "--rollback", code=5).stderr
    assert tree(prefix) == before

    third = variant(unpacked, tmp_path / "third", {"sbom.cdx.json": b"[]"})
    newer_name = os.readlink(prefix / "current")
    sh(third, "--prefix", prefix)
    assert os.readlink(prefix / "previous") == newer_name
    assert len(_versions(prefix)) == 2  # the oldest is gone
    assert sh(prefix, "--rollback").stdout.startswith("went back: ")


def test_a_version_that_was_left_is_taken_into_use_again(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    (old,) = _versions(prefix)
    newer = variant(unpacked, tmp_path / "newer", {"sbom.cdx.json": b"{ }"})
    sh(newer, "--prefix", prefix)
    assert sh(unpacked, "--prefix", prefix).stdout.startswith("installed: ")
    assert os.readlink(prefix / "current") == f"versions/{old}"


def test_where_the_self_test_fails_nothing_is_left(failing: Path, prefix: Path) -> None:
    before = tree(prefix)
    failed = sh(failing, "--prefix", prefix, code=5)
    assert failed.stderr == "error: the self-test failed, so nothing was changed: failed: class 3 instead of 8\n"
    assert tree(prefix) == before
    sh(failing, code=5)
    assert not (failing.parent / "home").exists()


def test_an_empty_folder_is_empty_again_where_it_fails(failing: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    sh(failing, "--prefix", place, code=5)
    assert list(place.iterdir()) == []
    sh(failing, "--prefix", place / "a" / "b", code=5)
    assert list(place.iterdir()) == []


def test_a_broken_installation_is_replaced(unpacked: Path, prefix: Path) -> None:
    whole = tree(prefix)
    _break(prefix, _versions(prefix)[0])
    assert sh(unpacked, "--prefix", prefix).stdout.startswith("installed: ")
    assert tree(prefix) == whole


def test_what_others_put_beside_a_bundle_stays(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    own = prefix / "versions" / "my notes"
    own.mkdir()
    newer = variant(unpacked, tmp_path / "newer", {"sbom.cdx.json": b"{ }"})
    sh(newer, "--prefix", prefix)
    assert own.is_dir()


def test_one_that_is_stopped_leaves_nothing(small: Callable[..., Path], tmp_path: Path) -> None:
    bundle = unpack(small("slow"), tmp_path / "device")
    prefix, variables = tmp_path / "place" / "prefix", environment(bundle)
    home = Path(variables["HOME"])
    prefix.parent.mkdir()
    home.mkdir()
    with subprocess.Popen(["sh", str(bundle / "install.sh"), "--prefix", str(prefix)], env=variables) as process:
        deadline = time.monotonic() + 60
        while not (home / "testing").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(prefix.parent.iterdir()) == []


def test_mistakes_get_a_sentence(unpacked: Path, prefix: Path, tmp_path: Path) -> None:
    assert "nothing is installed there" in sh(unpacked, "--rollback", code=3).stderr
    assert "no bundle beside this script" in sh(prefix, code=2).stderr
    assert "no such folder" in sh(unpacked, "--service", tmp_path / "none", code=3).stderr
    assert "it names no folder" in sh(unpacked, "--prefix", "", code=2).stderr
    assert "exclude each other" in sh(unpacked, "--service", tmp_path, "--rollback", code=2).stderr
    assert sh(unpacked, "--odd", code=2).stderr == "error: unrecognized arguments: --odd; see --help\n"
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert "Not a directory; name a folder that you can" in sh(unpacked, "--prefix", place, code=3).stderr
    assert "there is no python3" in _without_python(unpacked, tmp_path / "none")
    assert "python3 on this machine does not start" in _without_python(unpacked, tmp_path / "broken", "exit 1")


def _without_python(bundle: Path, folder: Path, python: str = "") -> str:
    folder.mkdir()
    for name in ("dirname", "sh"):
        (folder / name).symlink_to(str(shutil.which(name)))
    if python:
        (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (folder / "python3").chmod(0o755)
    words = [str(folder / "sh"), str(bundle / "install.sh")]
    result = subprocess.run(words, env={"PATH": str(folder)}, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    return result.stderr
