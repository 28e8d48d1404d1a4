"""What a deployment changes on a host is put back, exactly, whenever it ends."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from mnist_edge_exporters.installer import InstallError
from mnist_edge_exporters.installer.transaction import Transaction


def _tree(folder: Path) -> dict[str, object]:
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
    }


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Return a prefix with two versions, and something that is nobody's business."""
    prefix = tmp_path / "reader"
    for name in ("old", "older"):
        (prefix / "versions" / name).mkdir(parents=True)
        (prefix / "versions" / name / "model").write_text(name)
    (prefix / "install.sh").write_text("an installer")
    (prefix / "current").symlink_to("versions/old")
    (prefix / "previous").symlink_to("versions/older")
    (prefix / "notes").write_text("mine")
    return prefix


def _install(prefix: Path) -> None:
    """Do what the installer does."""
    (prefix / "versions" / "new").mkdir()
    for path in (prefix / "versions" / "older").iterdir():
        path.unlink()
    (prefix / "versions" / "older").rmdir()
    (prefix / ".lock").touch()
    (prefix / "installer").mkdir()
    for link, version in (("previous", "old"), ("current", "new")):
        (prefix / link).unlink()
        (prefix / link).symlink_to(f"versions/{version}")


def test_everything_is_put_back(prefix: Path) -> None:
    before = _tree(prefix)
    transaction = Transaction(prefix)
    transaction.remember()
    _install(prefix)
    transaction.undo()
    assert _tree(prefix) == before


def test_what_is_finished_stays(prefix: Path) -> None:
    transaction = Transaction(prefix)
    transaction.remember()
    _install(prefix)
    installed = {name: content for name, content in _tree(prefix).items() if not name.startswith(".deploy")}
    transaction.finish()
    assert _tree(prefix) == installed


def test_a_full_disk_hinders_no_restoration(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = _tree(prefix)
    transaction = Transaction(prefix)
    transaction.remember()
    _install(prefix)
    monkeypatch.setattr(os, "mkdir", full)
    monkeypatch.setattr(Path, "write_text", full)
    transaction.undo()
    assert _tree(prefix) == before


@pytest.mark.parametrize("renames", range(12))
def test_a_loss_of_power_at_any_point_is_undone_by_the_next(
    renames: int, prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _tree(prefix)
    transaction = Transaction(prefix)
    transaction.remember()
    _install(prefix)
    rename, left = os.rename, iter(range(renames))

    def dying(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", dying)
        if renames < 10:
            with pytest.raises(KeyboardInterrupt):
                transaction._restore()
        else:
            transaction._restore()
    os.close(transaction._descriptor)
    assert Transaction.is_unfinished(prefix)
    Transaction(prefix).undo()
    assert _tree(prefix) == before


def test_folders_that_it_made_go_and_what_others_put_there_stays(tmp_path: Path) -> None:
    prefix = tmp_path / "share" / "apps" / "reader"
    Transaction(prefix).undo()
    assert _tree(tmp_path) == {}
    transaction = Transaction(prefix)
    transaction.remember()
    (prefix / "versions").mkdir()
    (tmp_path / "share" / "letter").write_text("to a friend")
    transaction.undo()
    assert _tree(tmp_path) == {"share": False, "share/letter": b"to a friend"}


def test_one_at_a_time(prefix: Path) -> None:
    transaction = Transaction(prefix)
    assert Transaction.is_busy(prefix)
    with pytest.raises(InstallError, match="another deployment is at work there"):
        Transaction(prefix)
    transaction.undo()
    assert not Transaction.is_busy(prefix)
