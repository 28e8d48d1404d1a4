"""A new format and a new engine are rows of the tables: nothing else in the exporters has to change.

The format wraps TFLite's bytes under another suffix, and the engine is LiteRT under another name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters import spec
from mnist_edge_exporters.analysis import layer_drift
from mnist_edge_exporters.converters.registry import CONVERTERS, distributions
from mnist_edge_exporters.export import export as export_module
from mnist_edge_exporters.export.export import export
from mnist_edge_exporters.parity import targets, worker
from mnist_edge_exporters.parity.prove import verify
from mnist_edge_exporters.report import page
from mnist_edge_exporters.report.evidence import collect
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import Options, Quantization
from mnist_edge_runtime import Classifier, UsageError
from mnist_edge_runtime.child_process import ChildResult
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.base import Trailer
from mnist_edge_runtime.model_file.formats.registry import FORMATS
from mnist_edge_runtime.time_limit import SECONDS
from numpy.typing import NDArray


@pytest.fixture
def new_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the rows, and run here what runs in child processes, which have the tables without them."""

    def add(table: Any, name: object, row: object) -> None:
        monkeypatch.setitem(table, name, row)

    tflite, ending = FORMATS["tflite"], b"wrapped-up sha256:"  # a trailer shows the format by its last bytes

    def write_trailer(size: int, trailer: Trailer) -> bytes:
        return tflite.write_trailer(size, trailer).removesuffix(tflite.ending) + ending

    assert len(ending) == len(tflite.ending)
    add(FORMATS, "wrapped", tflite._replace(name="wrapped", ending=ending, write_trailer=write_trailer))
    add(ENGINES, "wrapper", ENGINES["litert"]._replace(format="wrapped", family="wrapping"))
    add(CONVERTERS, "wrapped", replace(CONVERTERS["tflite"], also_for=("wrapper==0.1",)))
    for quantization in (Quantization.NONE, Quantization.INT8):
        add(spec.VARIANTS, ("wrapped", quantization), spec.VARIANTS["tflite", quantization])

    def logits(file: Path, engine: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with Classifier.load(file, engine=engine) as classifier:
            return classifier.logits(images)

    def selftest(module: str, *arguments: str, seconds: float) -> ChildResult:
        assert seconds > SECONDS
        with Classifier.load(arguments[-1], engine=arguments[-2]) as classifier:
            return ChildResult(0 if classifier.engine_name == "wrapper" else 1, "", "")

    monkeypatch.setattr(worker, "logits", logits)
    monkeypatch.setattr(export_module, "run_module", selftest)


@pytest.mark.long
@pytest.mark.usefixtures("new_rows", "converting_here")
def test_a_format_and_an_engine_go_the_whole_way(own_source: Source, tmp_path: Path) -> None:
    specs = spec.select("wrapped", "all")
    assert list(map(str, specs)) == ["wrapped-none", "wrapped-int8"]
    assert distributions(specs[0]) == CONVERTERS["tflite"].distributions

    outcomes = list(export(own_source, specs, tmp_path, Options(targets=("wrapper",))))
    assert [outcome.failures for outcome in outcomes] == [(), ()]
    float_file, int8_file = (outcome.file for outcome in outcomes)
    assert float_file is not None
    assert int8_file is not None
    assert int8_file.name == "own-wrapped-int8.wrapped"

    sealed = sealed_model.read(int8_file)
    assert sealed.contract.format == "wrapped"
    assert [runtime["engine"] for runtime in sealed.contract.runtimes] == ["wrapper"]
    assert set(sealed.golden.logits) == set(sealed.contract.selftest.logits) == {"wrapping", "builtin"}

    assert verify(int8_file, own_source, Options()).failures == ()
    assert layer_drift.measure(int8_file, own_source)[-1].shape == (10,)
    weights = sealed.contract.origin["weights_sha256"]
    assert [each.variant for each in collect(tmp_path, weights)] == ["wrapped-none", "wrapped-int8"]
    assert page._series()["formats"]["wrapped"] == page._series()["engines"]["wrapper"]


@pytest.mark.usefixtures("new_rows", "converting_here")
def test_targets_of_a_new_format_are_its_engine_and_those_of_its_row() -> None:
    here, also = targets.targets_for("wrapped")
    assert here.engine == also.engine == "wrapper"
    assert here.is_installed
    assert also.version == "0.1"
    assert targets.incompatibility(also, b"") is None  # no table of versions has the engine
    with pytest.raises(UsageError, match="neither installed here nor in the table"):
        targets.targets_for("wrapped", ["wrapper==99"])
    with pytest.raises(UsageError, match="choose from all, tflite, onnx, wrapped"):
        spec.select("other", "none")
