"""Read and write `bundle.json`, the description of a bundle's contents."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from mnist_edge_runtime import ModelError

__all__ = ["FORMAT", "BundleManifest", "Package"]

FORMAT = "mnist-edge-bundle/1"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Package:
    """One package of a bundle.

    Attributes:
        name: its name in the index or in Debian.
        version: the exact version.
        file: its path in the bundle.
        sha256: of that file.
        source: "pypi", "debian", or "mnist-edge" for the runtime's own wheel.
        upstream_sha256: of the downloaded file; equal to `sha256` unless members were left out. None for our own.
        left_out: the members that were left out.
    """

    name: str
    version: str
    file: str
    sha256: str
    source: str
    upstream_sha256: str | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class BundleManifest:
    """The contents of a bundle, and the system it is for.

    Attributes:
        target: the system's name, such as "bookworm-arm64".
        python: its Python's major and minor version.
        multiarch: its architecture, such as "aarch64-linux-gnu".
        glibc: the oldest version of the C library that will do.
        engine: the engine that runs the model.
        runtime: the version of mnist-edge-runtime.
        model: the file name of the model.
        model_sha256: of that file.
        installed_bytes: size of the installation on disk.
        packages: all of them, by name.
        counter: a later bundle has a larger one; 0 where none is kept.
    """

    target: str
    python: str
    multiarch: str
    glibc: str
    engine: str
    runtime: str
    model: str
    model_sha256: str
    installed_bytes: int
    packages: tuple[Package, ...]
    counter: int = 0

    def to_json(self) -> str:
        """Return the document; equal manifests give equal text."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"

    def files(self) -> dict[str, str]:
        """Return the files that the manifest names, with the SHA-256 of each."""
        return {f"model/{self.model}": self.model_sha256, **{each.file: each.sha256 for each in self.packages}}

    @classmethod
    def from_json(cls, text: bytes) -> BundleManifest:
        """Parse and check a document.

        Raises:
            ModelError: it is not a manifest, or one of another version.
        """
        try:
            document = json.loads(text)
            found = document["format"]
            if found != FORMAT:
                raise ModelError(f"bundle.json is of the format {found!r}, this mnist-edge reads {FORMAT!r}")
            packages = tuple(
                _build(Package, {**package, "left_out": tuple(package["left_out"])}) for package in document["packages"]
            )
            manifest: BundleManifest = _build(cls, {"counter": 0, **document, "packages": packages})
            manifest._check()
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise ModelError(f"bundle.json cannot be read ({error}); make the bundle again") from None
        return manifest

    def _check(self) -> None:
        """Raise ValueError where a field has a type or a form that it cannot have."""
        texts = [self.target, self.python, self.multiarch, self.glibc, self.engine, self.runtime, self.model]
        texts += [text for each in self.packages for text in (each.name, each.version, each.file, each.source)]
        if not all(isinstance(text, str) and text.isprintable() for text in texts):
            raise ValueError("a field is not a line of text")
        if not all(isinstance(sha256, str) and _SHA256.fullmatch(sha256) for sha256 in self.files().values()):
            raise ValueError("a field is not a SHA-256")
        if type(self.installed_bytes) is not int or self.installed_bytes < 0:
            raise ValueError("installed_bytes is not a size")
        if type(self.counter) is not int or self.counter < 0:
            raise ValueError("counter is not a number from 0 on")


def _build(kind: Any, document: dict[str, Any]) -> Any:
    """Make the dataclass `kind` of those keys of `document` that it has."""
    return kind(**{each.name: document[each.name] for each in fields(kind)})
