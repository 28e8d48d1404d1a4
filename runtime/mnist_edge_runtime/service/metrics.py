"""Count requests and measure times, in the text format of Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest

__all__ = ["Metrics"]

_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # s
_REFUSED = {401: "token", 403: "origin", 408: "slow", 413: "size", 421: "host", 429: "busy", 503: "late"}


class Metrics:
    """What `/metrics` shows; each service has its own.

    Args:
        waiting: returns the number of requests that wait for a thread.
        model: what is to be told of the model, by the names of labels.
    """

    content_type = CONTENT_TYPE_PLAIN_1_0_0

    def __init__(self, waiting: Callable[[], float], model: dict[str, str]) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("mnist_edge_requests", "Requests.", ["route", "status"], registry=registry)
        self._refused = Counter("mnist_edge_refused", "Requests refused, by the reason.", ["reason"], registry=registry)
        for reason in _REFUSED.values():
            self._refused.labels(reason)
        self._seconds = Histogram(
            "mnist_edge_request_seconds", "Whole requests.", ["route"], buckets=_BOUNDS, registry=registry
        )
        self._steps = {
            step: Histogram(f"mnist_edge_{step}_seconds", title, buckets=_BOUNDS, registry=registry)
            for step, title in (
                ("prepare", "Decoding and preprocessing of a picture."),
                ("engine", "The network; of a page, finding its digits too."),
            )
        }
        Gauge("mnist_edge_waiting", "Requests that wait for a thread.", registry=registry).set_function(waiting)
        Info("mnist_edge_model", "The model that answers.", registry=registry).info(model)

    def camera(self, came: Callable[[], float], dropped: Callable[[], float]) -> None:
        """Also show how many frames have come from a camera, and how many of them were dropped."""
        for name, title, count in (("frames", "Frames that came.", came), ("dropped", "Frames dropped.", dropped)):
            Gauge(f"mnist_edge_camera_{name}", title, registry=self._registry).set_function(count)

    def step(self, step: str, seconds: float) -> None:
        """Count a step with a picture: "prepare" or "engine"."""
        self._steps[step].observe(seconds)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        if status in _REFUSED:
            self._refused.labels(_REFUSED[status]).inc()

    def text(self) -> bytes:
        """Return all of them."""
        return generate_latest(self._registry)
