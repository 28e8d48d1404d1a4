"""An installation that fails, is stopped or loses its power leaves the version in use, and the next one tidies up."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_exporters.installer import checks, layout, transaction, versions
from mnist_edge_exporters.installer.errors import InstallError

from .conftest import sh, tree, unpack, variant


@pytest.fixture
def used(prefix: Path, unpacked: Path, tmp_path: Path) -> Path:
    """Return a prefix with two versions, and something that is nobody's business."""
    sh(variant(unpacked, tmp_path / "second", {"sbom.cdx.json": b"{ }"}), "--prefix", prefix)
    (prefix / "notes").write_text("mine")
    return prefix


@pytest.fixture
def newest(unpacked: Path, tmp_path: Path) -> Path:
    """Return a bundle that is not installed there."""
    return variant(unpacked, tmp_path / "newest", {"sbom.cdx.json": b"[]"})


def _install(bundle: Path, prefix: Path) -> str:
    with transaction.begin(prefix):
        return transaction.install(bundle, prefix, checks.check_files(bundle))


# Installs in a process that ends, without any cleaning up, before its N-th change of a name.
_DYING = """\
import os, sys
from pathlib import Path
from mnist_edge_exporters.installer import checks, transaction

left = int(sys.argv[3])

def dying(change):
    def changed(*arguments, **options):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return change(*arguments, **options)
    return changed

bundle, prefix = Path(sys.argv[1]), Path(sys.argv[2])
identity = checks.check_files(bundle)
with transaction.begin(prefix):
    for name in ("rename", "replace", "symlink"):
        setattr(os, name, dying(getattr(os, name)))
    transaction.install(bundle, prefix, identity)
os._exit(0)
"""


def _die(bundle: Path, prefix: Path, changes: int) -> bool:
    """Install and lose the power after so many changes; return whether it came to that."""
    result = subprocess.run([sys.executable, "-c", _DYING, bundle, prefix, str(changes)], check=False)
    assert result.returncode in (0, 9)
    return result.returncode == 9


@pytest.mark.long
@pytest.mark.parametrize("is_repair", [False, True], ids=["a new version", "a broken version again"])
def test_a_loss_of_power_at_any_point_is_undone_by_the_next(
    is_repair: bool, used: Path, newest: Path, failing: Path, tmp_path: Path
) -> None:
    current = layout.linked(used, "current")
    bundle = newest
    if is_repair:
        bundle = tmp_path / "second"
        (used / "current" / "command.py").write_text("raise SystemExit('broken since')")
    before = tree(used)
    prefix = Path(shutil.copytree(used, tmp_path / "copy", symlinks=True))
    _install(bundle, prefix)
    after, in_use = tree(prefix), [layout.linked(prefix, name) for name in ("current", "previous")]
    changes = ends = 0
    while True:
        shutil.rmtree(prefix)
        shutil.copytree(used, prefix, symlinks=True)
        if not _die(bundle, prefix, changes):
            break
        if not is_repair:  # it can be used whenever the power comes back
            assert versions.selftest(prefix / "current")[0]
        with pytest.raises(InstallError, match="the self-test failed"):
            _install(failing, prefix)
        found = tree(prefix)
        if layout.linked(prefix, "current") == current and not is_repair:
            assert found == before
        else:
            # A version that is no longer needed may still lie there.
            ends += [layout.linked(prefix, name) for name in ("current", "previous")] == in_use
            assert found == before or versions.selftest(prefix / "current")[0]
        assert _install(bundle, prefix)
        assert versions.selftest(prefix / "current")[0]
        assert layout.linked(prefix, "current") == checks.check_files(bundle)
        assert not (prefix / ".new").exists()
        changes += 1
    assert changes > 5
    assert ends > 0
    assert tree(prefix) == after


def test_a_full_disk_hinders_no_rollback(
    used: Path, small: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    late = unpack(small("late"), tmp_path / "late")
    before = tree(used)
    with monkeypatch.context() as patch:

        def then_full(folder: Path) -> tuple[bool, str]:
            for owner, name in ((os, "mkdir"), (os, "symlink"), (Path, "write_text"), (shutil, "copyfile")):
                patch.setattr(owner, name, full)
            return False, "the disk is full"

        patch.setattr(transaction, "selftest", then_full)
        with pytest.raises(InstallError, match="the disk is full"):
            _install(late, used)
    assert tree(used) == before


def test_folders_that_it_made_go_and_what_others_put_there_stays(tmp_path: Path) -> None:
    prefix = tmp_path / "share" / "apps" / "reader"
    with transaction.begin(prefix):
        assert prefix.is_dir()
    assert tree(tmp_path) == {}
    with transaction.begin(prefix) as stage:
        stage.mkdir()
        (prefix / "versions").mkdir()
        (tmp_path / "share" / "letter").write_text("to a friend")
    assert tree(tmp_path) == {"share": False, "share/letter": b"to a friend"}


def test_signals_do_again_what_they_did(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    with transaction.begin(tmp_path / "prefix"):
        transaction._ignore_signals()
        os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_one_at_a_time(prefix: Path, unpacked: Path, tmp_path: Path) -> None:
    assert not transaction.is_busy(tmp_path)
    assert not transaction.is_busy(prefix)
    with (prefix / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert transaction.is_busy(prefix)
        assert "another installation is at work there" in sh(unpacked, "--prefix", prefix, code=3).stderr
        assert "another installation" in sh(prefix, "--rollback", code=3).stderr
    assert not transaction.is_busy(prefix)


def test_one_that_comes_second_leaves_the_first_alone(tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    with transaction.begin(prefix) as stage:
        (stage / "version").mkdir(parents=True)
        with pytest.raises(InstallError, match="another installation is at work there"), transaction.begin(prefix):
            pass
        assert tree(prefix).keys() == {".lock", ".new", ".new/version"}


def test_a_lock_that_the_other_one_has_just_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        flock(descriptor, operation)
        (tmp_path / ".lock").unlink()

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(InstallError, match="another installation is at work there"), transaction.begin(tmp_path):
        pass
