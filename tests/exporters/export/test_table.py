from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mnist_edge_exporters.export.export import Exported
from mnist_edge_exporters.export.table import table


def test_a_line_a_file_with_aligned_figures(exported: Mapping[str, Exported]) -> None:
    header, *rows, published = table(list(exported.values())).splitlines()
    rows, twins = rows[: len(exported)], rows[len(exported) :]
    assert header.split() == ["file", "KB", "accuracy", "difference", "agreement", "verdict"]
    assert [row.split()[0] for row in rows] == [outcome.file.name for outcome in exported.values() if outcome.file]
    assert {row.index("passed") for row in rows} == {header.index("verdict")}
    assert [twin.split(" give ")[0] for twin in twins] == [
        f"tflite-{quantization} and onnx-{quantization}" for quantization in ("none", "float16", "int8")
    ]
    assert published.endswith("exports")


def test_what_was_not_published_says_so(exported: Mapping[str, Exported]) -> None:
    failed = replace(exported["onnx-int8"], file=None, twin=None, failures=("too far",))
    _, row = table([failed]).splitlines()
    assert row.startswith("onnx-int8 (not published)")
    assert row.endswith("FAILED")
