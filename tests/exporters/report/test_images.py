from __future__ import annotations

import base64
from pathlib import Path

from mnist_edge_exporters.report import images


def test_a_file_is_embedded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "plot.png").write_bytes(b"\x89PNG")
    uri = images.embedded(tmp_path / "plot.png")
    assert uri == images.png_data_uri(b"\x89PNG")
    assert base64.b64decode(uri.removeprefix("data:image/png;base64,")) == b"\x89PNG"


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert images.embedded(tmp_path / "plot.png") is None
