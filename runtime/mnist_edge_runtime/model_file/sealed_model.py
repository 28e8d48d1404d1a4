"""How a contract and golden vectors ride behind the plain model bytes, and how they are taken apart again.

    TFLite  payload + zip archive (contract.json, golden.npz, labels.txt); the digest is the archive's comment
    ONNX    payload + protobuf fields of a ModelProto that holds only metadata_props; the digest is the last entry

In both, the file's last 64 bytes are the SHA-256, in lower-case hexadecimal, of every byte before them. Only
the standard library is needed, and no engine sees a byte before all checks have passed.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ModelError
from . import operator_allowlist, protobuf, reader
from .contract import Contract

if TYPE_CHECKING:
    import zipfile

    from .golden import Golden

__all__ = ["SealedModel", "read", "seal", "unseal"]

MAX_TRAILER_BYTES = 16 * 1024 * 1024
MEMBERS = ("contract.json", "golden.npz", "labels.txt")
KEYS = ("mnist-edge.contract", "mnist-edge.golden", "labels")

_HEX = 64
_LOCAL_HEADER = 30  # bytes of a zip archive before each member's name
_ZIP_COMMENT = b"mnist-edge sha256:"
_ONNX_KEY = b"mnist-edge.sha256"
_METADATA_PROPS = 14  # the field number in onnx.ModelProto
_ONNX_TAIL = protobuf.metadata_entry(_METADATA_PROPS, _ONNX_KEY, b"0" * _HEX)[:-_HEX]


@dataclass(frozen=True)
class SealedModel:
    """A model file whose digest, layout and contract have been checked."""

    payload: bytes
    contract: Contract
    golden_bytes: bytes

    @property
    def golden(self) -> Golden:
        """The golden vectors, parsed anew at each call: only the self-test needs them."""
        from .golden import Golden  # like the other imports inside functions: to import the package stays quick

        return Golden.from_bytes(self.golden_bytes)


def seal(payload: bytes, contract: Contract, golden: Golden) -> bytes:
    """Return `payload` with its trailer; equal arguments give equal bytes.

    Raises:
        ValueError: the contract describes another payload, or a label cannot stand on a line of its own.
    """
    if (len(payload), _sha256(payload)) != (contract.payload.size, contract.payload.sha256):
        raise ValueError("the contract describes another payload")
    if any(label.splitlines() not in ([], [label]) for label in contract.labels):
        raise ValueError(f"labels are {contract.labels!r}, expected a line of text each")
    members = (contract.to_json().encode(), golden.to_bytes(), ("\n".join(contract.labels) + "\n").encode())
    body = payload + (_zip(members, len(payload)) if contract.format == "tflite" else _properties(members))
    return body + _sha256(body).encode()


def read(path: str | Path) -> SealedModel:
    """Read and check the model file at `path`.

    Raises:
        InputError: the file cannot be read.
        ModelError: it is too large, damaged, unsealed, of an unknown version or of operators that are not allowed, or
            its name is not that of its format.
    """
    data, meant = reader.read(path)
    try:
        sealed = unseal(data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if sealed.contract.format != meant:
        raise ModelError(f"{path}: a .{sealed.contract.format} file under another name; give it its own")
    return sealed


def unseal(data: bytes) -> SealedModel:
    """Take a sealed file apart after checking its digest, its layout, its payload's hash and its operators.

    Raises:
        ModelError: any of the checks failed.
    """
    body, digest = data[:-_HEX], data[-_HEX:]
    is_zip = body.endswith(_ZIP_COMMENT)
    if not is_zip and not body.endswith(_ONNX_TAIL):
        if any(mark in data for mark in (MEMBERS[0].encode(), b"mnist-edge.")):
            raise ModelError("the file was altered, cut short or has bytes beyond its end; copy or export it again")
        raise ModelError(
            "the file carries no contract, so nothing says how its pixels and answers are meant; "
            "make one with: mnist-edge export --model FILE.keras"
        )
    if _sha256(body).encode() != digest:
        raise ModelError("the file was altered: its SHA-256 is not the one it carries; copy or export it again")
    try:
        start, members = (_unzip if is_zip else _unproperties)(body)
        labels = members[2].decode().splitlines()
    except ModelError:
        raise
    except Exception as error:  # a trailer with a valid digest that is malformed all the same
        raise ModelError(f"the trailer cannot be read ({error}); export the model again") from None
    contract = Contract.from_json(members[0])
    payload = data[:start]
    if contract.payload.size != start:
        raise ModelError(f"the trailer begins at byte {start}, the contract says {contract.payload.size}; export again")
    if contract.payload.sha256 != _sha256(payload):
        raise ModelError("the payload is not the one the contract describes; export the model again")
    if contract.format != ("tflite" if is_zip else "onnx"):
        raise ModelError(f"the contract calls the file {contract.format}, its trailer is of the other format")
    if labels != list(contract.labels):
        raise ModelError("the list of labels beside the contract differs from the contract's; export again")
    operator_allowlist.check(payload, contract.format)
    return SealedModel(payload, contract, members[1])


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _zip(members: tuple[bytes, ...], offset: int) -> bytes:
    """Return the archive as it stands behind `offset` bytes, without the digest that ends its comment."""
    import zipfile

    buffer = io.BytesIO()
    buffer.write(bytes(offset))  # makes the archive's own offsets count from the start of the file
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(MEMBERS, members, strict=True):
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same bytes on every system
            entry.compress_type = zipfile.ZIP_DEFLATED if name != "golden.npz" else zipfile.ZIP_STORED
            archive.writestr(entry, content)
        archive.comment = _ZIP_COMMENT + b"0" * _HEX
    return buffer.getvalue()[offset:-_HEX]


def _unzip(body: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Return where the archive begins and its members."""
    import zipfile

    with zipfile.ZipFile(io.BytesIO(body + b"0" * _HEX)) as archive:
        entries = archive.infolist()
        if tuple(entry.filename for entry in entries) != MEMBERS:
            raise ModelError(f"the trailer holds {archive.namelist()}, expected {list(MEMBERS)}; export again")
        if sum(entry.file_size for entry in entries) > MAX_TRAILER_BYTES:
            raise ModelError(f"the trailer would unpack to more than {MAX_TRAILER_BYTES >> 20} MiB; export again")
        place = start = entries[0].header_offset
        for entry in entries:
            # Links, ciphers, fields and bytes between the members, that another reader may see in another way.
            if entry.header_offset != place or not _is_plain(entry):
                raise ModelError(f"the trailer's {entry.filename} is no plain member of an archive; export again")
            place += _LOCAL_HEADER + len(entry.filename) + entry.compress_size
        if archive.start_dir != place:
            raise ModelError("the trailer's archive has bytes between its members; export again")
        return start, tuple(archive.read(entry) for entry in entries)


def _is_plain(entry: zipfile.ZipInfo) -> bool:
    is_file = stat.S_IFMT(entry.external_attr >> 16) in (0, stat.S_IFREG)
    is_known = entry.compress_type in (0, 8) and entry.flag_bits == 0  # stored or deflated
    return is_file and is_known and not entry.extra and not entry.comment


def _properties(members: tuple[bytes, ...]) -> bytes:
    """Return the metadata entries, the last one without its digest."""
    import base64

    contract, golden, labels = members
    values = (contract, base64.b64encode(golden), labels)
    entries = (
        protobuf.metadata_entry(_METADATA_PROPS, key.encode(), value) for key, value in zip(KEYS, values, strict=True)
    )
    return b"".join(entries) + _ONNX_TAIL


def _unproperties(body: bytes) -> tuple[int, tuple[bytes, ...]]:
    """Return where our metadata entries begin and what they hold."""
    import base64

    fields = protobuf.fields(body[: -len(_ONNX_TAIL)])
    ours = fields[-len(KEYS) :]
    if len(ours) < len(KEYS) or any(field.number != _METADATA_PROPS for field in ours):
        raise ModelError("the trailer does not hold the metadata it should; export the model again")
    pairs = [tuple(part.value for part in protobuf.fields(field.value)) for field in ours]
    if [key.decode() for key, _ in pairs] != list(KEYS):
        raise ModelError(f"the trailer holds {[key for key, _ in pairs]}, expected {list(KEYS)}; export again")
    start = ours[0].start
    if b"".join(protobuf.metadata_entry(_METADATA_PROPS, *pair) for pair in pairs) + _ONNX_TAIL != body[start:]:
        raise ModelError("the trailer's entries hold more than a key and a value each; export the model again")
    contract, golden, labels = (value for _, value in pairs)
    return start, (contract, base64.b64decode(golden, validate=True), labels)
