"""Write a bundle's bill of materials, without date or serial number.

CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from mnist_edge_runtime import Contract

from .manifest import BundleManifest, Package

__all__ = ["sbom"]


def sbom(manifest: BundleManifest, contract: Contract) -> str:
    """Return the document; equal arguments give equal text."""
    components = [_model(manifest, contract), *(_package(package, manifest) for package in manifest.packages)]
    root = {
        "type": "application",
        "bom-ref": "bundle",
        "name": f"mnist-edge bundle of {manifest.model}",
        "version": manifest.runtime,
        "properties": _properties(target=manifest.target, python=manifest.python, engine=manifest.engine),
    }
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": root},
        "components": components,
        "dependencies": [{"ref": "bundle", "dependsOn": [component["bom-ref"] for component in components]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _model(manifest: BundleManifest, contract: Contract) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model/{manifest.model}",
        "name": manifest.model,
        "hashes": _hashes(manifest.model_sha256),
        "properties": _properties(
            format=contract.format, quantization=contract.quantization, payload_sha256=contract.payload.sha256
        ),
    }


def _package(package: Package, manifest: BundleManifest) -> dict[str, Any]:
    name, version = quote(package.name, safe=""), quote(package.version, safe="")
    # Our own package is on no index: there its name may be a stranger's.
    url = f"pkg:{'generic' if package.source == 'mnist-edge' else 'pypi'}/{name}@{version}"
    if package.source == "debian":
        architecture = package.file.rpartition("_")[2].partition(".")[0]
        release = manifest.target.partition("-")[0]
        url = f"pkg:deb/debian/{name}@{version}?arch={architecture}&distro={release}"
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.file,
        "name": package.name,
        "version": package.version,
        "hashes": _hashes(package.sha256),
        "purl": url,
    }
    if package.upstream_sha256 not in (None, package.sha256):
        parts = ", ".join(package.left_out) or "everything but the files that are run"
        component["properties"] = _properties(upstream_sha256=str(package.upstream_sha256), left_out=parts)
    return component


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _properties(**values: str) -> list[dict[str, str]]:
    return [{"name": f"mnist-edge:{name}", "value": value} for name, value in values.items()]
