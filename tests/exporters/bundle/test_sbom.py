"""The bill of materials: valid by CycloneDX's own schema, and complete."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from mnist_edge_exporters.bundle.manifest import BundleManifest, Package
from mnist_edge_exporters.bundle.sbom import sbom
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model

_PACKAGES = (
    Package("numpy", "2.0+local", "wheels/numpy-2.0.whl", "1" * 64, "pypi", "1" * 64),
    Package("ai-edge-litert", "2.3.0", "wheels/ai.whl", "2" * 64, "pypi", "3" * 64, ("ai_edge_litert/gpu.so",)),
    Package("libblas3", "3.11.0-2", "debian/libblas3_3.11.0-2_armhf.zip", "4" * 64, "debian", "5" * 64),
    Package("mnist-edge-runtime", "0.1.0", "wheels/own.whl", "6" * 64, "mnist-edge"),
)
_MANIFEST = BundleManifest(
    target="bookworm-armhf",
    python="3.11",
    multiarch="arm-linux-gnueabihf",
    glibc="2.36",
    engine="tflite-runtime",
    runtime="0.1.0",
    model="small-int8.tflite",
    model_sha256="7" * 64,
    installed_bytes=1,
    packages=_PACKAGES,
)


def _document(manifest: BundleManifest = _MANIFEST) -> Any:
    return json.loads(sbom(manifest, sealed_model.read(models.bundled_models("litert")[0]).contract))


def test_it_is_valid() -> None:
    validation = pytest.importorskip(
        "cyclonedx.validation.json", reason="cyclonedx-python-lib[json-validation] is not installed"
    )
    from cyclonedx.schema import SchemaVersion

    validator = validation.JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(_document())) is None
    assert validator.validate_str(json.dumps({**_document(), "bomFormat": "SPDX"})) is not None


def test_it_names_everything_with_its_hash() -> None:
    document = _document()
    hashes = {each["name"]: each["hashes"][0]["content"] for each in document["components"]}
    expected = {package.name: package.sha256 for package in _PACKAGES}
    assert hashes == {**expected, "small-int8.tflite": "7" * 64}
    assert document["dependencies"][0]["dependsOn"] == [each["bom-ref"] for each in document["components"]]
    urls = {each["name"]: each.get("purl") for each in document["components"]}
    assert "pkg:pypi/mnist-edge" not in str(urls)  # it is on no index
    assert urls["numpy"] == "pkg:pypi/numpy@2.0%2Blocal"
    assert urls["libblas3"] == "pkg:deb/debian/libblas3@3.11.0-2?arch=armhf&distro=bookworm"
    (litert,) = (each for each in document["components"] if each["name"] == "ai-edge-litert")
    properties = {each["name"]: each["value"] for each in litert["properties"]}
    assert properties == {"mnist-edge:upstream_sha256": "3" * 64, "mnist-edge:left_out": "ai_edge_litert/gpu.so"}


def test_it_holds_nothing_volatile() -> None:
    document = _document()
    assert "serialNumber" not in document
    assert "timestamp" not in document["metadata"]
    assert _document(replace(_MANIFEST)) == document
