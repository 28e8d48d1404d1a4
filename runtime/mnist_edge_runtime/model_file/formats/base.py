"""Describe a format of model file: its name, its trailer and the check of its operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ...errors import ModelError

__all__ = ["DIGEST_SIZE", "MAX_TRAILER_BYTES", "Format", "Trailer"]

DIGEST_SIZE = 64  # hexadecimal digits of the SHA-256 that ends a sealed file
MAX_TRAILER_BYTES = 16 * 1024 * 1024  # unpacked


class Trailer(NamedTuple):
    """The contents of a trailer, as bytes: JSON, an .npz archive, one label a line."""

    contract: bytes
    golden: bytes
    labels: bytes


class Format(NamedTuple):
    """One row of the table of formats; a named tuple, since every start waits for a frozen dataclass to be made.

    A sealed file is payload, trailer and digest. Its `body` is all but the digest, and ends in `ending`.

    Attributes:
        name: the format's name in contracts; with a dot before it, the suffix of its files.
        ending: the last bytes of each trailer.
        mark: bytes of each trailer by which a damaged one can still be recognised.
        write_trailer: returns the bytes of a trailer behind a payload of that size.
        split_trailer: returns the payload's size and the trailer of a body. It raises ModelError for contents that are
            not the expected ones; whatever else it raises means that the trailer is malformed.
        objections: yields why a payload is refused: operators that are not allowed, weights in other files. It raises
            ValueError for bytes that are no model of this format.
        is_cut_short: returns whether bytes begin as a model of this format and end before it does.
    """

    name: str
    ending: bytes
    mark: bytes
    write_trailer: Callable[[int, Trailer], bytes]
    split_trailer: Callable[[bytes], tuple[int, Trailer]]
    objections: Callable[[bytes], Iterable[str]]
    is_cut_short: Callable[[bytes], bool] = lambda data: False

    @property
    def suffix(self) -> str:
        """The suffix of its files, such as ".onnx"."""
        return f".{self.name}"

    def check_operators(self, payload: bytes) -> None:
        """Refuse a model whose operators are not all allowed, or whose weights lie outside of it.

        Raises:
            ModelError: such a model, or bytes that are no model of this format.
        """
        try:
            objections = sorted(set(self.objections(payload)))
        except ValueError as error:
            raise ModelError(f"it is no {self.name} model ({error}); export it again") from None
        if objections:
            raise ModelError(f"the model is refused before an engine is made: {'; '.join(objections)}")
