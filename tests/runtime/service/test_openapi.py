"""The document is OpenAPI 3.1, and the service does what it says: schemathesis sends what fits it and what does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_runtime.service import openapi
from mnist_edge_runtime.service.limits import Limits
from mnist_edge_runtime.service.stability import STABLE

from .conftest import App, Running


def test_it_is_served_and_names_every_route(app: App) -> None:
    document = app.get("/openapi.json").json
    assert document == openapi.document(Limits(), with_token=False)
    assert document["openapi"] == "3.1.0"
    addresses = app.get("/nothing").error.partition("addresses are ")[2].split(", ")
    assert list(document["paths"]) == addresses


def test_with_a_token_it_says_where_it_is_asked_for() -> None:
    paths = openapi.document(Limits(), with_token=True)["paths"]
    closed = {path for path, operations in paths.items() for each in operations.values() if each["security"]}
    assert closed == {"/v1/model", "/v1/classify", "/v1/read", "/metrics"}
    assert all("401" in each["responses"] for path in closed for each in paths[path].values())


def test_with_a_camera_its_routes_are_there_too() -> None:
    paths = openapi.document(Limits(), with_token=True, with_camera=True)["paths"]
    assert {*paths} - {*openapi.document(Limits(), with_token=True)["paths"]} == {"/v1/camera", "/v1/reading"}
    assert "401" in paths["/v1/camera"]["get"]["responses"]


@pytest.mark.long
def test_the_service_does_what_it_says(running: Running, tmp_path: Path) -> None:
    found = _tried(running, tmp_path)
    assert "Tested: 7" in found  # all but that of the document itself


@pytest.mark.long
def test_a_service_with_a_camera_does_what_it_says(
    start: Callable[..., Running], tmp_path: Path, number_jpeg: Callable[..., bytes]
) -> None:
    (tmp_path / "film").mkdir()
    for number in range(STABLE):
        (tmp_path / "film" / f"{number}.jpg").write_bytes(number_jpeg("7"))
    running = start("--network", "small", "--camera", tmp_path / "film")  # of one without end, its answer has none
    found = _tried(running, tmp_path, "--include-path-regex", "^/v1/(camera|reading)$")
    assert "Tested: 2" in found


def _tried(running: Running, tmp_path: Path, *selected: str) -> str:
    """Return what schemathesis tells of a service, in which it finds no fault."""
    (tmp_path / "schemathesis.toml").write_text(
        # A picture that fits the document may still be none: 422.
        '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "422"]\n'
    )
    options = ["--phases", "fuzzing", "--max-examples", "4", "--seed", "18", "--no-color"]
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}openapi.json", *options, *selected]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout
