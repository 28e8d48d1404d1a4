"""Append a contract and golden vectors to a model file, and read them back.

A sealed file is the plain model, its payload, followed by the trailer of its format. The last 64 bytes are the SHA-256,
in lower-case hexadecimal, of every byte before them. Only the standard library is needed, and no engine sees a byte
before all checks have passed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, ModelError
from ..text_output import short
from .contract import Contract
from .formats.base import DIGEST_SIZE, Format, Trailer
from .formats.registry import FORMATS, for_suffix, suffixes
from .signature import verify

if TYPE_CHECKING:
    from .golden import Golden

__all__ = ["MAX_BYTES", "SealedModel", "read", "read_bytes", "seal", "unseal"]

_COPY_AGAIN = "compare its size and its SHA-256 (sha256sum FILE) with those of the original, and copy it again"

MAX_BYTES = 256 * 1024 * 1024  # of a model file


@dataclass(frozen=True)
class SealedModel:
    """A model file whose digest, layout and contract have been checked."""

    payload: bytes
    contract: Contract
    golden_bytes: bytes
    path: str | Path | None = field(default=None, compare=False)  # that it was read from, if it was

    @property
    def golden(self) -> Golden:
        """The golden vectors, parsed at each call: only the self-test needs them.

        Raises:
            ModelError: they cannot be read, or are of other classes than the contract.
        """
        try:
            return self._read_golden()
        except ModelError as error:
            raise (ModelError(f"{self.path}: {error}") if self.path else error) from None

    def _read_golden(self) -> Golden:
        from .golden import Golden  # like the other imports inside functions: to import the package stays quick

        golden, labels = Golden.from_bytes(self.golden_bytes), self.contract.labels
        if golden.probabilities.shape[1] != len(labels):
            raise ModelError(f"its golden vectors are of {golden.probabilities.shape[1]} classes, not {len(labels)}")
        if unknown := {*golden.labels.tolist(), *golden.predicted.tolist()} - {*labels}:
            raise ModelError(f"its golden vectors have the class {short(min(unknown))}, which the contract does not")
        return golden


def seal(payload: bytes, contract: Contract, golden: Golden) -> bytes:
    """Return `payload` with its trailer; equal arguments give equal bytes.

    Raises:
        ValueError: the contract describes another payload, or a label cannot stand on a line of its own.
    """
    if (len(payload), _sha256(payload)) != (contract.payload.size, contract.payload.sha256):
        raise ValueError("the contract describes another payload")
    if any(label.splitlines() != [label] or not label.strip() for label in contract.labels):
        raise ValueError(f"labels are {contract.labels!r}, expected a line of text each")
    labels = "\n".join(contract.labels) + "\n"
    trailer = Trailer(contract.to_json().encode(), golden.to_bytes(), labels.encode())
    body = payload + FORMATS[contract.format].write_trailer(len(payload), trailer)
    return body + _sha256(body).encode()


def read(path: str | Path, signers: Path | None = None) -> SealedModel:
    """Read and check the model file at `path`; with a list of `signers`, first that one of them signed it.

    Raises:
        InputError: the file cannot be read, or its signature cannot be verified here.
        ModelError: it is unsigned or of an unknown signer, too large, damaged, unsealed, of an unknown version or of
            operators that are not allowed, or its name is not that of its format.
    """
    data, named = read_bytes(path)
    if signers:
        verify(data, path, signers)
    try:
        sealed = unseal(data)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    if sealed.contract.format != named.name:
        raise ModelError(f"{path}: a .{sealed.contract.format} file under another name; give it its own")
    return replace(sealed, path=path)


def read_bytes(path: str | Path) -> tuple[bytes, Format]:
    """Return the bytes of the model file at `path`, unchecked, and the format that its name stands for.

    A link to a regular file is followed. The file is opened once, so that exchanging it, or the link, between check and
    use changes nothing.

    Raises:
        InputError: it is missing, a folder, or cannot be read.
        ModelError: another suffix, no regular file, or too large.
    """
    named = for_suffix(Path(path).suffix)
    try:
        # Without waiting: a pipe that nobody writes to would block the process for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ModelError(f"{path}: leads to no regular file; name the model file itself")
            if named is None:
                raise ModelError(
                    f"{path}: models end in {suffixes()}; make one of a Keras model with: "
                    "mnist-edge export --model FILE.keras"
                )
            # No more is asked for than is there: the memory for it is taken before it is read.
            data = b"" if found.st_size > MAX_BYTES else file.read(found.st_size + 1)
    except (OSError, ValueError) as error:  # ValueError: no name that a file can have
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: {why}; name a {suffixes()} file that mnist-edge exported") from None
    if found.st_size > MAX_BYTES or len(data) > MAX_BYTES:
        raise ModelError(f"{path}: larger than {MAX_BYTES >> 20} MiB; such a file was not made by mnist-edge")
    return data, named


def unseal(data: bytes) -> SealedModel:
    """Take a sealed file apart after checking its digest, its layout, its payload's hash and its operators.

    Raises:
        ModelError: any of the checks failed.
    """
    body, digest = data[:-DIGEST_SIZE], data[-DIGEST_SIZE:]
    found = next((row for row in FORMATS.values() if body.endswith(row.ending)), None)
    if found is None:
        raise ModelError(_without_end(data))
    if _sha256(body).encode() != digest:
        raise ModelError("the file was altered: its SHA-256 is not the one it carries; copy or export it again")
    try:
        size, trailer = found.split_trailer(body)
        labels = trailer.labels.decode().splitlines()
    except ModelError:
        raise
    except Exception as error:  # a trailer with a valid digest that is malformed all the same
        raise ModelError(f"the trailer cannot be read ({error}); export the model again") from None
    contract = Contract.from_json(trailer.contract)
    payload = data[:size]
    if contract.payload.size != size:
        raise ModelError(f"the trailer begins at byte {size}, the contract says {contract.payload.size}; export again")
    if contract.payload.sha256 != _sha256(payload):
        raise ModelError("the payload is not the one the contract describes; export the model again")
    if contract.format != found.name:
        raise ModelError(f"the contract calls the file {contract.format}, its trailer is that of {found.name} files")
    if labels != list(contract.labels):
        raise ModelError("the list of labels beside the contract differs from the contract's; export again")
    found.check_operators(payload)
    return SealedModel(payload, contract, trailer.golden)


def _without_end(data: bytes) -> str:
    """Return what can be known of a file that does not end as a sealed one does."""
    if not data:
        return "the file is empty; copy or export it again"
    # Behind the ending stands the digest, and no file is written with two endings.
    behind = [len(data) - place - len(row.ending) for row in FORMATS.values() if (place := data.rfind(row.ending)) > 0]
    if behind and min(behind) > DIGEST_SIZE:
        return f"the file was altered or has bytes beyond its end; {_COPY_AGAIN}"
    if behind:
        return f"the file is cut short: bytes are missing, its last {DIGEST_SIZE - min(behind)}; {_COPY_AGAIN}"
    if any(row.mark in data for row in FORMATS.values()):
        return f"the file seems cut short: the record that ends it is missing or was altered; {_COPY_AGAIN}"
    if any(row.is_cut_short(data) for row in FORMATS.values()):
        return f"the file seems cut short: its model goes on behind the last byte, {len(data):,}; {_COPY_AGAIN}"
    return (
        "the file carries no contract, so nothing says how its pixels and answers are meant; "
        "make one with: mnist-edge export --model FILE.keras"
    )


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
