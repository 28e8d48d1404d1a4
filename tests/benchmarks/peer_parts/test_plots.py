from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image


def test_a_plot_for_each_part_that_was_measured(part: Callable[[str], Any], figures: Any, tmp_path: Path) -> None:
    del figures["training-0"]

    files = part("plots").draw(tmp_path, figures)

    assert [file.name for file in files] == ["peers-conversion.png", "peers-photos.png"]
    for file in files:
        assert file.stat().st_size < 60_000
        with Image.open(file) as picture:
            assert picture.width > 400
