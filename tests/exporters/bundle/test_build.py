"""A bundle is made for a model that its system's engine can run, and for no other."""

from __future__ import annotations

import filecmp
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.bundle import debian, wheelhouse
from mnist_edge_exporters.bundle.archive import check_bundle
from mnist_edge_exporters.bundle.build import build
from mnist_edge_exporters.bundle.manifest import BundleManifest
from mnist_edge_exporters.bundle.wheelhouse import Wheel
from mnist_edge_exporters.parity import targets
from mnist_edge_runtime import EngineError, InputError, UsageError, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.signature import verify

TFLITE, ONNX = models.bundled_models()
_VERSIONS = {"ai-edge-litert": "2.3.0", "onnxruntime": "1.32.0", "tflite-runtime": "2.14.0"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the index and for Debian; return the names that are asked for."""
    names: list[str] = []

    def collect(system: Any, roots: Any, constraint: Any) -> list[Wheel]:
        names.extend(root.name for root in roots)
        return [
            Wheel(name, _VERSIONS[name], f"{name.replace('-', '_')}-{_VERSIONS[name]}-py3-none-any.whl", _wheel(name))
            for name in (root.name for root in roots)
            if name in _VERSIONS
        ]

    monkeypatch.setattr(wheelhouse, "collect", collect)
    monkeypatch.setattr(debian, "collect", lambda system: [])
    return names


def _wheel(name: str) -> bytes:
    from mnist_edge_exporters.bundle import wheel_files

    info = f"{name.replace('-', '_')}-1.dist-info"
    gpu = {"ai_edge_litert/libLiteRtWebGpuAccelerator.so": bytes(10_000)} if name == "ai-edge-litert" else {}
    return wheel_files.pack({**gpu, f"{info}/METADATA": b"Name: x\n"}, info)


@pytest.mark.parametrize(
    ("model", "target", "engine", "extra"),
    [
        (TFLITE, "bookworm-arm64", "litert", "ai-edge-litert"),
        (TFLITE, "bookworm-armhf", "tflite-runtime", "tflite-runtime"),
        (ONNX, "trixie-arm64", "onnxruntime", "onnxruntime"),
    ],
)
def test_the_format_decides_the_engine(
    model: Path, target: str, engine: str, extra: str, asked: list[str], tmp_path: Path
) -> None:
    made = build(model, target, tmp_path / "out.tar.gz")
    assert made.manifest == check_bundle(made.file)
    assert (made.manifest.engine, made.manifest.target, made.manifest.model) == (engine, target, model.name)
    assert {"numpy", "Pillow", extra} <= set(asked)
    assert made.bytes == made.file.stat().st_size
    assert made.to_dict()["packages"] == [
        {"name": each.name, "version": each.version} for each in made.manifest.packages
    ]
    assert made.text().splitlines()[-1] == "on the device: tar -xzf out.tar.gz && sh mnist-edge/install.sh"


def test_what_the_processor_never_loads_is_left_out(asked: list[str], tmp_path: Path) -> None:
    manifest: BundleManifest = build(TFLITE, "bookworm-arm64", tmp_path / "out.tar.gz").manifest
    (litert,) = (package for package in manifest.packages if package.name == "ai-edge-litert")
    assert litert.left_out == ("ai_edge_litert/libLiteRtWebGpuAccelerator.so",)
    assert litert.upstream_sha256 != litert.sha256
    assert all(package.left_out == () for package in manifest.packages if package is not litert)


def test_the_service_is_carried_on_request(asked: list[str], tmp_path: Path) -> None:
    serving = {"starlette", "uvicorn", "python-multipart", "prometheus-client", "segno"}
    build(TFLITE, "bookworm-armhf", tmp_path / "plain.tar.gz")
    assert not serving & set(asked)
    build(TFLITE, "bookworm-armhf", tmp_path / "serving.tar.gz", extras=["serve"])
    assert serving <= set(asked)


def test_the_name_tells_model_format_and_target(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert build(TFLITE, "bookworm-arm64").file == Path("base-int8-tflite-bookworm-arm64.tar.gz")
    assert build(ONNX, "bookworm-arm64").file == Path("base-int8-onnx-bookworm-arm64.tar.gz")
    first = Path("base-int8-tflite-bookworm-arm64.tar.gz").read_bytes()
    assert build(TFLITE, "bookworm-arm64", Path("again.tar.gz")).file.read_bytes() == first
    named = Path("digits-tflite-int8.tflite")
    named.write_bytes(TFLITE.read_bytes())
    assert build(named, "bookworm-arm64").file == Path("digits-tflite-int8-bookworm-arm64.tar.gz")


def test_a_signed_bundle_carries_signatures_and_a_counter(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, signers = tmp_path / "key", tmp_path / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signers.write_text(f"maker {Path(f'{key}.pub').read_text()}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    made = build(TFLITE, "bookworm-arm64", tmp_path / "out.tar.gz", key=key)
    assert made.manifest.counter == made.to_dict()["counter"] == 1_700_000_000
    assert f"signed: {made.signature}, counter 1700000000" in made.text().splitlines()
    assert verify(made.file.read_bytes(), made.file, signers) == "maker"
    subprocess.run(["tar", "-xzf", made.file, "-C", tmp_path], check=True)
    for name in ("SHA256SUMS", f"model/{TFLITE.name}"):
        file = tmp_path / "mnist-edge" / name
        assert verify(file.read_bytes(), file, signers) == "maker"
    first = made.file.read_bytes()
    assert build(TFLITE, "bookworm-arm64", tmp_path / "out.tar.gz", key=key).file.read_bytes() == first
    assert build(TFLITE, "bookworm-arm64", tmp_path / "out.tar.gz", key=key, counter=3).manifest.counter == 3
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is soon"):
        build(TFLITE, "bookworm-arm64", tmp_path / "out.tar.gz", key=key)
    with pytest.raises(InputError, match="no such key"):
        build(TFLITE, "bookworm-arm64", tmp_path / "never.tar.gz", key=tmp_path / "nothing")
    assert not (tmp_path / "never.tar.gz").exists()


def test_models_that_the_system_cannot_run_are_refused(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.tar.gz"
    with pytest.raises(EngineError, match=r"base-int8\.onnx: no engine for onnx files has packages for bookworm-armhf"):
        build(ONNX, "bookworm-armhf", out)

    sealed = sealed_model.read(TFLITE)
    only = tuple(runtime for runtime in sealed.contract.runtimes if runtime["engine"] == "litert")
    file = tmp_path / "only.tflite"
    file.write_bytes(sealed_model.seal(sealed.payload, replace(sealed.contract, runtimes=only), sealed.golden))
    with pytest.raises(EngineError, match=r"it was not proven; export one that is with: .* --target-runtime tflite-r"):
        build(file, "bookworm-armhf", out)

    monkeypatch.setattr(targets, "incompatibility", lambda target, payload: f"ADD version 9 on {target}")
    with pytest.raises(EngineError, match=r"litert 2\.3\.0 cannot run it: ADD version 9 on litert==2\.3\.0"):
        build(TFLITE, "bookworm-arm64", out)
    assert not out.exists()


def test_mistakes_are_told_before_anything_is_fetched(asked: list[str], tmp_path: Path) -> None:
    for arguments, message in (
        ((TFLITE, "buster"), "--target buster is unknown"),
        ((TFLITE, "bookworm-arm64", tmp_path / "out.zip"), "ends in .tar.gz"),
        ((tmp_path / "a b.tflite", "bookworm-arm64"), "cannot be the name of a bundle's model"),
    ):
        with pytest.raises(UsageError, match=message):
            build(*arguments)
    with pytest.raises(InputError, match=r"none/out\.tar\.gz: there is no folder .*none; make it first"):
        build(TFLITE, "bookworm-arm64", tmp_path / "none" / "out.tar.gz")
    with pytest.raises(
        InputError, match=r"--out /proc/out\.tar\.gz: .*; name a file in a folder that you can write to"
    ):
        build(TFLITE, "bookworm-arm64", Path("/proc/out.tar.gz"))
    (tmp_path / "folder.tar.gz").mkdir()
    with pytest.raises(InputError, match=r"folder\.tar\.gz: it is a folder; name a file"):
        build(TFLITE, "bookworm-arm64", tmp_path / "folder.tar.gz")
    with pytest.raises(InputError, match=r"--constraint .*none\.txt: no such file"):
        build(TFLITE, "bookworm-arm64", None, tmp_path / "none.txt")
    assert asked == []


@pytest.mark.long
def test_a_real_bundle_is_made_again_with_the_same_bytes(amd64_bundle: Path, tmp_path: Path) -> None:
    (model,) = models.bundled_models("litert", "small")
    command = [str(Path(sys.executable).with_name("mnist-edge")), "bundle", str(model), "--target", "bookworm-amd64"]
    result = subprocess.run(
        [*command, "--out", str(tmp_path / "x.tar.gz"), "--json"], capture_output=True, text=True, check=True
    )
    document = json.loads(result.stdout)
    assert filecmp.cmp(tmp_path / "x.tar.gz", amd64_bundle, shallow=False)  # pytest would compare megabytes for minutes
    assert document["bytes"] == amd64_bundle.stat().st_size < 45_000_000
    assert {"numpy", "pillow", "ai-edge-litert", "mnist-edge-runtime"} <= {
        each["name"] for each in document["packages"]
    }
