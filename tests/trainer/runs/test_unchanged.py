from __future__ import annotations

import threading
from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.runs import locks
from mnist_edge_trainer.runs.unchanged import sha256_of, unchanged


@pytest.fixture
def model(tmp_path: Path) -> Path:
    file = tmp_path / "mine" / "model.keras"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    return file


def test_the_same_bytes_pass_even_when_written_again(model: Path) -> None:
    sha256 = sha256_of(model)
    model.write_bytes(b"weights")
    with unchanged(model, sha256), unchanged(model, sha256, model.parent):
        pass


@pytest.mark.parametrize("run", [True, False])
def test_other_bytes_do_not(model: Path, run: bool) -> None:
    sha256 = sha256_of(model)
    model.write_bytes(b"other weights")
    with (
        pytest.raises(InputError, match=r"model.keras: was replaced while .* nothing more; repeat the command"),
        unchanged(model, sha256, model.parent if run else None),
    ):
        pytest.fail("it published")


def test_a_file_that_is_gone_is_named(model: Path) -> None:
    sha256 = sha256_of(model)
    model.unlink()
    with pytest.raises(InputError, match=r"model.keras: was removed"), unchanged(model, sha256):
        pytest.fail("it published")
    assert sha256_of(model) == ""


def test_no_process_replaces_the_run_within_the_block(model: Path) -> None:
    order: list[str] = []

    def replace() -> None:
        with locks.publishing(model.parent):
            order.append("replaced")

    thread = threading.Thread(target=replace)
    with unchanged(model, sha256_of(model), model.parent):
        thread.start()
        thread.join(0.2)
        order.append("published")
    thread.join(30)
    assert order == ["published", "replaced"]
