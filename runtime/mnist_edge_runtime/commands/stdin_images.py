"""Read pictures from stdin: one picture, a stream of JPEGs, or JSON lines."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import strict_json
from ..errors import InputError
from ..preprocessing import jpeg_stream
from ..preprocessing.file_kinds import HEAD, kind_of
from ..preprocessing.image_io import load_picture
from ..preprocessing.pixel_rows import from_numbers
from .picture_end import end_of

__all__ = ["Id", "StdinImage", "pictures"]

_MAX_BYTES = 64 * 1024 * 1024  # of one picture
_MAX_LINE = 8 * 1024 * 1024  # bytes of JSON, which take up to 25 times as much memory once they are parsed
_PADDING = b" \t\r\n\0"  # some cameras fill up their files with zeros
_SIGNATURES = (b"\x89PNG", b"BM", b"P5", b"P2")
_EXPECTED = (
    'expected one picture, a stream of JPEGs, or lines such as {"file": "a.png"} or {"pixels": [[0, 255], [255, 0]]}'
)
# What people send in place of lines of JSON.
_NOT_LINES = (
    (re.compile(rb"\xef\xbb\xbf"), "text with a byte order mark; save it as UTF-8 without one"),
    (re.compile(rb"\xff\xfe|\xfe\xff"), "text in UTF-16; save it as UTF-8 without a byte order mark"),
    (
        re.compile(rb"\[\s*[\[{\d\]]"),
        "a JSON array; send each picture as an object on its own line, without [ and ]",
    ),
)

_OBJECT = '{"file": "a.png"} or {"pixels": [[0, 255]]}, and perhaps an "id"'

Load = Callable[[], NDArray[np.uint8]]  # decodes a picture to grey (H, W), or raises InputError
Id = str | int | float | None


class StdinImage(NamedTuple):
    """A picture from stdin: its name in the output, its loader, and the id that its sender gave it."""

    name: str
    load: Load
    id: Id = None


def pictures(stream: io.BufferedIOBase) -> Iterator[StdinImage]:
    """Yield each picture on `stream`.

    Pictures are named -:1, -:2 and so on; JSON lines by the number of their line, unless they name a file. After bytes
    that are no picture nothing tells where the next begins: the last loader raises the error.
    """
    padding = b""
    while (start := stream.read(1)) and start in _PADDING:
        padding = (padding + start)[-3:]  # or the beginning of a format that begins with zeros
    if start == b"{":
        yield from _json_lines(start, stream)
        return
    head = start + stream.read(1)
    if head == jpeg_stream.START:
        yield from _jpegs(head, stream)
    else:
        data = head + stream.read(_MAX_BYTES)
        zeros = padding[len(padding.rstrip(b"\0")) :]
        if kind_of((zeros + data)[:HEAD]).name != "unknown":
            data = zeros + data
        yield StdinImage("-:1", partial(_load_one, data))


def _load_one(data: bytes) -> NDArray[np.uint8]:
    """Decode the only picture on stdin."""
    if not data:
        raise InputError(f"stdin is empty; {_EXPECTED}")
    kind = kind_of(data[:HEAD])
    if told := next((told for pattern, told in _NOT_LINES if pattern.match(data)), None):
        raise InputError(f"stdin holds {told}; {_EXPECTED}")
    if not kind.is_picture and not data.startswith(_SIGNATURES):
        raise InputError(f"stdin holds no picture but {kind.name}; {_EXPECTED}")
    if len(data) > _MAX_BYTES:
        raise InputError(f"the picture has more than {_MAX_BYTES >> 20} MiB")
    if _begins_as_picture(data[end_of(data, kind) :]):
        raise InputError(
            "another picture follows this one, and only JPEGs may follow each other; name the files instead, or send "
            'a line such as {"file": "a.png"} for each'
        )
    return load_picture(io.BytesIO(data))


def _begins_as_picture(rest: bytes) -> bool:
    """Return whether a picture begins here, or behind padding, to which the zeros at the start of a HEIC may belong."""
    start = rest.lstrip(_PADDING)
    before = len(rest) - len(start)
    if start.startswith((*_SIGNATURES, jpeg_stream.START)):
        return True
    return any(kind_of(rest[before - zeros :][:HEAD]).is_picture for zeros in range(min(before, 4) + 1))


def _jpegs(head: bytes, stream: io.BufferedIOBase) -> Iterator[StdinImage]:
    number = 0
    try:
        for number, data in enumerate(jpeg_stream.split(head, stream, max_bytes=_MAX_BYTES, padding=_PADDING), 1):
            yield StdinImage(f"-:{number}", partial(load_picture, io.BytesIO(data)))
    except InputError as error:
        yield StdinImage(f"-:{number + 1}", partial(_refuse, str(error)))


def _refuse(message: str) -> NDArray[np.uint8]:
    raise InputError(message)


def _json_lines(start: bytes, stream: io.BufferedIOBase) -> Iterator[StdinImage]:
    number = 0
    while line := start + stream.readline(_MAX_LINE):
        number, start = number + 1, b""
        name = f"-:{number}"
        if len(line) >= _MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = stream.readline(_MAX_LINE)
            told = f"a line of more than {_MAX_LINE >> 20} MiB; put larger pictures into files, and send their names"
            yield StdinImage(name, partial(_refuse, told))
        elif line.strip():
            yield _json_line(name, line)


def _json_line(name: str, line: bytes) -> StdinImage:
    try:
        entry = strict_json.parse(line.strip())
    except ValueError as error:
        return StdinImage(name, partial(_refuse, f"no JSON ({error}); expected {_OBJECT}"))
    if not isinstance(entry, dict):
        return StdinImage(name, partial(_refuse, f"expected an object with either file or pixels: {_OBJECT}"))
    try:
        own_id = _id_of(entry)
    except ValueError as error:
        return StdinImage(name, partial(_refuse, str(error)))
    try:
        strict_json.check_leaves(entry)
        if len({"file", "pixels"} & entry.keys()) != 1:
            raise ValueError(f"expected an object with either file or pixels: {_OBJECT}")
        if "pixels" in entry:
            return StdinImage(name, partial(from_numbers, entry["pixels"]), own_id)
        file = entry["file"]
        if not isinstance(file, str) or not file or "\0" in file:
            raise ValueError("file is no name of a file")
        if file == "-":
            raise ValueError('file is "-", which is stdin itself; name a file ("./-" is one of the name -)')
    except ValueError as error:
        return StdinImage(name, partial(_refuse, str(error)), own_id)
    return StdinImage(file, partial(load_picture, file), own_id)


def _id_of(entry: Mapping[str, Any]) -> Id:
    """Return the id that a line has, if any; every answer to the line carries it.

    Raises:
        ValueError: it is none.
    """
    own_id = entry.get("id")
    if isinstance(own_id, bool) or not isinstance(own_id, (str, int, float, type(None))):
        raise ValueError("the id is neither a string nor a number")
    strict_json.check_leaves({"id": own_id})
    return own_id
