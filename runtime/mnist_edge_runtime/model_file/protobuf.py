"""Read and write protobuf messages: as much of the wire format as a sealed ONNX file needs.

Source: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EndError", "Field", "fields", "metadata_entry"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class EndError(ValueError):
    """A field runs past the last byte."""


class Field(NamedTuple):
    """One field of a message: its number, where it starts, its bytes if length-delimited, its integer if a varint."""

    number: int
    start: int
    value: bytes
    integer: int = 0


def fields(message: bytes) -> list[Field]:
    """Return the top-level fields of `message`.

    Raises:
        ValueError: the bytes are no whole message.
    """
    found, position = [], 0
    while position < len(message):
        start = position
        tag, position = _read_varint(message, position)
        number, kind = tag >> 3, tag & 7
        value, integer = b"", 0
        if kind == _VARINT:
            integer, position = _read_varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        elif kind == _BYTES:
            length, position = _read_varint(message, position)
            value = message[position : position + length]
            position += length
        else:
            raise ValueError(f"wire type {kind} at byte {start}")
        if position > len(message):
            raise EndError(f"the field at byte {start} runs past the end")
        found.append(Field(number, start, value, integer))
    return found


def metadata_entry(number: int, key: bytes, value: bytes) -> bytes:
    """Return field `number` of a message, holding a StringStringEntryProto of `key` and `value`."""
    return _delimited(number, _delimited(1, key) + _delimited(2, value))


def _delimited(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
    raise (EndError if position == len(message) else ValueError)(f"no varint at byte {position}")
