"""The page of an export, opened from disk in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.integer.network import Network
from mnist_edge_exporters.javascript.project import Project

Make = Callable[..., tuple[Project, Network]]


@pytest.mark.parametrize("seed", [None, 5])
def test_it_has_the_network_and_tests_itself(make: Make, seed: int | None, browser: Any, tmp_path: Path) -> None:
    """A random network as well, whose layers are of other kinds; all are shown."""
    (tmp_path / "net.html").write_text(make(seed)[0].files["net.html"], encoding="utf-8")
    page, said = browser.new_page(), []
    page.on("console", lambda each: said.append(each.text))
    page.goto((tmp_path / "net.html").as_uri())
    assert page.inner_text("#verdict") == "The self-test passed: 100 of 100 logits are those of net.tflite, to the bit."
    page.click("#examples button:nth-child(8)")
    page.click("#inside summary")
    page.locator("#inside:not([aria-busy]) .layer").first.wait_for()
    layers = len(re.findall(r"\{name:'(?!Another scale)", make(seed)[0].module))
    assert page.locator(".layer").count() == layers > 3
    assert said == []
    page.close()
