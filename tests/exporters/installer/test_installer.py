"""A bundle installs itself, twice, goes back, and leaves everything as it was where it cannot: on this machine."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import archive
from mnist_edge_exporters.installer import InstallError, versions
from mnist_edge_exporters.installer import __main__ as installer
from mnist_edge_runtime.model_file import sealed_model
from PIL import Image

pytestmark = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or platform.machine() != "x86_64" or platform.libc_ver() < ("glibc", "2.36"),
    reason="bookworm-amd64 is Python 3.11 on x86-64 with glibc 2.36 or newer, and this is not",
)
_WITHOUT_NETWORK = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def unpacked(amd64_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder `mnist-edge` of the bundle."""
    folder = tmp_path_factory.mktemp("device")
    subprocess.run(["tar", "-xzf", amd64_bundle, "-C", folder], check=True)
    return folder / archive.FOLDER


def _variant(unpacked: Path, folder: Path, changes: Mapping[str, bytes]) -> Path:
    """Return another bundle whose SHA256SUMS is right: the files of `unpacked`, some of them changed."""
    shutil.copytree(unpacked, folder, copy_function=os.link)
    for name, data in changes.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(data)
    members = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != archive.SUMS
    }
    (folder / archive.SUMS).unlink()
    (folder / archive.SUMS).write_bytes(archive.sha256_sums(members))
    return folder


def _with_manifest(unpacked: Path, folder: Path, **changes: object) -> Path:
    document = json.loads((unpacked / archive.MANIFEST).read_text())
    return _variant(unpacked, folder, {archive.MANIFEST: json.dumps({**document, **changes}).encode()})


def _sh(
    bundle: Path, *arguments: object, code: int = 0, before: list[str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run its install.sh with this Python, expect the exit code, and never a traceback."""
    python = bundle.parent / "python" / "python3"
    python.parent.mkdir(exist_ok=True)
    if not python.is_symlink():
        python.symlink_to(Path(sys.base_prefix, "bin", "python3.11"))
    variables = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(bundle.parent / "home"), **environment}
    command = [*(before or []), "sh", str(bundle / "install.sh"), *map(str, arguments)]
    result = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stdout.splitlines()) == (code == 0)
    return result


def _tree(folder: Path) -> dict[str, object]:
    """Return all that is there, but what Python compiled meanwhile."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def _versions(prefix: Path) -> list[str]:
    return sorted(path.name for path in (prefix / "versions").iterdir())


def _command(prefix: Path, *arguments: object) -> str:
    command = [str(prefix / "current" / "bin" / "mnist-edge-runtime"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def prefix(unpacked: Path) -> Path:
    """Return a prefix with spaces in its name, in which the bundle is installed; no network."""
    prefix = unpacked.parent / "a place"
    result = _sh(unpacked, "--prefix", prefix, before=_WITHOUT_NETWORK)
    identity = os.path.basename(os.readlink(prefix / "current"))
    what = f"{prefix}/current/bin/mnist-edge-runtime, small-int8.tflite on litert, version {identity}"
    assert result.stdout == f"installed: {what}\n"
    return prefix


def test_what_is_installed_reads_pictures(prefix: Path, tmp_path: Path) -> None:
    from mnist_edge_trainer.demo.synthetic_digits import draw

    Image.fromarray(draw("3")).save(tmp_path / "three.png")
    answer = json.loads(_command(prefix, "classify", "--json", tmp_path / "three.png"))
    model = prefix.resolve() / os.readlink(prefix / "current") / "model" / "small-int8.tflite"
    assert answer["model"] == str(model)
    assert answer["predictions"][0]["label"] == "3"
    assert "(default: the one of this bundle)" in " ".join(_command(prefix, "classify", "--help").split())
    assert str(prefix) not in (prefix / "current" / "bin" / "mnist-edge-runtime").read_text()


def test_installing_again_changes_nothing(prefix: Path, unpacked: Path) -> None:
    before = _tree(prefix)
    assert _sh(unpacked, "--prefix", prefix).stdout.startswith("already installed: ")
    assert _tree(prefix) == before


def test_a_new_version_keeps_the_one_before_and_one_goes_back(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    (old,) = _versions(prefix)
    assert "no version before" in _sh(unpacked, "--rollback", "--prefix", prefix, code=3).stderr
    (prefix / "versions" / ".new").mkdir()  # as a killed installation leaves it
    newer = _variant(unpacked, tmp_path / "mnist-edge", {"sbom.cdx.json": b"{}"})
    assert _sh(newer, "--prefix", prefix).stdout.startswith("installed: ")
    assert len(_versions(prefix)) == 2
    assert os.readlink(prefix / "previous") == f"versions/{old}"
    assert _command(prefix, "selftest").startswith("passed")

    assert _sh(prefix, "--rollback").stdout.startswith("went back: ")
    assert os.readlink(prefix / "current") == f"versions/{old}"
    assert _command(prefix, "selftest").startswith("passed")
    assert _sh(prefix, "--rollback").stdout.startswith("went back: ")
    assert os.readlink(prefix / "previous") == f"versions/{old}"

    model = prefix / "versions" / old / "model" / "small-int8.tflite"
    model.write_bytes(model.read_bytes() + b"\0")
    before = _tree(prefix)
    assert "the version before fails its self-test" in _sh(prefix, "--rollback", code=5).stderr
    assert _tree(prefix) == before

    third = _variant(unpacked, tmp_path / "third", {"sbom.cdx.json": b"[]"})
    newer_name = os.readlink(prefix / "current")
    _sh(third, "--prefix", prefix)
    assert os.readlink(prefix / "previous") == newer_name
    assert len(_versions(prefix)) == 2  # the oldest is gone
    assert _sh(prefix, "--rollback").stdout.startswith("went back: ")


@pytest.fixture(scope="module")
def swapped(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle with right sums and an intact model of another mind: it promises what it does not answer."""
    name = "model/small-int8.tflite"
    sealed = sealed_model.read(unpacked / name)
    golden = replace(sealed.golden, images=255 - sealed.golden.images)
    changes = {name: sealed_model.seal(sealed.payload, sealed.contract, golden)}
    return _variant(unpacked, tmp_path_factory.mktemp("swapped") / "mnist-edge", changes)


def test_where_the_self_test_fails_nothing_is_left(swapped: Path, prefix: Path) -> None:
    before = _tree(prefix)
    failed = _sh(swapped, "--prefix", prefix, code=5)
    assert failed.stderr.startswith("error: the self-test failed, so nothing was changed: failed: logits are up to")
    assert _tree(prefix) == before
    _sh(swapped, code=5)
    assert not (swapped.parent / "home" / ".local/share/mnist-edge").exists()


def test_a_broken_installation_is_mended(unpacked: Path, prefix: Path) -> None:
    _sh(unpacked, "--prefix", prefix)
    model = prefix / "current" / "model" / "small-int8.tflite"
    model.write_bytes(model.read_bytes() + b"\0")
    assert _sh(unpacked, "--prefix", prefix).stdout.startswith("installed: ")
    assert _command(prefix, "selftest").startswith("passed")


def test_damage_is_found_before_anything_is_done(unpacked: Path, tmp_path: Path) -> None:
    def altered(folder: Path) -> None:
        (folder / "wheels").joinpath(next(os.walk(folder / "wheels"))[2][0]).unlink()

    def linked(folder: Path) -> None:
        (folder / "model" / "small-int8.tflite").unlink()
        (folder / "model" / "small-int8.tflite").symlink_to(unpacked / "model" / "small-int8.tflite")

    def changed(folder: Path) -> None:
        script = folder / "installer" / "__main__.py"
        text = script.read_text()
        script.unlink()
        script.write_text("syntax error" + text)

    def added(folder: Path) -> None:
        (folder / "wheels" / "evil.whl").write_bytes(b"")

    def unlisted(folder: Path) -> None:
        lines = (folder / archive.SUMS).read_text().splitlines(keepends=True)
        (folder / archive.SUMS).unlink()
        (folder / archive.SUMS).write_text("".join(lines[1:]))

    def without_sums(folder: Path) -> None:
        (folder / archive.SUMS).unlink()

    for number, damage in enumerate((altered, linked, changed, added, unlisted, without_sums)):
        folder = tmp_path / str(number) / "mnist-edge"
        shutil.copytree(unpacked, folder, copy_function=os.link)
        damage(folder)
        assert _sh(folder, code=4).stderr.count("\n") == 1
        assert not (folder.parent / "home").exists()


def test_much_damage_is_one_sentence(unpacked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mnist-edge"
    shutil.copytree(unpacked, folder, copy_function=os.link)
    for name, told in ((archive.SBOM, archive.SBOM), (archive.MANIFEST, f"{archive.MANIFEST}, and 1 more")):
        (folder / name).unlink()
        (folder / name).write_text("{}")
        assert _sh(folder, code=4).stderr == f"error: the bundle is damaged ({told}); copy it again\n"
    (folder / archive.SUMS).unlink()
    (folder / archive.SUMS).write_text("nothing of the kind\n")
    assert _sh(folder, code=4).stderr == "error: the bundle is damaged (SHA256SUMS); copy it again\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"python": "3.13"}, "the bundle is for bookworm-amd64: Python 3.13, and this is Python 3.11"),
        ({"multiarch": "aarch64-linux-gnu"}, "aarch64-linux-gnu, and this is x86_64-linux-gnu on x86_64"),
        ({"glibc": "2.99"}, "glibc 2.99, and this system has 2."),
        ({"installed_bytes": 1 << 60}, "make room and start again"),
    ],
)
def test_machines_it_is_not_for(changes: dict[str, object], message: str, unpacked: Path, tmp_path: Path) -> None:
    bundle = _with_manifest(unpacked, tmp_path / "mnist-edge", **changes)
    assert message in _sh(bundle, "--prefix", tmp_path / "prefix", code=3).stderr
    assert not (tmp_path / "prefix").exists()


def test_two_at_once_do_not_meet(unpacked: Path, prefix: Path) -> None:
    with (prefix / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another installation is at work there" in _sh(unpacked, "--prefix", prefix, code=3).stderr
        assert "another installation" in _sh(prefix, "--rollback", code=3).stderr


def test_one_that_comes_second_leaves_the_first_alone(
    unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix, locked = tmp_path / "prefix", versions.locked
    with contextlib.ExitStack() as first:

        def second(prefix: Path) -> contextlib.AbstractContextManager[None]:
            first.enter_context(locked(prefix))
            (prefix / "versions" / ".new").mkdir(parents=True)
            return locked(prefix)

        monkeypatch.setattr(installer, "HERE", unpacked)
        monkeypatch.setattr(versions, "locked", second)
        with pytest.raises(InstallError, match="another installation is at work there"):
            installer.install(prefix, None)
        assert _tree(prefix).keys() == {".lock", "versions", "versions/.new"}


def test_mistakes_get_a_sentence(unpacked: Path, prefix: Path, tmp_path: Path) -> None:
    assert "nothing is installed there" in _sh(unpacked, "--rollback", code=3).stderr
    assert "no bundle beside this script" in _sh(prefix, code=2).stderr
    assert "no such folder" in _sh(unpacked, "--service", tmp_path / "none", code=3).stderr
    assert "it names no folder" in _sh(unpacked, "--prefix", "", code=2).stderr
    assert "exclude each other" in _sh(unpacked, "--service", tmp_path, "--rollback", code=2).stderr
    assert _sh(unpacked, "--odd", code=2).stderr == "error: unrecognized arguments: --odd; see --help\n"
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert "Not a directory; name a folder that you can" in _sh(unpacked, "--prefix", place, code=3).stderr
    assert "there is no python3" in _without_python(unpacked, tmp_path / "none")
    assert "python3 on this machine does not start" in _without_python(unpacked, tmp_path / "broken", "exit 1")


def _without_python(bundle: Path, folder: Path, python: str = "") -> str:
    folder.mkdir()
    for name in ("dirname", "sh"):
        (folder / name).symlink_to(str(shutil.which(name)))
    if python:
        (folder / "python3").write_text(f"#!/bin/sh\n{python}\n")
        (folder / "python3").chmod(0o755)
    command = [str(folder / "sh"), str(bundle / "install.sh")]
    result = subprocess.run(command, env={"PATH": str(folder)}, capture_output=True, text=True, check=False)
    assert result.returncode == 3
    return result.stderr


@pytest.mark.parametrize(
    "names",
    [["versions/1.0/app.py"], ["install.sh"], ["versions"], ["current/app.py"], ["photos/cat.png"]],
    ids=lambda names: names[0],
)
def test_a_folder_of_somebody_elses_is_left_alone(names: list[str], unpacked: Path, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = _tree(tmp_path)
    refused = _sh(unpacked, "--prefix", tmp_path, code=3).stderr
    assert "which no bundle has made; name an empty or a new folder with --prefix" in refused
    assert _tree(tmp_path) == before


def test_what_others_put_beside_a_bundle_stays(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    own = prefix / "versions" / "my notes"
    own.mkdir()
    newer = _variant(unpacked, tmp_path / "mnist-edge", {"sbom.cdx.json": b"{ }"})
    _sh(newer, "--prefix", prefix)
    assert own.is_dir()
    own.rmdir()
    _sh(unpacked, "--prefix", prefix)


def test_an_empty_folder_is_empty_again_where_it_fails(swapped: Path, tmp_path: Path) -> None:
    _sh(swapped, "--prefix", tmp_path, code=5)
    assert list(tmp_path.iterdir()) == []
    _sh(swapped, "--prefix", tmp_path / "a" / "b", code=5)
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_stopped_leaves_nothing(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    command = ["sh", str(unpacked / "install.sh"), "--prefix", str(prefix)]
    path = f"{unpacked.parent / 'python'}:/usr/bin:/bin"
    with subprocess.Popen(command, env={"PATH": path, "HOME": str(tmp_path)}) as process:
        deadline = time.monotonic() + 60
        while not list(prefix.glob("versions/.new/lib/*/site-packages/numpy")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def public(prefix: Path) -> Iterator[Path]:
    """Return a folder that everybody may enter, with a copy of the prefix and a folder `in box` that is not root's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(prefix, folder / "a place", symlinks=True, copy_function=os.link)
        (folder / "in box").mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder / "in box", "daemon")
        yield folder


def test_the_service_runs_as_the_owner_of_its_folder(unpacked: Path, public: Path) -> None:
    prefix, watched = public / "a place", public / "in box"
    _sh(unpacked, "--prefix", prefix)
    told = _sh(unpacked, "--prefix", prefix, "--service", watched).stdout
    assert told.endswith(f"; to start the service: sudo systemctl enable --now {prefix}/mnist-edge.service\n")
    unit = prefix / "mnist-edge.service"
    lines = unit.read_text().splitlines()
    assert f'ExecStart="{prefix}/current/bin/mnist-edge-runtime" watch --jsonl "{watched}"' in lines
    assert f"User={watched.owner()}" in lines
    if shutil.which("systemd-analyze"):
        analyze = ["systemd-analyze", "--man=no", "verify", str(unit)]
        assert unit.name not in subprocess.run(analyze, capture_output=True, text=True, check=False).stderr
        analyze = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)]  # of 100: 2.0 of 10
        subprocess.run(analyze, capture_output=True, check=True)

    again = _sh(unpacked, "--prefix", prefix).stdout
    assert again.startswith("already installed")
    assert again.endswith("; a service that runs goes on with it after: sudo systemctl restart mnist-edge.service\n")


def test_the_service_is_never_roots(unpacked: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can make a folder of root's")
    assert "chown it first" in _sh(unpacked, "--service", tmp_path, code=2).stderr
    (tmp_path / 'a"b').mkdir()
    shutil.chown(tmp_path / 'a"b', "daemon")
    assert "systemd cannot take" in _sh(unpacked, "--service", tmp_path / 'a"b', code=2).stderr
    (tmp_path / "box").mkdir()
    shutil.chown(tmp_path / "box", "daemon")
    (tmp_path / "own").mkdir(mode=0o700)
    refused = _sh(unpacked, "--prefix", tmp_path / "own" / "prefix", "--service", tmp_path / "box", code=2)
    assert "daemon cannot enter" in refused.stderr


def test_the_members_of_the_bundle_are_those_of_the_archive(amd64_bundle: Path) -> None:
    with tarfile.open(amd64_bundle) as written:
        for info in written:
            assert (info.mode, info.uid, info.gid, info.mtime, info.uname, info.gname) == (0o644, 0, 0, 0, "", "")
