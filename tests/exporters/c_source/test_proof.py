from __future__ import annotations

import ctypes
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof
from mnist_edge_exporters.c_source.pictures import draw
from mnist_edge_exporters.c_source.project import Project
from mnist_edge_exporters.integer.network import Network
from mnist_edge_runtime import BlankError, InputError, VerificationError, to_mnist
from numpy.typing import NDArray

Make = Callable[..., tuple[Project, Network]]


def _changed(made: Project, path: str, before: str, after: str) -> Project:
    assert before in made.files[path]
    return replace(made, files={**made.files, path: made.files[path].replace(before, after, 1)})


@pytest.mark.parametrize(
    ("path", "before", "after", "message"),
    [
        ("src/net.c", "return best;", "return worst;", "does not compile without warnings"),
        ("src/net.c", "logits[i] = found[i]", "logits[i] = found[i] + 1", "logits of the self-test differ"),
        ("src/net.c", "logits[i] > logits[best]", "logits[i] < logits[best]", "classify does not return the largest"),
        ("src/net.c", "int best = 0, i;", "int best = *(volatile int *)0, i;", "SIGSEGV"),
    ],
)
def test_faulty_code_is_found(
    path: str, before: str, after: str, message: str, make: Make, images: NDArray[np.uint8]
) -> None:
    made, _ = make()
    with pytest.raises(VerificationError, match=message):
        proof.answers(_changed(made, path, before, after), images, proof.compiler())


def test_pictures_are_prepared_as_by_the_runtime(make: Make, images: NDArray[np.uint8]) -> None:
    drawn = [draw(seed, images) for seed in range(60)]
    found = proof.answers(make()[0], images[:1], proof.compiler(), drawn).prepared
    assert len(found) == 60
    for picture, image in zip(drawn, found, strict=True):
        if image is None:
            with pytest.raises(BlankError):
                to_mnist(picture)
        else:
            np.testing.assert_array_equal(image, to_mnist(picture))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("least(width, height) > NET_PREPARE_SHORTER", "least(width, height) > 100"),
        ("return all_planes_size(width, height) + 4", "return all_planes_size(width, height) / 2 + 4"),
    ],
)
def test_a_refused_picture_and_a_small_work_buffer_are_found(
    before: str, after: str, make: Make, images: NDArray[np.uint8]
) -> None:
    faulty = _changed(make()[0], "src/net_prepare.c", before, after)
    page = np.full((200, 200), 230, np.uint8)
    page[50:150, 90:110] = 20
    with pytest.raises(VerificationError, match=r"refuses a picture within its limits, or writes behind|SIG"):
        proof.answers(faulty, images[:1], proof.compiler(), [page])


def _compiled(made: Project, folder: Path) -> ctypes.CDLL:
    for name in ("net_prepare.h", "net_prepare.c"):
        (folder / name).write_text(made.files[f"src/{name}"])
    command = [*proof.compiler(), "-std=c99", "-O1", "-shared", "-fPIC", "-o", "net.so", "net_prepare.c"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "net.so"))


def test_the_work_buffer_of_the_header_is_enough_for_every_size(make: Make, tmp_path: Path) -> None:
    made, _ = make()
    loaded = _compiled(made, tmp_path)
    sizes = {(wide, high): loaded.net_prepare_work(wide, high) for wide in range(325) for high in range(325)}
    most = int(re.findall(r"PREPARE_WORK (\d+)L", made.files["src/net_prepare.h"])[0])
    assert max(sizes.values()) == most == sizes[320, 240] == sizes[240, 320]
    taken = {shape for shape, size in sizes.items() if size}
    assert taken == {shape for shape in sizes if 3 <= min(shape) <= 240 and max(shape) <= 320}
    for wide, high in ((28, 28), (96, 96), (160, 120), (320, 240)):
        assert f"| {wide} x {high} | {sizes[wide, high]:,} |" in made.files["README.md"]
        assert f"{wide} x {high}: {sizes[wide, high]:,}" in made.files["src/net_prepare.h"]


def test_a_size_that_is_refused_touches_nothing(make: Make, tmp_path: Path) -> None:
    loaded = _compiled(make()[0], tmp_path)
    for wide, high in ((2, 28), (28, 2), (0, 0), (-5, 100), (321, 100), (241, 241), (1 << 30, 1 << 30)):
        assert loaded.net_prepare(None, wide, high, None, None) == 2


def test_without_a_compiler_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(proof.shutil, "which", lambda name: None)
    monkeypatch.setattr(proof, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="install gcc or clang, or ziglang"):
        proof.compiler()
    monkeypatch.setenv("CC", "ccache gcc")
    assert proof.compiler() == ("ccache", "gcc")


def test_a_compiler_that_is_not_there_is_told(make: Make, images: NDArray[np.uint8]) -> None:
    with pytest.raises(InputError, match="no-such-cc cannot be run"):
        proof.answers(make()[0], images, ("no-such-cc",))
