"""What must not be published is refused, each fault by itself."""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import release_check  # noqa: E402
import release_contents  # noqa: E402
from release_contents import RUNTIME, WORKSTATION, Built, ReleaseError  # noqa: E402

METADATA = """\
Metadata-Version: 2.4
Name: {name}
Version: {version}
License-Expression: MIT
License-File: LICENSE
Description-Content-Type: text/markdown
{need}
# A page
"""
Files = dict[str, str]


def _files(name: str, version: str = "1.0", pin: str = "1.0") -> tuple[Files, Files]:
    """Return the files of a wheel and of an sdist without a fault."""
    need = f"Requires-Dist: {RUNTIME}[onnx]=={pin}\n" if name == WORKSTATION else ""
    metadata = METADATA.format(name=name, version=version, need=need)
    module, licences = f"{name.replace('-', '_')}/__init__.py", f"{name}.dist-info/licenses/LICENSE"
    sbom = f"{name}.dist-info/sboms/{name}.cdx.json"
    wheel = {module: "", f"{name}.dist-info/METADATA": metadata, licences: "MIT", sbom: "{}"}
    return wheel, {module: "", "PKG-INFO": metadata, "LICENSE": "MIT"}


def _write(folder: Path, name: str, wheel: Files, sdist: Files, tree: Files) -> Built:
    built = Built(name, folder / f"{name}.tar.gz", folder / f"{name}.whl", folder / f"{name}-tree.whl")
    for file, contents in ((built.wheel, wheel), (built.tree_wheel, tree)):
        with zipfile.ZipFile(file, "w") as archive:
            for path, text in contents.items():
                archive.writestr(path, text)
    with tarfile.open(built.sdist, "w:gz") as archive:
        for path, text in sdist.items():
            member = tarfile.TarInfo(f"{name}-1.0/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return built


def _check(folder: Path, fault: Callable[[Files, Files, Files], object], tag: str | None = None, **odd: str) -> str:
    runtime, runtime_sdist = _files(RUNTIME)
    wheel, sdist = _files(WORKSTATION, **odd)
    tree = dict(wheel)
    fault(wheel, sdist, tree)
    built = [_write(folder, RUNTIME, runtime, runtime_sdist, runtime), _write(folder, WORKSTATION, wheel, sdist, tree)]
    return release_contents.check(built, tag)


def test_what_is_without_fault_passes(tmp_path: Path) -> None:
    assert _check(tmp_path, lambda *files: None, "v1.0") == "1.0"


def test_a_tag_of_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"the tag is v1\.1, but the version is 1\.0"):
        _check(tmp_path, lambda *files: None, "v1.1")


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        ({"pin": "0.9"}, "mnist-edge 1.0 needs mnist-edge-runtime==0.9"),
        ({"version": "1.1", "pin": "1.1"}, "several versions"),
    ],
)
def test_versions_that_differ_are_refused(odd: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=message):
        _check(tmp_path, lambda *files: None, **odd)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            lambda wheel, sdist, tree: tree.update({"mnist_edge/more.py": ""}),
            "lacks what the wheel needs: mnist_edge/more.py",
        ),
        (
            lambda wheel, sdist, tree: wheel.update({"mnist_edge/more.py": ""}),
            "holds more than it should: mnist_edge/more.py",
        ),
        (lambda wheel, sdist, tree: wheel.update({"mnist_edge/__init__.py": "1"}), "differs from the repository"),
        (lambda wheel, sdist, tree: sdist.update({"tests/test_cli.py": ""}), "should not: tests/test_cli.py"),
        (lambda wheel, sdist, tree: sdist.update({"mnist_edge/t10k-images-idx3-ubyte": ""}), "should not: .*ubyte"),
        (lambda wheel, sdist, tree: sdist.pop("LICENSE"), "holds no LICENSE"),
        (
            lambda wheel, sdist, tree: [
                each.pop("mnist-edge.dist-info/sboms/mnist-edge.cdx.json") for each in (wheel, tree)
            ],
            "holds no bill of materials",
        ),
        (lambda wheel, sdist, tree: sdist.update({"../outside.py": ""}), "no plain file"),
    ],
)
def test_a_fault_is_told(fault: Callable[[Files, Files, Files], object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=message):
        _check(tmp_path, fault)


def test_a_python_that_does_not_run_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the stubs of pyenv are: on PATH, but of no version that is in use."""
    shims, real = tmp_path / "shims", tmp_path / "versions" / "3.99.1" / "bin"
    for folder, script in ((shims, "echo not found >&2; exit 127"), (real, "echo 3.99")):
        folder.mkdir(parents=True)
        (folder / "python3.99").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "python3.99").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shims}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert release_check.find_python("3.99").path == str(real / "python3.99")
    (real / "python3.99").unlink()
    missing = release_check.find_python("3.99")
    assert missing.path is None
    assert "not found" in missing.reason


def test_both_kinds_of_file_are_tried_on_every_python_of_the_runtime() -> None:
    found = {(trial.version, kind) for trial, _ in release_check.chosen(RUNTIME, None) for kind in trial.kinds}
    assert found == {(f"3.{minor}", kind) for minor in range(10, 14) for kind in ("sdist", "wheel")}
    found = {(trial.version, kind) for trial, _ in release_check.chosen(WORKSTATION, None) for kind in trial.kinds}
    assert found == {("3.11", "sdist"), ("3.13", "wheel")}


def test_one_python_is_tried_alone_and_must_be_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    ((trial, python),) = release_check.chosen(RUNTIME, own)
    assert (trial.version, bool(python.path)) == (own, True)

    with pytest.raises(ReleaseError, match=r"mnist-edge is not tried on Python 3\.10"):
        release_check.chosen(WORKSTATION, "3.10")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert [python.path for _, python in release_check.chosen(None, None)] == [None] * len(release_check.TRIALS)
    with pytest.raises(ReleaseError, match=r"there is no Python 3\.12: no python3\.12 on PATH"):
        release_check.chosen(RUNTIME, "3.12")


def test_pip_gets_the_runtime_with_its_extras_and_the_workstation_with_the_runtime(tmp_path: Path) -> None:
    runtime, workstation = (
        Built(name, tmp_path / f"{name}.tar.gz", tmp_path / f"{name}.whl", tmp_path / f"{name}-tree.whl")
        for name in (RUNTIME, WORKSTATION)
    )
    ((alone, _),) = release_check.chosen(RUNTIME, "3.11")
    ((both, _),) = release_check.chosen(WORKSTATION, "3.11")

    assert release_check.packages(alone, "sdist", runtime, workstation) == [f"{runtime.sdist}[image,litert,serve]"]
    assert release_check.packages(both, "wheel", runtime, workstation) == [str(runtime.wheel), str(workstation.wheel)]
