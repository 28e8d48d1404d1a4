"""Look into built distributions: versions, metadata, licence, and what must and must not be in them."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.errors import ExceptionGroup as ManyErrors
from packaging.metadata import Metadata, parse_email

__all__ = ["RUNTIME", "WORKSTATION", "Built", "ReleaseError", "check"]

RUNTIME, WORKSTATION = "mnist-edge-runtime", "mnist-edge"
# What is for the repository alone; pictures and arrays, which might be MNIST's, are in no package.
FOLDERS = {".ci", ".github", "benchmarks", "docs", "emulators", "examples", "models", "runs", "scripts", "tests"}
PICTURES = re.compile(r"ubyte|\.(bmp|csv|gz|jpe?g|np[yz]|parquet|pgm|png|tiff?|webp)$", re.IGNORECASE)


class ReleaseError(Exception):
    """A release that must not be published, with the reason."""


@dataclass(frozen=True)
class Built:
    """The files of one distribution: sdist, the wheel made of it, and one made of the repository's files."""

    name: str
    sdist: Path
    wheel: Path
    tree_wheel: Path


def check(built: Sequence[Built], tag: str | None = None) -> str:
    """Return the version of both distributions, which are fit to be published.

    Args:
        built: both.
        tag: that of the release, if it has one.

    Raises:
        ReleaseError: they are not.
    """
    versions = set()
    for each in built:
        contents = _contents(each.wheel)
        _check_wheels(each, contents)
        _check_members(each.wheel, contents)
        if not any(".dist-info/sboms/" in name for name in contents):
            raise ReleaseError(f"{each.wheel.name} holds no bill of materials")
        sdist = _contents(each.sdist)
        _check_members(each.sdist, sdist)
        metadata = _metadata(each.wheel, contents, "METADATA")
        _check_metadata(each, metadata)
        versions |= {str(metadata.version), str(_metadata(each.sdist, sdist, "PKG-INFO").version)}
        pins = {need.specifier for need in metadata.requires_dist or () if need.name == RUNTIME}
        if each.name == WORKSTATION and {str(pin) for pin in pins} != {f"=={metadata.version}"}:
            raise ReleaseError(f"{each.name} {metadata.version} needs {RUNTIME}{' and '.join(map(str, pins))}")
    if len(versions) != 1:
        raise ReleaseError(f"the distributions have several versions: {', '.join(sorted(versions))}")
    (version,) = versions
    if tag is not None and tag != f"v{version}":
        raise ReleaseError(f"the tag is {tag}, but the version is {version}, whose tag is v{version}")
    return version


def _contents(file: Path) -> Mapping[str, bytes]:
    """Return the files of a wheel or an sdist by their paths; those of an sdist without its one folder."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist()}
    with tarfile.open(file) as sdist:
        members = [member for member in sdist.getmembers() if not member.isdir()]
        if odd := [member.name for member in members if not member.isreg() or ".." in Path(member.name).parts]:
            raise ReleaseError(f"{file.name} holds what is no plain file: {', '.join(odd)}")
        return {member.name.partition("/")[2]: _read(sdist, member) for member in members}


def _read(sdist: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = sdist.extractfile(member)
    assert opened  # a regular file
    return opened.read()


def _check_wheels(built: Built, contents: Mapping[str, bytes]) -> None:
    """Compare the wheel made of the sdist with the one made of the repository's files."""
    tree = _contents(built.tree_wheel)
    if missing := sorted(set(tree) - set(contents)):
        raise ReleaseError(f"{built.sdist.name} lacks what the wheel needs: {', '.join(missing)}")
    if more := sorted(set(contents) - set(tree)):
        raise ReleaseError(f"{built.wheel.name}, made of the sdist, holds more than it should: {', '.join(more)}")
    if other := sorted(name for name in tree if tree[name] != contents[name]):
        raise ReleaseError(f"{built.wheel.name}, made of the sdist, differs from the repository in {', '.join(other)}")


def _check_members(file: Path, contents: Mapping[str, bytes]) -> None:
    if stray := sorted(name for name in contents if Path(name).parts[0] in FOLDERS or PICTURES.search(name)):
        raise ReleaseError(f"{file.name} holds what it should not: {', '.join(stray)}")
    if not any(Path(name).name == "LICENSE" and contents[name] for name in contents):
        raise ReleaseError(f"{file.name} holds no LICENSE")


def _metadata(file: Path, contents: Mapping[str, bytes], name: str) -> Metadata:
    """Return the metadata, valid in every field."""
    (found,) = (path for path in contents if path == name or path.endswith(f".dist-info/{name}"))
    raw, unparsed = parse_email(contents[found])
    try:
        metadata = Metadata.from_raw(raw)
    except ManyErrors as group:
        raise ReleaseError(f"{file.name}: {'; '.join(map(str, group.exceptions))}") from None
    if unparsed:
        raise ReleaseError(f"{file.name}: fields of its metadata that nobody knows: {', '.join(unparsed)}")
    return metadata


def _check_metadata(built: Built, metadata: Metadata) -> None:
    if metadata.name != built.name:
        raise ReleaseError(f"{built.wheel.name} calls itself {metadata.name}")
    if metadata.license_expression != "MIT" or not metadata.license_files:
        raise ReleaseError(f"{built.wheel.name} names no licence")
    if metadata.description_content_type != "text/markdown" or not (metadata.description or "").strip():
        raise ReleaseError(f"{built.wheel.name} has no description that an index can show")
    for need in metadata.requires_dist or ():
        if need.url:
            raise ReleaseError(f"{built.wheel.name} needs {need}, which no index takes")
