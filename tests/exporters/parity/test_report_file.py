from __future__ import annotations

from pathlib import Path

from mnist_edge_exporters.parity.report_file import path_for


def test_the_report_is_beside_its_file() -> None:
    assert path_for(Path("exports/own-onnx-int8.onnx")) == Path("exports/own-onnx-int8.onnx.parity.json")
