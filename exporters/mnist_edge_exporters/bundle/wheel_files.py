"""Read the metadata of wheels, and write wheels with the same bytes for the same contents."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Collection, Iterable, Mapping
from email.message import Message
from email.parser import BytesParser

from mnist_edge_runtime import InputError

__all__ = ["installed_bytes", "metadata", "pack", "recorded_hash", "without", "zipped"]

_BLOCK = 4096  # bytes, of a file system
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip archive can contain


def metadata(wheel: bytes) -> Message:
    """Return the METADATA of a wheel."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return BytesParser().parsebytes(archive.read(_in_dist_info(archive.namelist(), "METADATA")))


def installed_bytes(wheel: bytes) -> int:
    """Return the size of its members on disk when they are unpacked."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return sum(-(-info.file_size // _BLOCK) * _BLOCK for info in archive.infolist())


def pack(files: Mapping[str, bytes], dist_info: str) -> bytes:
    """Return the wheel that holds `files`, and their RECORD in the folder `dist_info`; equal files, equal bytes."""
    record = io.StringIO()
    table = csv.writer(record, lineterminator="\n")
    record_name = f"{dist_info}/RECORD"
    for name, data in sorted(files.items()):
        table.writerow([name, f"sha256={recorded_hash(data)}", len(data)])
    table.writerow([record_name, "", ""])
    return zipped([*sorted(files.items()), (record_name, record.getvalue().encode())])


def recorded_hash(data: bytes, algorithm: str = "sha256") -> str:
    """Return the hash of a file as a wheel's RECORD has it, without the name of the algorithm in front."""
    return base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()


def zipped(members: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip archive of the members in their order, without user or time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr, info.create_system = 0o100644 << 16, 3
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def without(wheel: bytes, names: Collection[str]) -> tuple[bytes, tuple[str, ...]]:
    """Return the wheel without those members called `names`, and which of them it had; untouched if none."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        left_out = tuple(sorted(set(archive.namelist()) & set(names)))
        if not left_out:
            return wheel, ()
        record = _in_dist_info(archive.namelist(), "RECORD")
        kept = [name for name in archive.namelist() if name not in {*left_out, record} and not name.endswith("/")]
        return pack({name: archive.read(name) for name in kept}, record.removesuffix("/RECORD")), left_out


def _in_dist_info(names: Iterable[str], name: str) -> str:
    """Return the member of the top-level .dist-info folder."""
    found = [each for each in names if each.count("/") == 1 and each.endswith(f".dist-info/{name}")]
    if len(found) != 1:
        raise InputError(f"a wheel has {len(found)} {name}, expected one")
    return found[0]
