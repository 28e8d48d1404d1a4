"""ONNX: the trailer is protobuf fields of a ModelProto that has only metadata_props; readers merge it with the payload.

The entries are the contract, the golden vectors in base64, the labels and, as the last, the digest.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import ModelError
from ...text_output import short
from .. import protobuf
from ..operator_allowlist import ONNX
from .base import DIGEST_SIZE, Format, Trailer

__all__ = ["FORMAT"]

_KEYS = ("mnist-edge.contract", "mnist-edge.golden", "labels")
_METADATA_PROPS = 14  # the field number in onnx.ModelProto
_ENDING = protobuf.metadata_entry(_METADATA_PROPS, b"mnist-edge.sha256", b"0" * DIGEST_SIZE)[:-DIGEST_SIZE]
_BEGINNING = b"\x08"  # the field of the version of ONNX's format, which comes first
_NEEDED = {7, 8}  # the fields of the graph and of its operators' version
_DEEPEST = 16  # graphs inside graphs, such as the bodies of loops


def _write_trailer(size: int, trailer: Trailer) -> bytes:
    import base64

    values = (trailer.contract, base64.b64encode(trailer.golden), trailer.labels)
    entries = (
        protobuf.metadata_entry(_METADATA_PROPS, key.encode(), value) for key, value in zip(_KEYS, values, strict=True)
    )
    return b"".join(entries) + _ENDING


def _split_trailer(body: bytes) -> tuple[int, Trailer]:
    import base64

    fields = protobuf.fields(body[: -len(_ENDING)])
    ours = fields[-len(_KEYS) :]
    if len(ours) < len(_KEYS) or any(field.number != _METADATA_PROPS for field in ours):
        raise ModelError("the trailer does not hold the metadata it should; export the model again")
    pairs = [tuple(part.value for part in protobuf.fields(field.value)) for field in ours]
    if [key.decode() for key, _ in pairs] != list(_KEYS):
        raise ModelError(f"the trailer holds {short([key for key, _ in pairs])}, expected {list(_KEYS)}; export again")
    start = ours[0].start
    if b"".join(protobuf.metadata_entry(_METADATA_PROPS, *pair) for pair in pairs) + _ENDING != body[start:]:
        raise ModelError("the trailer's entries hold more than a key and a value each; export the model again")
    contract, golden, labels = (value for _, value in pairs)
    return start, Trailer(contract, base64.b64decode(golden, validate=True), labels)


def _is_cut_short(data: bytes) -> bool:
    if not data.startswith(_BEGINNING):
        return False
    try:
        return not {field.number for field in protobuf.fields(data)} >= _NEEDED
    except protobuf.EndError:
        return True
    except ValueError:
        return False


def _objections(payload: bytes) -> Iterator[str]:
    """Look at every part: readers merge parts that appear twice."""
    fields = protobuf.fields(payload)
    graphs = [field.value for field in fields if field.number == 7]
    if not graphs:
        raise ValueError("it has no graph")
    if any(field.number in (20, 25) for field in fields):
        yield "it has training steps or functions of its own"
    for graph in graphs:
        yield from _graph(graph, _DEEPEST)


def _graph(graph: bytes, depth: int) -> Iterator[str]:
    if not depth:
        raise ValueError(f"graphs more than {_DEEPEST} deep inside each other")
    for field in protobuf.fields(graph):
        if field.number == 1:
            yield from _node(field.value, depth)
        elif field.number == 5:
            yield from _tensor(field.value)
        elif field.number == 15:
            yield from _sparse(field.value)


def _node(node: bytes, depth: int) -> Iterator[str]:
    for field in protobuf.fields(node):
        if field.number == 7 and field.value not in (b"", b"ai.onnx"):
            yield f"operators of the domain {_text(field.value)} are not allowed"
        elif field.number == 4 and field.value.decode(errors="replace") not in ONNX:
            yield f"operator {_text(field.value)} is not allowed"
        elif field.number == 5:
            yield from _attribute(field.value, depth)


def _attribute(attribute: bytes, depth: int) -> Iterator[str]:
    for field in protobuf.fields(attribute):
        if field.number in (6, 11):
            yield from _graph(field.value, depth - 1)
        elif field.number in (5, 10):
            yield from _tensor(field.value)
        elif field.number in (22, 23):
            yield from _sparse(field.value)


def _sparse(tensor: bytes) -> Iterator[str]:
    for field in protobuf.fields(tensor):
        if field.number in (1, 2):
            yield from _tensor(field.value)


def _tensor(tensor: bytes) -> Iterator[str]:
    if any(field.number == 13 or (field.number == 14 and field.integer) for field in protobuf.fields(tensor)):
        yield "its weights lie in other files"


def _text(value: bytes) -> str:
    """Return a name out of an unchecked file so that it can be printed."""
    return ascii(value[:60].decode(errors="replace"))


FORMAT = Format("onnx", _ENDING, b"mnist-edge.", _write_trailer, _split_trailer, _objections, _is_cut_short)
