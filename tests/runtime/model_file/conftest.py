"""Sealed files, damaged and forged: with valid digests, as an attacker would make them."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mnist_edge_runtime.engines import loader
from mnist_edge_runtime.model_file import protobuf
from mnist_edge_runtime.model_file.sealed_model import SealedModel

ZIP_NAMES = ("contract.json", "golden.npz", "labels.txt")
PROPERTIES = ("mnist-edge.contract", "mnist-edge.golden", "labels")
METADATA_PROPS = 14
DIGEST = 64


@pytest.fixture
def data(int8_file: Path) -> bytes:
    return int8_file.read_bytes()


@pytest.fixture
def changed(int8_file: Path, tmp_path: Path) -> Path:
    """Return where to put a changed copy of the file; its name is as good as the file's own."""
    return tmp_path / f"changed{int8_file.suffix}"


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test as soon as an engine is asked for."""

    def load(*arguments: object, **options: object) -> None:
        pytest.fail("an engine was given bytes that had not passed all checks")

    monkeypatch.setattr(loader, "load", load)


@pytest.fixture
def sign() -> Callable[[bytes], bytes]:
    """Return the function that puts a valid digest behind a body."""

    def sign(body: bytes) -> bytes:
        """Return `body` with a valid digest behind it, as an attacker would."""
        return body + hashlib.sha256(body).hexdigest().encode()

    return sign


@pytest.fixture
def members() -> Callable[[SealedModel], dict[str, bytes]]:
    """Return the function that gives the members of a sealed file's trailer."""

    def members(sealed: SealedModel) -> dict[str, bytes]:
        labels = "".join(f"{label}\n" for label in sealed.contract.labels)
        return {
            "contract": sealed.contract.to_json().encode(),
            "golden": sealed.golden_bytes,
            "labels": labels.encode(),
        }

    return members


@pytest.fixture
def forge(sign: Callable[[bytes], bytes]) -> Callable[[str, bytes, Mapping[str, bytes]], bytes]:
    """Return the function that seals by other code than the product's."""

    def forge(format: str, payload: bytes, members: Mapping[str, bytes]) -> bytes:
        """Return a file sealed by other code than the product's, with whatever members, and a valid digest.

        Members called contract, golden and labels get the names they have in real files; others keep theirs.
        """
        if format == "tflite":
            names = dict(zip(("contract", "golden", "labels"), ZIP_NAMES, strict=True))
            buffer = io.BytesIO(payload)
            with zipfile.ZipFile(buffer, "a") as archive:
                for name, content in members.items():
                    archive.writestr(names.get(name, name), content, zipfile.ZIP_DEFLATED)
                archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)
            return sign(buffer.getvalue()[:-DIGEST])
        names = dict(zip(("contract", "golden", "labels"), PROPERTIES, strict=True))
        entries = {**members, "mnist-edge.sha256": bytes(DIGEST)}
        if "golden" in members:
            entries["golden"] = base64.b64encode(members["golden"])
        trailer = b"".join(
            protobuf.metadata_entry(METADATA_PROPS, names.get(name, name).encode(), value)
            for name, value in entries.items()
        )
        return sign(payload + trailer[:-DIGEST])

    return forge
