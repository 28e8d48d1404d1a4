from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_runtime import models
from mnist_edge_runtime.diagnostics.needs import CODE, MICROCONTROLLERS, STACK, missing, needs, rows
from mnist_edge_runtime.model_file import sealed_model

FILES = [
    *(file for each in models.NETWORKS for file in models.bundled_models(network=each)),
    *sorted((Path(__file__).parents[3] / "models").glob("*-int8.*")),
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_shipped_files_have_measured_figures(file: Path) -> None:
    """If not: python emulators/board_page.py --chips."""
    sealed = sealed_model.read(file)
    found = needs(sealed.contract, sealed.payload)
    text = dict(rows(found))

    assert found["measured"], "run: python emulators/board_page.py --chips"
    if found["measured"]["boards"]:  # counted for the networks of docs/boards.json
        assert "instructions for an image" in text["boards"]
    if sealed.contract.format == "tflite":
        assert "cortex-m4 " in text["chips"]
        assert found["c"]["fits"]
        assert "RAM" in text["as C"]
    else:
        assert text["as C"].startswith("C is written from int8 TFLite files")
    assert f"MiB for a picture with {'litert' if file.suffix == '.tflite' else 'onnxruntime'}" in text["memory"]


def test_a_file_of_ones_own_is_told_sizes_and_no_instructions() -> None:
    sealed = sealed_model.read(models.bundled_models("litert")[0])
    contract = replace(sealed.contract, payload=replace(sealed.contract.payload, sha256="0" * 64))
    found = needs(contract, sealed.payload)

    assert found["measured"] is None
    assert {"as C", "fits on", "memory"} <= set(dict(rows(found)))
    assert "chips" not in dict(rows(found))


def test_what_c_cannot_be_of_is_told_with_the_reason() -> None:
    sealed = sealed_model.read(models.bundled_models("litert")[0])
    contract = replace(sealed.contract, input=replace(sealed.contract.input, dtype="int8"))
    assert needs(contract, sealed.payload)["no_c"] == "C takes uint8, this file has int8 in and uint8 out"
    contract = replace(sealed.contract, quantization="none")
    assert "int8 TFLite" in needs(contract, sealed.payload)["no_c"]
    assert needs(sealed.contract, b"")["no_c"] == "its graph cannot be read"


def test_what_is_missing_is_counted_with_the_stack() -> None:
    part = MICROCONTROLLERS[0]
    assert missing(part, part.flash, part.ram - STACK) == ""
    assert missing(part, part.flash + 2000, part.ram - STACK + 1) == "2,000 bytes of flash and 1 bytes of RAM"


def test_the_json_is_plain() -> None:
    sealed = sealed_model.read(models.bundled_models("litert")[0])
    found = needs(sealed.contract, sealed.payload)
    assert json.loads(json.dumps(found)) == found
    assert found["c"]["code_bytes"] == CODE
