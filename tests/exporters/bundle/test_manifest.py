from __future__ import annotations

import json
from typing import Any

import pytest
from mnist_edge_exporters.bundle.manifest import BundleManifest, Package
from mnist_edge_runtime import ModelError

PACKAGE = Package("numpy", "2.1.0", "wheels/numpy.whl", "0" * 64, "pypi", "1" * 64, ("numpy/tests/test_x.py",))
MANIFEST = BundleManifest(
    target="bookworm-arm64",
    python="3.11",
    multiarch="aarch64-linux-gnu",
    glibc="2.36",
    engine="litert",
    runtime="0.1.0",
    model="digits.tflite",
    model_sha256="a" * 64,
    installed_bytes=1_000_000,
    packages=(PACKAGE,),
)


def test_it_comes_back_as_it_was_written() -> None:
    text = MANIFEST.to_json()
    assert BundleManifest.from_json(text.encode()) == MANIFEST
    assert text == MANIFEST.to_json()
    assert MANIFEST.files() == {"model/digits.tflite": "a" * 64, "wheels/numpy.whl": "0" * 64}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "mnist-edge-bundle/2"}, "of the format 'mnist-edge-bundle/2', this mnist-edge reads"),
        ({"model_sha256": "A" * 64}, "a field is not a SHA-256"),
        ({"installed_bytes": -1}, "installed_bytes is not a size"),
        ({"installed_bytes": True}, "installed_bytes is not a size"),
        ({"model": "digits\n.tflite"}, "a field is not a line of text"),
        ({"engine": 7}, "a field is not a line of text"),
        ({"packages": None}, "bundle.json cannot be read"),
    ],
)
def test_what_is_not_a_manifest_is_refused(changes: dict[str, Any], message: str) -> None:
    document = {**json.loads(MANIFEST.to_json()), **changes}
    with pytest.raises(ModelError, match=message):
        BundleManifest.from_json(json.dumps(document).encode())


def test_a_missing_field_is_named() -> None:
    document = json.loads(MANIFEST.to_json())
    del document["glibc"]
    with pytest.raises(ModelError, match="'glibc'"):
        BundleManifest.from_json(json.dumps(document).encode())
