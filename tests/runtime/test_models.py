from __future__ import annotations

import hashlib
import json
import re
import sys

import pytest
from mnist_edge_runtime import Classifier, EngineError, UsageError, models
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.engines import registry
from mnist_edge_runtime.model_file import sealed_model


def test_there_is_a_file_of_each_format_that_some_engine_runs() -> None:
    formats = {row.format for row in registry.ENGINES.values()}
    files = [file for network in models.NETWORKS for file in models.bundled_models(network=network)]
    assert {file.name for file in files} == {f"{name}-int8.{end}" for name in models.NETWORKS for end in formats}
    assert sorted(files[0].parent.glob("*-int8.*")) == sorted([*files, models.MODULE])


def test_the_module_has_the_network_of_the_file_that_ships() -> None:
    (file,) = models.bundled_models("litert", "small")
    found = re.search(r"^export const contract = (.*);$", models.bundled_module(), re.MULTILINE)
    assert found
    contract, sealed = json.loads(found[1]), sealed_model.read(file)
    assert contract["payload"]["sha256"] == sealed.contract.payload.sha256
    assert contract["web"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("engine", [None, "litert", "onnxruntime"])
def test_without_a_path_it_is_loaded_for_the_engine_and_keeps_its_promise(engine: str | None) -> None:
    with Classifier.load(engine=engine) as classifier:
        assert classifier.file in models.bundled_models(engine)
        assert classifier.engine_name == (engine or "litert")
        report = selftest(classifier, sealed_model.read(classifier.file).golden)
    assert report.failures == ()


def test_where_no_engine_of_the_first_format_runs_the_next_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", None)
    with Classifier.load() as classifier:
        assert classifier.engine_name == "onnxruntime"
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(EngineError, match=r"litert is not installed.*onnxruntime is not installed"):
        Classifier.load()


def test_an_unknown_engine_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="'torch'"):
        Classifier.load(engine="torch")


@pytest.mark.parametrize("network", models.NETWORKS)
def test_each_network_is_loaded_by_its_name(network: str) -> None:
    with Classifier.load(network, engine="onnxruntime") as classifier:
        assert [classifier.file] == models.bundled_models("onnxruntime", network)
        assert classifier.contract.origin["architecture"] == network


def test_the_first_network_is_the_default() -> None:
    assert models.bundled_models() == models.bundled_models(network=models.NETWORKS[0])
