"""A format and an engine that nobody has: two rows and a module, and all that goes over the tables knows them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, EngineError, ModelError, UsageError, engines
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.diagnostics import doctor
from mnist_edge_runtime.diagnostics.benchmark import pairs
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.engines import availability, registry
from mnist_edge_runtime.engines.registry import EngineInfo
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec, Payload
from mnist_edge_runtime.model_file.formats import registry as formats
from mnist_edge_runtime.model_file.formats.base import Format, Trailer
from mnist_edge_runtime.models import bundled_models

# The payload is a word and the weights of one dense layer; the library hands it back as a matrix.
LIBRARY = """
import numpy as np

def weights(payload):
    return np.frombuffer(payload[len("matrix"):], np.float32).reshape(784, -1)
"""
ENGINE = """
from importlib import import_module

from mnist_edge_runtime.engines.base import Engine, LoadedModel, TensorInfo, check_contract
from mnist_edge_runtime.engines.tensor_codec import decoder, encoder

def load_model(payload, threads, library):
    weights = import_module(library).weights(payload)
    image, answer = TensorInfo("float32", (1, 28, 28, 1)), TensorInfo("float32", (1, weights.shape[1]))
    return LoadedModel(image, answer, lambda tensor: tensor.reshape(-1, 784) @ weights)

def load(payload, contract, threads, library):
    model = load_model(payload, threads, library)
    check_contract(model, contract)
    return Engine(model.run, model.run, 1, encoder(contract.input), decoder(contract.output))
"""
ENDING = b"the end of a matrix file"


def _write_trailer(size: int, trailer: Trailer) -> bytes:
    lengths = np.array([size, *map(len, trailer)], np.uint32)
    return b"".join(trailer) + lengths.tobytes() + ENDING


def _split_trailer(body: bytes) -> tuple[int, Trailer]:
    trailer, lengths = body[: -len(ENDING) - 16], np.frombuffer(body[-len(ENDING) - 16 : -len(ENDING)], np.uint32)
    ends = np.cumsum(lengths).tolist()
    return ends[0], Trailer(*(trailer[start:end] for start, end in pairwise(ends)))


def _objections(payload: bytes) -> Iterator[str]:
    if not payload.startswith(b"matrix"):
        raise ValueError("the word at its start is missing")
    if len(payload) % 2:
        yield "its weights are odd"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Add the two rows, and the engine's module; return where to write the library that it imports."""
    row = Format("matrix", ENDING, b"of a matrix", _write_trailer, _split_trailer, _objections)
    monkeypatch.setitem(formats.FORMATS, "matrix", row)  # type: ignore[arg-type]
    info = EngineInfo(
        module="dense",
        library="matrix_library",
        distribution="matrix-library",
        extra="matrix",
        format="matrix",
        family="dense",
        requirements=("matrix-library>=1.0",),
        pythons=((3, 10), (3, 14)),
        glibc={"x86_64": (2, 27), "aarch64": (2, 27)},
    )
    monkeypatch.setitem(registry.ENGINES, "dense", info)  # type: ignore[arg-type]
    room = tmp_path / "engines"
    room.mkdir()
    (room / "dense.py").write_text(ENGINE)
    monkeypatch.setattr(engines, "__path__", [*engines.__path__, str(room)])
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mnist_edge_runtime.engines.dense", "matrix_library"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path / "matrix_library.py"


@pytest.fixture
def file(library: Path, tmp_path: Path) -> Path:
    """Return a sealed file of the format that nobody has, on an engine that is installed."""
    library.write_text(LIBRARY)
    sealed = sealed_model.read(bundled_models("litert")[0])
    golden = sealed.golden
    # The mean image of each class is its template: good enough for the picture of a golden image.
    pixels = golden.images.reshape(len(golden.images), -1).astype(np.float32) / np.float32(255)
    labels = np.array(sealed.contract.labels)
    weights = np.stack([pixels[golden.predicted == label].mean(axis=0) for label in labels], axis=1)
    weights -= weights.mean(axis=0)
    logits = pixels @ weights
    exponentials = np.exp(logits)
    payload = b"matrix" + weights.tobytes()
    contract = replace(
        sealed.contract,
        format="matrix",
        quantization="none",
        input=InputSpec("float32", 1.0, 0),
        output=OutputSpec("float32", 1.0, 0),
        payload=Payload(len(payload), hashlib.sha256(payload).hexdigest()),
        selftest=replace(sealed.contract.selftest, unit="absolute", logits={"dense": 1e-3}, probability=1e-3),
        runtimes=({"engine": "dense", "version": "1.0", "status": "ran"},),
    )
    answers = replace(
        golden,
        predicted=labels[logits.argmax(axis=1)],
        probabilities=exponentials / exponentials.sum(axis=1, keepdims=True),
        logits={"dense": logits},
    )
    target = tmp_path / "digits.matrix"
    target.write_bytes(sealed_model.seal(payload, contract, answers))
    return target


def test_a_file_of_the_format_is_sealed_and_read_back(file: Path) -> None:
    sealed = sealed_model.read(file)

    assert sealed.contract.format == "matrix"
    assert sealed_model.seal(sealed.payload, sealed.contract, sealed.golden) == file.read_bytes()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "cut short"),
        (lambda data: data[:50] + bytes([data[50] ^ 1]) + data[51:], "SHA-256"),
    ],
    ids=["cut", "altered"],
)
def test_damage_is_found(file: Path, damage: Callable[[bytes], bytes], message: str) -> None:
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(ModelError, match=message):
        sealed_model.read(file)


def test_its_operators_are_checked(file: Path) -> None:
    sealed = sealed_model.read(file)
    for payload, message in ((b"another", "it is no matrix model"), (sealed.payload + b"!", "its weights are odd")):
        described = Payload(len(payload), hashlib.sha256(payload).hexdigest())
        data = sealed_model.seal(payload, replace(sealed.contract, payload=described), sealed.golden)
        with pytest.raises(ModelError, match=message):
            sealed_model.unseal(data)


def test_it_is_loaded_run_and_tested(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Classifier.load(file) as classifier:
        golden = sealed_model.read(file).golden
        report = selftest(classifier, golden)

        assert classifier.engine_name == report.engine == "dense"
        assert classifier.classify(golden.images[0]).label == golden.predicted[0]
    assert (report.failures, report.golden) == ((), 30)
    assert main(["selftest", str(file)]) == 0
    assert "30 golden images on dense" in capsys.readouterr().out


def test_the_benchmark_pairs_file_and_engine(file: Path) -> None:
    assert pairs([file]) == [(file, "dense")]
    with pytest.raises(UsageError, match="choose from dense"):
        pairs([file], ["litert"])


def test_where_it_is_not_installed_the_fix_is_named(library: Path) -> None:
    host = replace(Host.here(), system="Linux", processor="aarch64", bits=64, libc=(2, 36), has_pip=True)
    (found,) = (found for found in doctor.examine().engines if found.engine == "dense")

    assert not found.works
    assert "matrix-library>=1.0" in availability.not_installed("dense")
    assert availability.missing("dense", host)[0] == "it is not installed"
    assert "its wheels are for Python 3.10 to 3.14" in availability.missing("dense", replace(host, python="3.9.2"))[0]


def test_an_engine_without_a_file_that_ships_says_so(file: Path) -> None:
    (found,) = (found for found in doctor.examine().engines if found.engine == "dense")

    assert "no matrix file ships with this package" in str(found.wrong)
    assert [path.suffix for path in bundled_models()] == [".tflite", ".onnx"]
    with pytest.raises(EngineError, match="no model file for dense ships with this package"):
        Classifier.load(engine="dense")


def test_usage_errors_list_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="does not run matrix files; choose from dense"):
        Classifier.load(file, engine="litert")
    with pytest.raises(ModelError, match=r"models end in \.tflite or \.onnx or \.matrix"):
        Classifier.load(file.rename(file.with_suffix(".keras")))
    with pytest.raises(SystemExit):
        main(["selftest", "--engine", "torch"])
    assert "dense" in capsys.readouterr().err
