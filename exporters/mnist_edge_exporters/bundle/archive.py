"""Write a bundle as one .tar.gz, with the same bytes for the same members, and verify one."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import BinaryIO

from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file import signature

from .manifest import BundleManifest

__all__ = ["FOLDER", "MANIFEST", "SBOM", "SIGNATURE", "SUMS", "check_bundle", "scripts", "sha256_sums", "write"]

FOLDER = "mnist-edge"
SUMS = "SHA256SUMS"
SIGNATURE = f"{SUMS}.sig"  # of SUMS, in a bundle that is signed
MANIFEST = "bundle.json"
SBOM = "sbom.cdx.json"
_INSTALLER = files("mnist_edge_exporters.installer")
_SCRIPTS = {
    file.name if file.name.endswith((".sh", ".service")) else f"installer/{file.name}": file
    for file in _INSTALLER.iterdir()
    if file.name.endswith((".py", ".sh", ".service"))
}
_LOOSE = {MANIFEST, SBOM, *_SCRIPTS}
_NAME = re.compile(r"(wheels|debian|model)/[A-Za-z0-9_][A-Za-z0-9_.+~!-]*")
_MOST_BYTES = 512 << 20  # bytes of all members together; the largest bundle has 52 MB
_MOST_MEMBERS = 1000
_MOST_TEXT = 4 << 20  # bytes of SHA256SUMS, and of bundle.json
_CHUNK = 1 << 20  # bytes
_LEVEL = 6  # of gzip
# As GzipFile writes it without name and time; no checksum covers it.
_GZIP_HEADER = bytes.fromhex("1f8b08000000000000ff")
_SUM = re.compile(r"([0-9a-f]{64})  (\S.*)")


def scripts() -> dict[str, bytes]:
    """Return install.sh, the systemd unit and the installer's modules, by their names in a bundle."""
    return {name: file.read_bytes() for name, file in sorted(_SCRIPTS.items())}


def sha256_sums(members: Mapping[str, bytes]) -> bytes:
    """Return SHA256SUMS as `sha256sum` writes it, for members by their names below the folder."""
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(members.items())).encode()


def write(members: Mapping[str, bytes], path: Path, sign: Callable[[bytes], bytes] | None = None) -> None:
    """Write the members, their SHA256SUMS and the signature of it that `sign` returns.

    Equal members give equal bytes: no user, no time, no name of a file.

    Raises:
        InputError: the file cannot be written.
    """
    sums = sha256_sums(members)
    head = [(SUMS, sums), *([(SIGNATURE, sign(sums))] if sign else [])]
    try:
        with (
            atomic_path(path) as temporary,
            temporary.open("wb") as file,
            gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
        ):
            for name, data in [*head, *sorted(members.items())]:
                archive.addfile(_header(name, len(data)), io.BytesIO(data))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name a file in a folder that you can write to") from None


def check_bundle(path: Path) -> BundleManifest:
    """Verify a bundle from end to end without unpacking it, and return its manifest.

    Every member must be a plain file under a name that bundles have, with the SHA-256 that SHA256SUMS gives for it,
    and every line of SHA256SUMS a member; unpacked, not a byte may differ from what `write` writes for them. That
    detects damage, and archives that would write elsewhere; it does not prove who made the bundle, whose code the
    device runs.

    Raises:
        InputError: the file cannot be read.
        ModelError: it is damaged, or not a bundle.
    """
    try:
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InputError(f"{path}: leads to no regular file; name the bundle itself")
            sums, texts = _members(_Unpacked(file))
        return _compare(sums, texts)
    except ModelError as error:
        raise ModelError(f"{path}: {error}; copy it again, or make it again with: mnist-edge bundle") from None
    except (tarfile.TarError, zlib.error, EOFError, ValueError) as error:
        raise ModelError(f"{path}: damaged, or not a bundle ({error}); make one with: mnist-edge bundle") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; name a file that mnist-edge bundle made") from None


class _Unpacked:
    """Unpack a gzip file piece by piece, and never more than a bundle may have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MOST_BYTES
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        header = file.read(len(_GZIP_HEADER))
        if header != _GZIP_HEADER:
            raise ValueError("it does not begin as bundles do")
        self._inflate.decompress(header)

    def read(self, size: int) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        found = bytearray()
        while len(found) < size and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._file.read(_CHUNK)
            part = self._inflate.decompress(packed, size - len(found))
            if not packed and not part and not self._inflate.eof:
                raise EOFError("it was cut short")
            found += part
        self._left -= len(found)
        if self._left < 0:
            raise ValueError(f"it has more than {_MOST_BYTES >> 20} MiB")
        return bytes(found)

    def at_end(self) -> bool:
        """Return whether not a byte follows."""
        return self._inflate.eof and not self._inflate.unused_data and not self._file.read(1)


def _members(unpacked: _Unpacked) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the SHA-256 of each member, and the contents of SHA256SUMS and bundle.json."""
    sums: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    total = 0
    while any(block := unpacked.read(tarfile.BLOCKSIZE)):
        info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        name = info.name.removeprefix(f"{FOLDER}/")
        if block != _header(name, info.size).tobuf(tarfile.USTAR_FORMAT) or not (
            name in {SUMS, SIGNATURE, *_LOOSE} or _NAME.fullmatch(name)
        ):
            raise ModelError(f"{info.name!a} is not a plain file of a name that bundles have")
        if name in sums:
            raise ModelError(f"{name} is there twice")
        if len(sums) >= _MOST_MEMBERS or info.size > (_MOST_TEXT if name in (SUMS, MANIFEST) else _MOST_BYTES):
            raise ModelError(f"{name} is one member too many, or too large")
        digest, left = hashlib.sha256(), info.size
        while left:
            part = unpacked.read(min(left, _CHUNK))
            if not part:
                raise EOFError("it was cut short")
            digest.update(part)
            left -= len(part)
            if name in (SUMS, MANIFEST):
                texts[name] = texts.get(name, b"") + part
        if any(unpacked.read(-info.size % tarfile.BLOCKSIZE)):
            raise ModelError(f"there are bytes behind {name}")
        sums[name] = digest.hexdigest()
        total += tarfile.BLOCKSIZE + info.size + -info.size % tarfile.BLOCKSIZE
    # Two empty blocks end an archive, of which one is read; then it is filled up to a whole record.
    padding = tarfile.BLOCKSIZE + -(total + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE
    rest = unpacked.read(padding + 1)
    if len(rest) != padding or any(rest) or not unpacked.at_end():
        raise ModelError("there are bytes beyond its end")
    return sums, texts


def _compare(sums: dict[str, str], texts: dict[str, bytes]) -> BundleManifest:
    """Compare the members with SHA256SUMS and with the manifest, which is returned."""
    lines = texts.get(SUMS, b"").decode("ascii").splitlines()
    promised = {match[2]: match[1] for match in map(_SUM.fullmatch, lines) if match}
    if len(promised) != len(lines) or not promised:
        raise ModelError(f"{SUMS} is missing or not a list of SHA-256")
    del sums[SUMS]
    sums.pop(SIGNATURE, None)  # what it is worth is known where there is a list of signers
    if wrong := sorted(sums.keys() ^ promised.keys()) or sorted(_LOOSE - sums.keys()):
        raise ModelError(f"{wrong[0]} is missing, or one member too many")
    if wrong := sorted(name for name in sums if sums[name] != promised[name]):
        raise ModelError(f"{wrong[0]} was altered: its SHA-256 is not the one in {SUMS}")
    manifest = BundleManifest.from_json(texts[MANIFEST])
    loose = {*_LOOSE, f"model/{manifest.model}{signature.SUFFIX}"}
    if {name: digest for name, digest in sums.items() if name not in loose} != manifest.files():
        raise ModelError(f"the files that {MANIFEST} names are not those that are there")
    return manifest


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(f"{FOLDER}/{name}")
    header.size, header.mode = size, 0o644
    return header
