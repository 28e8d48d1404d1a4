"""Take the pictures out of a request: a raw picture, a form with files, or JSON."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from .. import strict_json
from ..errors import InputError
from ..preprocessing.image_io import load_picture, pixels_of, shrunk_by
from ..preprocessing.mnist import PREPROCESSING
from ..preprocessing.pixel_rows import from_numbers
from .refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request

    from .limits import Limits

__all__ = ["Picture", "Pictures", "check_preprocess", "pictures_of"]

_OCTETS = "application/octet-stream"
_FORM = "multipart/form-data"
_JSON = "application/json"
_ENTRY = '{"pixels": [[0, 255]]} or {"base64": "..."}'
_DOCUMENT = '{"pictures": [{"pixels": [[0, 255]]}, {"base64": "..."}], "preprocess": "auto"}'
_MEDIA_TYPES = f"a picture as image/png, image/jpeg and the like or as {_OCTETS}, files as {_FORM}, or {_JSON}"


class Picture(NamedTuple):
    """A picture of a request: the name that its sender gave it, its loader, its scale, and its number of pixels."""

    name: str | None
    load: Callable[[bool], NDArray[np.uint8]]
    shrunk_by: Callable[[NDArray[np.uint8]], int] = lambda pixels: 1  # of a large JPEG more
    size: Callable[[], int] = lambda: 0  # as far as it is known before it is decoded


class Pictures(NamedTuple):
    """The pictures of a request, their preprocessing if the request names one, and whether it has one by its form."""

    pictures: list[Picture]
    preprocess: str | None
    is_single: bool


async def pictures_of(request: Request, body: bytes, limits: Limits) -> Callable[[], Pictures]:
    """Return the function that takes the pictures out of a request, which may take its time.

    Raises:
        RefusalError: the media type is none that is read, or a form is malformed or has too many parts. The function
            raises it for JSON.
    """
    media_type = request.headers.get("content-type", _OCTETS).partition(";")[0].strip().lower()
    if media_type == _JSON:
        return partial(_of_json, body, limits.pictures)
    if media_type == _FORM:
        found = Pictures(await _of_form(request, limits.pictures), None, False)
        return lambda: found
    if media_type.startswith("image/") or media_type == _OCTETS:
        return lambda: Pictures([_of_bytes(body)], None, True)
    raise RefusalError(415, f"the content is {media_type[:100]!a}; send {_MEDIA_TYPES}")


def _of_bytes(data: bytes, name: str | None = None) -> Picture:
    def load(whole: bool) -> NDArray[np.uint8]:
        return load_picture(io.BytesIO(data), whole=whole)

    return Picture(name, load, partial(shrunk_by, io.BytesIO(data)), partial(pixels_of, io.BytesIO(data)))


async def _of_form(request: Request, most: int) -> list[Picture]:
    try:
        async with request.form(max_files=most, max_fields=0) as form:
            files = [file for _, file in form.multi_items() if isinstance(file, UploadFile)]
            read = [_of_bytes(await file.read(), file.filename or None) for file in files]
    except (HTTPException, MultiPartException) as error:
        told = error.detail if isinstance(error, HTTPException) else error.message
        if told.startswith("Too many"):
            raise RefusalError(400, f"the form has fields besides files, or more than {most} files") from None
        raise RefusalError(400, f"the form is malformed ({told.rstrip('.')}); send each picture as a file") from None
    if not read:
        raise RefusalError(400, "the form has no files; send each picture as a file")
    return read


def _of_json(body: bytes, most: int) -> Pictures:
    try:
        document = strict_json.parse(body)
    except ValueError as error:
        raise RefusalError(400, f"no JSON ({error}); expected {_DOCUMENT}") from None
    if not isinstance(document, dict) or not {"pictures"} <= document.keys() <= {"pictures", "preprocess"}:
        raise RefusalError(400, f"expected a document such as {_DOCUMENT}")
    entries, preprocess = document["pictures"], document.get("preprocess")
    if not isinstance(entries, list) or not 1 <= len(entries) <= most:
        raise RefusalError(400, f"pictures is no list of 1 to {most} entries; expected {_DOCUMENT}")
    if "preprocess" in document:
        check_preprocess(preprocess)
    return Pictures([_of_entry(entry) for entry in entries], preprocess, False)


def check_preprocess(preprocess: Any) -> None:
    """Raise RefusalError if it is none of the preprocessings."""
    if preprocess not in PREPROCESSING:
        raise RefusalError(400, f"there is no such preprocessing; choose one of {', '.join(PREPROCESSING)}")


def _of_entry(entry: Any) -> Picture:
    if not isinstance(entry, dict) or len(entry) != 1 or not entry.keys() <= {"pixels", "base64"}:
        raise RefusalError(400, f"a picture is neither {_ENTRY}")
    if "pixels" in entry:
        return Picture(None, lambda whole: from_numbers(entry["pixels"]))
    try:
        return _of_bytes(base64.b64decode(entry["base64"], validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        told = f"its base64 cannot be decoded ({error}); send the bytes of a picture file"
        return Picture(None, partial(_refuse, told))


def _refuse(message: str, whole: bool) -> NDArray[np.uint8]:
    raise InputError(message)
