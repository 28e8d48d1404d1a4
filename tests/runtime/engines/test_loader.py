from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, Contract, EngineError, UsageError
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.engines import loader, registry
from mnist_edge_runtime.model_file import sealed_model

FIRST = {".tflite": "litert", ".onnx": "onnxruntime"}

Change = Callable[[Contract], Contract]


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True


needs_tflite_runtime = pytest.mark.skipif(
    not _is_installed("tflite-runtime"), reason="tflite-runtime is not installed: it has wheels up to Python 3.11 only"
)


def _input(**changes: Any) -> Change:
    return lambda contract: replace(contract, input=replace(contract.input, **changes))


def _output(**changes: Any) -> Change:
    return lambda contract: replace(contract, output=replace(contract.output, **changes))


def test_the_first_engine_is_loaded_and_runs(model_file: Path) -> None:
    sealed = sealed_model.read(model_file)
    name, engine = loader.load(sealed.payload, sealed.contract)
    logits = engine.run(sealed.golden.images)

    assert name == FIRST[model_file.suffix]
    assert (logits.shape, logits.dtype) == ((len(sealed.golden.images), 10), np.dtype(np.float32))


def test_an_engine_that_the_file_was_not_proven_on_is_refused(model_file: Path, reseal: Callable[..., Path]) -> None:
    """An int4 file would load on tflite-runtime and answer at chance level; its contract names LiteRT alone."""
    only = {"engine": "another", "version": "1", "status": "ran"}
    elsewhere = reseal(model_file, contract=lambda contract: replace(contract, runtimes=(only,)))
    with pytest.raises(EngineError, match=f"the file is not for {FIRST[model_file.suffix]}"):
        Classifier.load(elsewhere)


def test_int8_logits_are_the_golden_ones_to_the_bit(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)
    name, engine = loader.load(sealed.payload, sealed.contract)

    expected = sealed.golden.logits[registry.ENGINES[name].family]
    np.testing.assert_array_equal(engine.run(sealed.golden.images), expected)


def test_float_logits_are_the_golden_ones_within_the_contracts_limit(files: Mapping[str, Path]) -> None:
    for cell in ("tflite-none", "onnx-none"):
        sealed = sealed_model.read(files[cell])
        name, engine = loader.load(sealed.payload, sealed.contract)
        family = registry.ENGINES[name].family

        np.testing.assert_allclose(
            engine.run(sealed.golden.images),
            sealed.golden.logits[family],
            rtol=0,
            atol=sealed.contract.selftest.logits[family],
        )


@pytest.mark.parametrize("cell", ["tflite-none", "tflite-int8"])
@needs_tflite_runtime
def test_the_oldest_runtime_passes_the_self_test(
    files: Mapping[str, Path], device: Callable[..., subprocess.CompletedProcess[str]], cell: str
) -> None:
    """In a process of its own: tflite-runtime cannot be loaded beside TensorFlow."""
    contract = sealed_model.read(files[cell]).contract
    result = device("selftest", "--engine", "tflite-runtime", "--json", files[cell])
    report = json.loads(result.stdout)

    assert (result.returncode, result.stderr) == (0, "")
    assert report["passed"] is True
    assert report["engine"] == "tflite-runtime"
    if cell == "tflite-int8":
        assert report["max_lsb"] <= contract.selftest.logits["builtin"]
    else:
        assert report["max_difference"] <= contract.selftest.logits["builtin"]


@pytest.mark.parametrize("threads", [0, -1])
def test_there_is_no_running_without_a_thread(model_file: Path, threads: int) -> None:
    with pytest.raises(UsageError, match=f"threads is {threads}"):
        Classifier.load(model_file, threads=threads)


@pytest.mark.parametrize(
    ("cell", "engine"),
    [
        ("tflite-int8", "onnxruntime"),
        ("onnx-int8", "litert"),
        ("onnx-int8", "tflite-runtime"),
        ("tflite-int8", "tensorflow"),
        ("onnx-int8", ""),
    ],
)
def test_an_engine_of_another_format_or_name_is_refused(files: Mapping[str, Path], cell: str, engine: str) -> None:
    format = cell.partition("-")[0]  # noqa: A001
    with pytest.raises(UsageError, match=f"does not run {format} files; choose from {registry.names_for(format)[0]}"):
        Classifier.load(files[cell], engine=engine)


@pytest.mark.parametrize(
    "payload",
    [lambda _: b"", lambda _: b"no model at all", lambda payload: payload[: len(payload) // 2], lambda _: bytes(5000)],
    ids=["empty", "text", "half of it", "zeros"],
)
def test_a_payload_that_is_no_model_is_an_engine_error_with_a_reason(
    int8_file: Path, payload: Callable[[bytes], bytes]
) -> None:
    engine, sealed = FIRST[int8_file.suffix], sealed_model.read(int8_file)

    with pytest.raises(EngineError, match=f"{engine} cannot run it: .+"):
        Classifier(replace(sealed, payload=payload(sealed.payload)), engine=engine)


@pytest.mark.parametrize(
    "payload", [lambda _: b"", lambda payload: payload[: len(payload) // 2]], ids=["empty", "half of it"]
)
def test_a_sealed_payload_that_is_no_model_ends_no_process(
    int8_file: Path,
    reseal: Callable[..., Path],
    device: Callable[..., subprocess.CompletedProcess[str]],
    payload: Callable[[bytes], bytes],
) -> None:
    """Whichever engines are tried one after the other."""
    result = device("selftest", reseal(int8_file, payload=payload))

    assert result.returncode == 4
    assert result.stderr.startswith("error: ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_input(dtype="int8"), "its input is .*uint8.*, its contract says int8"),
        (_input(dtype="float32", scale=1.0), "its input is .*uint8.*, its contract says float32"),
        (_input(shape=(1, 14, 56, 1)), r"its input is .*28, 28, 1.*, its contract says uint8 \(1, 14, 56, 1\)"),
        (_output(dtype="int8"), "its output is .*uint8.*, its contract says int8"),
        (lambda contract: replace(contract, labels=contract.labels[:-1]), r"10.*, its contract says uint8 \(1, 9\)"),
        (lambda contract: replace(contract, labels=(*contract.labels, "ten")), r"10.*, its contract says .*\(1, 11\)"),
    ],
    ids=["input dtype", "input float", "input shape", "output dtype", "a class less", "a class more"],
)
def test_a_contract_that_disagrees_with_the_file_is_an_engine_error(
    int8_file: Path, change: Change, message: str
) -> None:
    sealed = sealed_model.read(int8_file)

    with pytest.raises(EngineError, match=message):
        loader.load(sealed.payload, change(sealed.contract), engine=FIRST[int8_file.suffix])


def test_more_images_than_one_batch_come_back_in_order(model_file: Path) -> None:
    sealed = sealed_model.read(model_file)
    _, engine = loader.load(sealed.payload, sealed.contract)
    images = np.resize(sealed.golden.images, (600, 28, 28))
    few = engine.run(sealed.golden.images)

    np.testing.assert_allclose(engine.run(images), np.resize(few, (600, 10)), rtol=0, atol=1e-4)


def test_an_int8_file_is_off_by_nothing_on_the_engine_that_proved_it(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)
    with Classifier(sealed) as classifier:
        report = selftest(classifier, sealed.golden)

    assert report.engine == FIRST[int8_file.suffix]
    assert report.max_lsb == 0
    assert report.max_difference == 0
