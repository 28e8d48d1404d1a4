from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.model_file import sealed_model

Invoke = Callable[..., tuple[int, str, str]]
Device = Callable[..., Any]


def test_everything_of_interest_is_shown(invoke: Invoke, model_file: Path) -> None:
    sealed = sealed_model.read(model_file)
    contract = sealed.contract

    code, out, err = invoke("inspect", model_file)

    assert (code, err) == (0, "")
    for shown in (
        str(model_file),
        contract.format,
        contract.quantization,
        contract.payload.sha256,
        f"{contract.payload.size:,}",
        " ".join(contract.labels),
        contract.input.dtype,
        contract.input.polarity,
        contract.input.real_value,
        "classic",
        "110,474 parameters",
        contract.origin["dataset"]["sha256"],
        f"{len(sealed.golden.images)} images",
        *(f"{row['engine']} {row['version']}" for row in contract.runtimes),
    ):
        assert shown in out


def test_json_is_the_contract(invoke: Invoke, model_file: Path) -> None:
    contract = sealed_model.read(model_file).contract

    code, out, err = invoke("inspect", "--json", model_file)

    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found.pop("needs")) == {"c", "no_c", "measured", "memory"}
    assert found == {"model": str(model_file), **json.loads(contract.to_json())}


def test_a_contract_without_origin_and_parity_is_shown_too(
    invoke: Invoke, int8_file: Path, reseal: Callable[..., Path]
) -> None:
    bare = reseal(int8_file, contract=lambda contract: replace(contract, origin={}, parity=None, runtimes=()))

    code, out, _ = invoke("inspect", bare)

    assert code == 0
    assert "unknown" in out


@pytest.mark.parametrize(
    "changes",
    [
        {"runtimes": ({},)},
        {"runtimes": ({"engine": "litert"},)},
        {"origin": {"dataset": "mnist"}},
        {"origin": {"dataset": None}},
        {"origin": {"architecture": None, "parameters": "many"}},
        {"parity": {"summary": 3}},
    ],
    ids=str,
)
def test_a_contract_that_says_things_in_other_words_is_shown_or_refused(
    invoke: Invoke, tflite_file: Path, reseal: Callable[..., Path], changes: dict[str, Any]
) -> None:
    """Another release may have written it; that is nobody's internal error."""
    file = reseal(tflite_file, contract=lambda contract: replace(contract, **changes))

    code, _, err = invoke("inspect", file)

    assert code in (0, 4), err


def test_what_a_user_must_know_of_the_data_stands_out(
    invoke: Invoke, int8_file: Path, reseal: Callable[..., Path]
) -> None:
    origin = {"dataset": {"name": "digits", "warning": "trained on few images"}}
    file = reseal(int8_file, contract=lambda contract: replace(contract, origin=origin))

    _, out, _ = invoke("inspect", file)

    assert any(line.startswith("WARNING") and "trained on few images" in line for line in out.splitlines())


def test_no_engine_is_needed(device: Device, tflite_file: Path) -> None:
    result = device("inspect", tflite_file, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})

    assert result.returncode == 0
    assert "mnist_edge_runtime.model_file.sealed_model" in result.stderr  # imports are listed
    assert "ai_edge_litert" not in result.stderr
