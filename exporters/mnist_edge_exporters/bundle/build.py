"""Build a bundle: the model, the runtime and all its dependencies on one system, in one file."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mnist_edge_runtime import Contract, EngineError, InputError, UsageError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.signature import SUFFIX
from mnist_edge_runtime.output_capture import suppress_output

from ..signing import check_key, sign_file, signature_of
from . import archive, debian, own_wheel, systems, wheel_files, wheelhouse
from .manifest import BundleManifest, Package
from .sbom import sbom
from .systems import System

__all__ = ["EXTRAS", "Bundle", "build"]

EXTRAS = ("serve",)  # of the runtime, which a bundle carries on request
# LiteRT loads its accelerator for graphics processors only on request, by name; on the CPU it is never loaded.
_LEFT_OUT = ("ai_edge_litert/libLiteRtWebGpuAccelerator.so",)
_MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+~!-]*")
_BYTECODE = 1.1  # installed size with compiled modules, as a multiple of the size without


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes:
        file: its path.
        bytes: its size.
        sha256: of the file.
        manifest: the description of its contents.
        signature: the path of its signature, if it was signed.
    """

    file: Path
    bytes: int
    sha256: str
    manifest: BundleManifest
    signature: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the output of `bundle --json`."""
        packages = [{"name": each.name, "version": each.version} for each in self.manifest.packages]
        manifest = self.manifest
        about = {"target": manifest.target, "engine": manifest.engine, "model": manifest.model}
        size = {"bytes": self.bytes, "sha256": self.sha256, "installed_bytes": manifest.installed_bytes}
        signed = {"signature": str(self.signature), "counter": manifest.counter} if self.signature else {}
        return {"file": str(self.file), **size, **about, **signed, "packages": packages}

    def text(self) -> str:
        """Return the same for a person to read, with the next step."""
        manifest = self.manifest
        width = max(len(each.name) for each in manifest.packages)
        rows = [f"  {each.name:<{width}}  {each.version}" for each in manifest.packages]
        size = f"{self.bytes / 1e6:.1f} MB, {manifest.installed_bytes / 1e6:.0f} MB when installed"
        name = self.file.name
        return "\n".join(
            [
                f"{self.file}: {manifest.model} on {manifest.engine} for {manifest.target}, {size}",
                *rows,
                *([f"signed: {self.signature}, counter {manifest.counter}"] if self.signature else []),
                f"on the device: tar -xzf {name} && sh {archive.FOLDER}/install.sh",
            ]
        )


def build(
    model: Path,
    target: str,
    out: Path | None = None,
    constraint: Path | None = None,
    extras: Sequence[str] = (),
    *,
    key: Path | None = None,
    counter: int | None = None,
) -> Bundle:
    """Write the bundle of a model for a system; equal inputs and versions give equal bytes.

    Args:
        model: an exported file.
        target: the system's name.
        out: the file to write, by default MODEL-FORMAT-TARGET.tar.gz in the working folder, without FORMAT where the
            model's own name contains it.
        constraint: a constraints file of pip; by default the newest versions that fit are taken.
        extras: more extras of the runtime, of `EXTRAS`.
        key: signs the model in the bundle, its SHA256SUMS, and the bundle itself, as OUT.sig.
        counter: a device with a list of signers takes no bundle whose counter is below that of the last; by default, in
            a bundle that is signed, the seconds since 1970 of SOURCE_DATE_EPOCH or of now.

    Raises:
        UsageError: the target is unknown, or a bundle cannot contain a file of this name.
        InputError: a file cannot be read, a package is not available, or the key cannot sign.
        ModelError: the model is not a sealed file, or the target's engine cannot run it.
    """
    system = systems.named(target)
    if out and not out.name.endswith(".tar.gz"):
        raise UsageError(f"--out {out}: expected a name that ends in .tar.gz")
    if unknown := sorted(set(extras) - set(EXTRAS)):
        raise UsageError(f"--with {unknown[0]} is unknown; it is {' or '.join(EXTRAS)}, or left out")
    if constraint and not constraint.is_file():
        raise InputError(f"--constraint {constraint}: no such file")
    if not _MODEL_NAME.fullmatch(model.name):
        raise UsageError(f"{model.name!r} cannot be the name of a bundle's model; use letters, digits, . - and _")
    if key:
        check_key(key)
    data, _ = sealed_model.read_bytes(model)
    sealed = sealed_model.read(model)
    contract = sealed.contract
    out = out or Path(f"{_name(model, contract)}-{target}.tar.gz")
    _check_place(out)
    engine = _engine(model, contract, system)
    carried = _packages(system, engine, constraint, extras)
    packages = tuple(package for package, _ in carried)
    _check_engine(model, sealed.payload, engine, packages)
    manifest = BundleManifest(
        target=system.name,
        python=system.python,
        multiarch=system.multiarch,
        glibc=".".join(map(str, system.glibc)),
        engine=engine,
        runtime=next(package.version for package in packages if package.source == "mnist-edge"),
        model=model.name,
        model_sha256=_sha256(data),
        installed_bytes=round(
            _BYTECODE * (len(data) + sum(wheel_files.installed_bytes(wheel) for _, wheel in carried))
        ),
        packages=packages,
        counter=_counter(key) if counter is None else counter,
    )
    members = {f"model/{model.name}": data, **{package.file: wheel for package, wheel in carried}}
    members |= {
        **archive.scripts(),
        archive.MANIFEST: manifest.to_json().encode(),
        archive.SBOM: sbom(manifest, contract).encode(),
    }
    if key:
        members[f"model/{model.name}{SUFFIX}"] = signature_of(data, key)
    archive.write(members, out, partial(signature_of, key=key) if key else None)
    written = out.read_bytes()
    signature = sign_file(out, key) if key else None
    return Bundle(out, len(written), _sha256(written), archive.check_bundle(out), signature)


def _counter(key: Path | None) -> int:
    """Return the counter of a bundle for which none is named; 0 keeps one that is not signed the same at all times."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH") or str(int(time.time()))
    if key and not epoch.isdecimal():
        raise UsageError(f"SOURCE_DATE_EPOCH is {epoch}, expected seconds since 1970; or take --counter")
    return int(epoch) if key else 0


def _check_place(out: Path) -> None:
    """Check that the file can be written, before anything is fetched for it."""
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}; make it first")
    if out.is_dir():
        raise InputError(f"--out {out}: it is a folder; name a file")
    try:
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError as error:
        raise InputError(
            f"--out {out}: {error.strerror or error}; name a file in a folder that you can write to"
        ) from None


def _name(model: Path, contract: Contract) -> str:
    return model.stem if contract.format in model.stem.split("-") else f"{model.stem}-{contract.format}"


def _engine(model: Path, contract: Contract, system: System) -> str:
    """Return the engine that runs the model on the system."""
    try:
        engine = system.engine(contract.format)
    except EngineError as error:
        raise EngineError(f"{model}: {error}") from None
    proven = [runtime.get("engine") for runtime in contract.runtimes]
    if proven and engine not in proven:
        raise EngineError(
            f"{model}: {system.name} runs it on {engine}, for which it was not proven; export one that is with: "
            f"mnist-edge export --target-runtime {engine}"
        )
    return engine


def _check_engine(model: Path, payload: bytes, engine: str, packages: Sequence[Package]) -> None:
    """Check that the engine's version in the bundle can load the model, as every export is checked."""
    from ..parity.targets import Target, incompatibility  # loads onnx, so it comes after all other refusals

    version = next(package.version for package in packages if package.name == ENGINES[engine].distribution)
    with suppress_output():
        objection = incompatibility(Target(engine, version), payload)
    if objection:
        raise EngineError(f"{model}: {engine} {version} cannot run it: {objection}; export one for it")


def _packages(system: System, engine: str, constraint: Path | None, more: Sequence[str]) -> list[tuple[Package, bytes]]:
    """Return the runtime and its dependencies on the system, by name, each with its bytes."""
    name, own = own_wheel.runtime_wheel()
    runtime = wheelhouse.Wheel.of(name, own)
    tell(f"fetching the packages for {system.name}")
    extras = frozenset({ENGINES[engine].extra, "image", *more})
    carried = [(Package(runtime.name, runtime.version, f"wheels/{name}", _sha256(own), "mnist-edge"), own)]
    for wheel in wheelhouse.collect(system, wheelhouse.needs_of(own, extras, system), constraint):
        data, left_out = wheel_files.without(wheel.data, _LEFT_OUT)
        file, upstream = f"wheels/{wheel.file}", _sha256(wheel.data)
        package = Package(wheel.name, wheel.version, file, _sha256(data), "pypi", upstream, left_out)
        carried.append((package, data))
    for found in debian.collect(system):
        digest, file = _sha256(found.data), f"debian/{found.file}"
        package = Package(found.name, found.version, file, digest, "debian", found.upstream_sha256)
        carried.append((package, found.data))
    return sorted(carried, key=lambda each: each[0].name)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
