from __future__ import annotations

from typing import Any

import pytest
from mnist_edge_exporters import spec as spec_module
from mnist_edge_exporters.spec import (
    VARIANTS,
    ExportSpec,
    Granularity,
    IoDtype,
    Quantization,
    formats,
    select,
    variant_info,
)
from mnist_edge_runtime import UsageError


def test_all_stands_for_every_variant_that_needs_no_force_and_no_extra() -> None:
    without_extra = {variant: info for variant, info in VARIANTS.items() if not info.needs_extra}
    assert [spec.variant for spec in select("all", "all")] == [
        variant for variant, info in without_extra.items() if not info.needs_force
    ]
    assert [spec.variant for spec in select("all", "all", force=True)] == list(without_extra)


def test_a_variant_whose_extra_is_missing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec_module, "find_spec", lambda module: None)
    with pytest.raises(
        UsageError, match=r"tflite-int4 needs ai-edge-quantizer; install it in .* pip install ./runtime '\.\[int4\]'"
    ):
        select("tflite", "int4")
    assert select("tflite", "all")


def test_what_tflite_runtime_may_load_and_answer_wrongly_must_have_run() -> None:
    wayward = {("tflite", Quantization.INT16X8), ("tflite", Quantization.INT4)}
    assert {variant for variant in VARIANTS if variant_info(*variant).must_run} == wayward
    assert not variant_info("tflite", "int3").must_run


@pytest.mark.parametrize("format", formats())
@pytest.mark.parametrize("quantization", Quantization)
def test_a_variant_is_made_or_refused_by_name(format: str, quantization: Quantization) -> None:
    if (format, quantization) in VARIANTS:
        assert list(map(str, select(format, quantization, force=True))) == [f"{format}-{quantization}"]
    else:
        with pytest.raises(UsageError, match=rf"{format} --quantize {quantization} is not offered.*tflite-none"):
            select(format, quantization)


def test_a_variant_not_worth_having_needs_force_and_says_why() -> None:
    with pytest.raises(UsageError, match=r"--force only: .*381 against 71"):
        select("onnx", "dynamic")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "tflite-int8"),
        ({"io_dtype": "int8"}, "tflite-int8-int8-io"),
        ({"io_dtype": "float32", "granularity": "per-tensor"}, "tflite-int8-float32-io-per-tensor"),
    ],
)
def test_options_stand_in_the_name(options: dict[str, str], name: str) -> None:
    assert list(map(str, select("tflite", "int8", **options))) == [name]  # type: ignore[arg-type]


def test_options_reach_only_the_variants_that_have_them() -> None:
    specs = {str(spec): spec for spec in select("all", "all", io_dtype="float32", opset=18)}
    assert specs["tflite-int8-float32-io"].io_dtype is IoDtype.FLOAT32
    assert specs["tflite-none"] == ExportSpec("tflite", Quantization.NONE)
    assert specs["onnx-none-opset18"].opset == 18


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("tensorrt", "int8"), {}, "--format tensorrt is unknown; choose from all, tflite, onnx"),
        (("c", "none"), {}, "--format c is made of the int8 file with uint8 images"),
        (("c", "int8"), {"io_dtype": "int8"}, "--format c is made of the int8 file with uint8 images"),
        (("tflite", "int3"), {}, "--quantize int3 is unknown"),
        (("tflite", "int8"), {"io_dtype": "int16"}, "--io-dtype int16 is unknown"),
        (("tflite", "int8"), {"granularity": "per-row"}, "--granularity per-row is unknown"),
        (("onnx", "none"), {"opset": 9}, "--opset is 9, expected 13 to 18"),
        (("tflite", "none"), {"io_dtype": "int8"}, "--io-dtype int8 does nothing for tflite-none"),
        (("tflite", "int8"), {"opset": 18}, "--opset 18 does nothing"),
        (("onnx", "float16"), {"granularity": Granularity.PER_TENSOR}, "--granularity per-tensor does nothing"),
        (
            ("onnx", "int8"),
            {"io_dtype": "int8"},
            "--io-dtype int8 is not offered for onnx-int8; choose from uint8, float32",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: tuple[str, str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        select(*arguments, **options)


def test_source_code_is_made_of_the_int8_file_and_no_part_of_all() -> None:
    assert list(map(str, select("c", "int8", granularity="per-tensor"))) == ["tflite-int8-per-tensor"]
    assert "c" not in formats()
