"""TFLite: the trailer is a zip archive, as files with metadata have it; readers of the flatbuffer ignore it.

The archive has the members contract.json, golden.npz and labels.txt; the digest is the end of its comment.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...errors import ModelError
from ...text_output import short
from .. import flatbuffer
from ..operator_allowlist import TFLITE, tflite_name
from .base import DIGEST_SIZE, MAX_TRAILER_BYTES, Format, Trailer

if TYPE_CHECKING:
    import zipfile

__all__ = ["FORMAT"]

_MEMBERS = ("contract.json", "golden.npz", "labels.txt")
_LOCAL_HEADER = 30  # bytes of a zip archive before each member's name
_COMMENT = b"mnist-edge sha256:"
_CUSTOM = 32  # the operator code of all custom operators
_MOST_CODES = 1000  # operator codes of one model; there are 210 builtin operators


def _write_trailer(size: int, trailer: Trailer) -> bytes:
    import zipfile  # like the other imports inside functions: to import the package stays quick

    buffer = io.BytesIO()
    buffer.write(bytes(size))  # makes the archive's own offsets count from the start of the file
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(_MEMBERS, trailer, strict=True):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same bytes on every system
            entry.compress_type = zipfile.ZIP_DEFLATED if name != "golden.npz" else zipfile.ZIP_STORED
            archive.writestr(entry, content)
        archive.comment = _COMMENT + b"0" * DIGEST_SIZE
    return buffer.getvalue()[size:-DIGEST_SIZE]


def _split_trailer(body: bytes) -> tuple[int, Trailer]:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(body + b"0" * DIGEST_SIZE)) as archive:
        entries = archive.infolist()
        if tuple(entry.filename for entry in entries) != _MEMBERS:
            raise ModelError(f"the trailer holds {short(archive.namelist())}, expected {list(_MEMBERS)}; export again")
        if sum(entry.file_size for entry in entries) > MAX_TRAILER_BYTES:
            raise ModelError(f"the trailer would unpack to more than {MAX_TRAILER_BYTES >> 20} MiB; export again")
        place = start = entries[0].header_offset
        for entry in entries:
            # Links, ciphers, fields and bytes between the members, that another reader may see in another way.
            if entry.header_offset != place or not _is_plain(entry):
                raise ModelError(
                    f"the trailer's {short(entry.filename)} is no plain member of an archive; export again"
                )
            place += _LOCAL_HEADER + len(entry.filename) + entry.compress_size
        if archive.start_dir != place:
            raise ModelError("the trailer's archive has bytes between its members; export again")
        return start, Trailer(*(archive.read(entry) for entry in entries))


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    is_file = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
    is_known = entry.compress_type in (0, 8) and entry.flag_bits == 0  # stored or deflated
    return is_file and is_known and not entry.extra and not entry.comment


def _is_cut_short(data: bytes) -> bool:
    if data[4:8] != b"TFL3":
        return False
    try:
        model = flatbuffer.root(data)
        for slot in (1, 2):  # operator codes, graphs
            for table in model.tables(slot):
                table.place(0)
        return any(buffer.end(0) > len(data) for buffer in model.tables(4))
    except flatbuffer.EndError:
        return True
    except ValueError:
        return False


def _objections(payload: bytes) -> Iterator[str]:
    if payload[4:8] != b"TFL3":
        raise ValueError("the identifier TFL3 is missing")
    model = flatbuffer.root(payload)
    # Slots of Model, OperatorCode and Buffer.
    count = 0
    for count, operator in enumerate(model.tables(1), start=1):
        if count > _MOST_CODES:
            raise ValueError(f"more than {_MOST_CODES} operators")
        # Numbers above 127 stand in a field of their own; old files have the other one alone.
        code = max(operator.integer(0, 1), operator.integer(3, 4))
        if code not in TFLITE:
            yield "it has a custom operator" if code == _CUSTOM else f"operator {tflite_name(code)} is not allowed"
    if not count:
        raise ValueError("it names no operators")
    if any(model.place(slot) is not None for slot in (8, 9)):
        yield "its weights lie in other files"
    if any(buffer.integer(1, 8) > 1 for buffer in model.tables(4)):
        yield "its weights lie outside of the model"


FORMAT = Format("tflite", _COMMENT, _MEMBERS[0].encode(), _write_trailer, _split_trailer, _objections, _is_cut_short)
