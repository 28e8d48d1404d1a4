"""A version is built from a bundle in any folder, and tells whether it works."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_exporters.installer import versions
from mnist_edge_exporters.installer.errors import InstallError

from .conftest import unpack


def test_a_version_is_complete_and_can_be_moved(unpacked: Path, tmp_path: Path) -> None:
    versions.build(unpacked, tmp_path / "new")
    folder = (tmp_path / "new").rename(tmp_path / "old")
    assert versions.selftest(folder) == (True, "passed: as it promises")
    assert versions.manifest(folder) == json.loads((unpacked / "bundle.json").read_text())
    assert (folder / "model" / "digits.tflite").read_bytes() == b"a model"
    assert not list((folder / "bin").glob("*ctivate*"))
    command = folder / "bin" / "mnist-edge-runtime"
    (tmp_path / "link").symlink_to(command)
    assert subprocess.run([tmp_path / "link"], capture_output=True, check=True).stdout == b"passed: as it promises\n"


def test_a_version_that_fails_says_why(failing: Path, tmp_path: Path) -> None:
    versions.build(failing, tmp_path / "new")
    assert versions.selftest(tmp_path / "new") == (False, "failed: class 3 instead of 8")
    (tmp_path / "new" / "command.py").write_text("import sys; sys.exit(7)")
    assert versions.selftest(tmp_path / "new") == (False, "exit code 7")
    (tmp_path / "new" / "bin" / "mnist-edge-runtime").unlink()
    passed, line = versions.selftest(tmp_path / "new")
    assert not passed
    assert "No such file" in line


def test_another_model_than_that_of_its_bundle_is_found(unpacked: Path, tmp_path: Path) -> None:
    versions.build(unpacked, tmp_path / "new")
    model = tmp_path / "new" / "model" / "digits.tflite"
    assert versions.model_sha256(tmp_path / "new") == hashlib.sha256(model.read_bytes()).hexdigest()
    model.write_bytes(b"another")
    passed, line = versions.selftest(tmp_path / "new")
    assert (passed, line) == (False, "its model is not the one of its bundle: the SHA-256 is another")
    (tmp_path / "new" / "bundle.json").write_text("{}")
    assert "its model or bundle.json cannot be read" in versions.selftest(tmp_path / "new")[1]


@pytest.mark.long
def test_a_model_that_loops_for_ever_is_stopped(
    unpacked: Path, tmp_path: Path, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a runtime that has no limit of its own."""
    monkeypatch.setattr(versions, "_SELFTEST_SECONDS", 3)
    versions.build(unpacked, tmp_path / "new")
    program = f"import mnist_edge_runtime as runtime; runtime.Classifier.load({str(endless)!r})"
    command = tmp_path / "new" / "bin" / "mnist-edge-runtime"
    command.write_text(f"#!/bin/sh\nexec {sys.executable} -c {shlex.quote(program)}\n")

    passed, line = versions.selftest(tmp_path / "new")
    assert not passed
    assert line.startswith("it did not end within 3 seconds; the model may loop for ever")
    command.write_text("#!/bin/sh\necho 'error: digits.onnx: the self-test did not end' >&2; exit 5\n")
    assert versions.selftest(tmp_path / "new") == (False, "digits.onnx: the self-test did not end")


def test_pictures_must_be_readable_as_well(unpacked: Path, tmp_path: Path) -> None:
    versions.build(unpacked, tmp_path / "new")
    (tmp_path / "new" / "command.py").write_text("import sys; sys.exit('no Pillow' if 'classify' in sys.argv else 0)")
    assert versions.selftest(tmp_path / "new") == (False, "no Pillow")


def test_room_is_checked_first(small: Callable[..., Path], tmp_path: Path) -> None:
    bundle = unpack(small(installed_bytes=1 << 60), tmp_path / "device")
    with pytest.raises(InstallError, match=r"the installation needs 1152921504606\.8 MB, and .* make room"):
        versions.build(bundle, tmp_path / "new")
    assert not (tmp_path / "new").exists()
