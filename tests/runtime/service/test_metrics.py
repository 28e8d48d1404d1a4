from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mnist_edge_runtime import __version__
from mnist_edge_runtime.service.metrics import Metrics

from .conftest import App


def _values(text: bytes) -> dict[str, float]:
    found = (line.rpartition(" ") for line in text.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in found}


def test_requests_steps_and_refusals_are_counted() -> None:
    waiting = [3]
    metrics = Metrics(lambda: waiting[0], {"file": 'a "b".tflite'})
    metrics.request("/v1/classify", 200, 0.004)
    metrics.request("/v1/classify", 429, 0.001)
    metrics.step("prepare", 0.002)
    found = _values(metrics.text())
    assert found['mnist_edge_requests_total{route="/v1/classify",status="200"}'] == 1
    assert found['mnist_edge_refused_total{reason="busy"}'] == 1
    assert found['mnist_edge_refused_total{reason="token"}'] == 0
    assert found['mnist_edge_request_seconds_bucket{le="0.005",route="/v1/classify"}'] == 2
    assert found['mnist_edge_prepare_seconds_bucket{le="0.0025"}'] == 1
    assert found["mnist_edge_engine_seconds_count"] == 0
    assert found["mnist_edge_waiting"] == 3
    assert found['mnist_edge_model_info{file="a \\"b\\".tflite"}'] == 1


def test_the_service_counts_what_it_answers(app: App, drawn: Sequence[bytes]) -> None:
    app.post("/v1/classify", drawn[0])
    app.post("/v1/classify", b"none")
    app.get("/no/such/path")
    app.get("/neither")
    answer = app.get("/metrics")
    found = _values(answer.body)
    assert re.match(r"text/plain; version=", answer.headers["content-type"])
    assert found['mnist_edge_requests_total{route="/v1/classify",status="200"}'] == 1
    assert found['mnist_edge_requests_total{route="/v1/classify",status="422"}'] == 1
    assert found['mnist_edge_requests_total{route="other",status="404"}'] == 2
    assert found["mnist_edge_prepare_seconds_count"] == 2
    assert found["mnist_edge_engine_seconds_count"] == 1
    (model,) = (name for name in found if name.startswith("mnist_edge_model_info"))
    assert f'version="{__version__}"' in model


def test_services_in_one_process_count_for_themselves(app_with: Callable[..., App]) -> None:
    first, second = app_with(), app_with()
    first.get("/healthz")
    assert b'route="/healthz"' in first.get("/metrics").body
    assert b'route="/healthz"' not in second.get("/metrics").body
