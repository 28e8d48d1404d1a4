"""docs/service.md: its requests are sent as they stand there, and its tables are the code's."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime.service.limits import Limits
from mnist_edge_runtime.service.metrics import Metrics
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image

from .runtime.service.conftest import Running

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "service.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"^curl .*$", PAGE, re.M)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    running = Running("--network", "small")
    yield running
    running.close()


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_is_answered(request_: str, running: Running, tmp_path: Path) -> None:
    Image.fromarray(draw("7")).save(tmp_path / "seven.png")
    Image.fromarray(np.hstack([draw("1"), draw("2")])).save(tmp_path / "page.jpg")
    command = shlex.split(request_.replace(":8028/", f":{running.port}/"))
    command[1:1] = ["--silent", "--show-error", "--fail-with-body"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr + found.stdout
    answer = json.loads(found.stdout)
    if "/v1/read" in request_:
        assert [line["text"] for line in answer["readings"][0]["lines"]] == ["12"]
    elif "seven.png" in request_:
        assert answer["predictions"][0]["label"] == "7"
        assert ("image" in answer["predictions"][0]) == ("image=1" in request_)
    elif "pixels" in request_:
        (prediction,) = answer["predictions"]
        assert (prediction["label"], prediction["accepted"]) == ("1", True)
    else:
        assert "contract" in answer


def test_a_blank_picture_is_answered_as_the_page_says(running: Running) -> None:
    (entry,) = running.ask("POST", "/v1/classify", b"P5 28 28 255\n" + bytes(784)).json["predictions"]
    row = next(line for line in PAGE.splitlines() if line.startswith("| `POST /v1/classify`"))
    told = "`label` and `probabilities` null, `confidence` 0.0, `accepted` false and the `reason`"
    assert f"a blank picture has {told} |" in row
    assert (entry["label"], entry["probabilities"], entry["confidence"], entry["accepted"]) == (None, None, 0.0, False)
    assert entry["reason"].startswith("the picture is blank")


def test_there_are_requests() -> None:
    assert len(REQUESTS) >= 6


def test_the_limits_are_the_codes() -> None:
    limits = Limits()
    values = dict(re.findall(r"^\| ([^|]*?) \| ([^|]*?) \| [^|]*? \|$", PAGE, re.M))
    expected = {
        "body of a request": f"{limits.body / 1e6:g} MB",
        "all bodies": f"{limits.bodies / 1e6:g} MB",
        "pictures of": f"{limits.pictures}",
        "requests that wait": f"{limits.waiting}",
        "time for an answer": f"{limits.seconds:g} s",
        "time for a body": f"{limits.body_seconds:g} s",
        "time for a head": f"{limits.head_seconds:g} s",
        "head of": f"{limits.head / 1024:g} KiB",
        "connections": f"{limits.connections}",
    }
    for name, value in expected.items():
        (stated,) = (text for row, text in values.items() if row.startswith(name))
        assert stated.split(" (")[0] == value


def test_every_metric_is_named() -> None:
    served = Metrics(lambda: 0, {}).text().decode()
    names = {name for name in re.findall(r"^# TYPE (mnist_edge_\w+)", served, re.M) if not name.endswith("_created")}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
