"""The runtime's wheel, made again from what is installed: from a wheel of it, and editable."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from email.parser import BytesParser
from importlib.metadata import PathDistribution
from pathlib import Path

import mnist_edge_runtime
import pytest
from mnist_edge_exporters.bundle import own_wheel
from mnist_edge_runtime import InputError, __version__


@pytest.fixture(scope="module")
def made() -> tuple[str, bytes]:
    return own_wheel.runtime_wheel()


def _unpack(wheel: bytes, folder: Path) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        archive.extractall(folder)
        return set(archive.namelist())


def test_it_holds_the_package_and_its_metadata(made: tuple[str, bytes], tmp_path: Path) -> None:
    name, wheel = made
    assert name == f"mnist_edge_runtime-{__version__}-py3-none-any.whl"
    names = _unpack(wheel, tmp_path)
    package = Path(mnist_edge_runtime.__file__).parent
    files = {path.relative_to(package.parent).as_posix() for path in package.rglob("*") if path.is_file()}
    assert {name for name in names if ".dist-info/" not in name} == {
        name for name in files if "__pycache__" not in name and not name.endswith("README.md")
    }
    info = f"mnist_edge_runtime-{__version__}.dist-info"
    kept = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt"}
    assert {name for name in names if ".dist-info/" in name} == {f"{info}/{name}" for name in kept}
    metadata = BytesParser().parsebytes((tmp_path / info / "METADATA").read_bytes())
    assert (metadata["Name"], metadata["Version"]) == ("mnist-edge-runtime", __version__)


def test_it_is_made_with_the_same_bytes(made: tuple[str, bytes]) -> None:
    assert own_wheel.runtime_wheel() == made


def test_pip_takes_it_and_the_wheel_is_made_again_from_there(made: tuple[str, bytes], tmp_path: Path) -> None:
    (tmp_path / made[0]).write_bytes(made[1])
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile"]
    subprocess.run([*pip, "--target", str(target), str(tmp_path / made[0])], check=True, capture_output=True)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import mnist_edge_runtime; assert mnist_edge_runtime.__file__.startswith(sys.argv[1])\n"
        "from mnist_edge_exporters.bundle import own_wheel\n"
        "open(sys.argv[2], 'wb').write(own_wheel.runtime_wheel()[1])"
    )
    again = tmp_path / "again.whl"
    subprocess.run([sys.executable, "-c", script, str(target), str(again)], check=True)
    assert again.read_bytes() == made[1]


@pytest.mark.parametrize("finder", ["this Python's", "that of 3.12"])
def test_an_altered_file_is_named(
    made: tuple[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finder: str
) -> None:
    if finder != "this Python's":  # whose `files` are those alone that are there
        there = PathDistribution.files.fget  # type: ignore[attr-defined]
        monkeypatch.setattr(
            PathDistribution, "files", property(lambda own: [path for path in there(own) if path.locate().exists()])
        )
    _unpack(made[1], tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert own_wheel.runtime_wheel() == made
    (tmp_path / "mnist_edge_runtime" / "errors.py").write_text("# altered by hand")
    with pytest.raises(InputError, match=r"errors\.py: altered since it was installed; reinstall it with pip"):
        own_wheel.runtime_wheel()
    (tmp_path / "mnist_edge_runtime" / "errors.py").unlink()
    with pytest.raises(InputError, match=r"errors\.py: No such file"):
        own_wheel.runtime_wheel()


def test_installations_without_a_list_of_files(
    made: tuple[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _unpack(made[1], tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"mnist_edge_runtime-{__version__}.dist-info" / "RECORD").unlink()
    with pytest.raises(InputError, match=r"no list of its files \(RECORD\); reinstall it with pip"):
        own_wheel.runtime_wheel()
