"""Rebuild the runtime's own wheel from the files that are installed here.

That needs neither the repository nor a build tool nor the index, and the device gets the code that this machine runs.
"""

from __future__ import annotations

import csv
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import mnist_edge_runtime
from mnist_edge_runtime import InputError

from . import wheel_files

__all__ = ["runtime_wheel"]

_DISTRIBUTION, _PACKAGE = "mnist-edge-runtime", "mnist_edge_runtime"
_METADATA = ("METADATA", "WHEEL", "entry_points.txt", "top_level.txt")
_FIX = "reinstall it with pip, from its wheel or the repository's folder runtime/"


def runtime_wheel() -> tuple[str, bytes]:
    """Return the file name and the bytes of the wheel.

    Raises:
        InputError: the runtime was not installed by pip, or its files were altered since.
    """
    try:
        found = distribution(_DISTRIBUTION)
    except PackageNotFoundError:
        raise InputError(f"{_DISTRIBUTION} is not installed as a distribution; {_FIX}") from None
    # Not `found.files`: from Python 3.12 on, and with the package importlib_metadata, it leaves out what is missing.
    listed = {row[0]: row[1] for row in csv.reader((found.read_text("RECORD") or "").splitlines())}
    info = {top for name in listed if (top := name.split("/")[0]).endswith(".dist-info")}
    if len(info) != 1:
        raise InputError(f"{_DISTRIBUTION} has no list of its files (RECORD); {_FIX}")
    dist_info = info.pop()
    parts = {name: name.split("/") for name in listed}
    code = [name for name in listed if parts[name][0] == _PACKAGE and "__pycache__" not in parts[name]]
    about = [
        name
        for name in listed
        if parts[name][0] == dist_info and (parts[name][-1] in _METADATA or "licenses" in parts[name])
    ]
    files = {name: _read(found, name, listed[name]) for name in code} or _editable(found)
    files |= {name: _read(found, name, listed[name]) for name in about}
    return f"{_PACKAGE}-{found.version}-py3-none-any.whl", wheel_files.pack(files, dist_info)


def _read(found: Distribution, name: str, recorded: str) -> bytes:
    """Return the contents of an installed file, compared with its hash in RECORD."""
    path = Path(str(found.locate_file(name)))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; {_FIX}") from None
    algorithm, _, expected = recorded.partition("=")
    if expected and wheel_files.recorded_hash(data, algorithm) != expected:
        raise InputError(f"{path}: altered since it was installed; {_FIX}")
    return data


def _editable(found: Distribution) -> dict[str, bytes]:
    """Return the package's files from the repository, where an editable installation leads: those of a wheel.

    These are all but the pages about the source, each of them named README.md, and compiled modules.
    """
    if "editable" not in (found.read_text("direct_url.json") or ""):
        raise InputError(f"{_DISTRIBUTION}: its list of files (RECORD) has no file of the package; {_FIX}")
    folder = Path(mnist_edge_runtime.__file__).parent
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    names = {f"{_PACKAGE}/{path.relative_to(folder).as_posix()}": path for path in paths if path.name != "README.md"}
    return {name: path.read_bytes() for name, path in sorted(names.items())}
