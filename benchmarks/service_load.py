"""Start the service, and send it requests whose answers are known; imported by `service.py`."""

from __future__ import annotations

import http.client
import io
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.answer_fields import prediction_fields
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image
from resident_memory import resident_kib

CONNECTIONS = 8
NETWORK = "small"


class Service:
    """`mnist-edge-runtime serve`, once it listens."""

    def __init__(self, port: int = 0) -> None:
        command = [sys.executable, "-m", "mnist_edge_runtime", "serve", "--network", NETWORK, "--port", str(port)]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(command, stderr=self.log)
        while not (found := re.search(r"serving on http://127\.0\.0\.1:(\d+)/", self.told())):
            if self.process.poll() is not None:
                raise SystemExit(f"it did not start: {self.told()}")
            time.sleep(0.05)
        self.port = int(found[1])

    def told(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def megabytes(self) -> float:
        """Return the resident memory."""
        return resident_kib(self.process.pid) * 1024 / 1e6


def pictures(count: int) -> list[bytes]:
    """Return PNG files of drawn digits of several sizes."""
    random = np.random.default_rng(18)
    found = []
    for number in range(count):
        size, tilt, pen = (
            int(random.integers(60, 240)),
            float(random.uniform(-15, 15)),
            float(random.uniform(0.03, 0.06)),
        )
        data = io.BytesIO()
        Image.fromarray(draw(str(number % 10), size=size, tilt=tilt, pen=pen)).save(data, "PNG")
        found.append(data.getvalue())
    return found


def in_process(drawn: Sequence[bytes]) -> tuple[list[dict[str, Any]], float, float]:
    """Return the answers of a Classifier in this process, and p50 and p99 of preparation and network in ms."""
    answers, times = [], []
    with Classifier.load(NETWORK) as classifier:
        for turn in range(6):
            for data in drawn:
                start = time.perf_counter()
                found = classifier.classify(to_mnist(load_picture(io.BytesIO(data))))
                times.append(1000 * (time.perf_counter() - start))
                if turn == 0:
                    answers.append(prediction_fields(found))
    times = times[len(drawn) :]
    return answers, *percentiles(times)


def percentiles(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), float(np.percentile(times, 99))


class Load:
    """Requests on several connections, each answer compared with the expected one."""

    def __init__(self, service: Service, drawn: Sequence[bytes], expected: Sequence[dict[str, Any]]) -> None:
        self.service, self.drawn, self.expected = service, drawn, expected
        self.outcomes = Counter[str]()
        self.times: list[float] = []
        self._lock = threading.Lock()

    def run(self, requests: int, connections: int, after: Callable[[int], None] = lambda number: None) -> None:
        """Send the requests; `after` gets the number of those that were answered, now and then."""
        left = [requests]

        def ask(seed: int) -> None:
            random, connection = np.random.default_rng(seed), self.service.connection()
            while True:
                with self._lock:
                    if left[0] <= 0:
                        return
                    left[0] -= 1
                    number = requests - left[0]
                self._ask(connection, int(random.integers(len(self.drawn))))
                if number % 1000 == 0:
                    after(number)

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, connection: http.client.HTTPConnection, place: int) -> None:
        start = time.perf_counter()
        try:
            connection.request("POST", "/v1/classify", self.drawn[place], {"Content-Type": "image/png"})
            response = connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            outcome = "lost"
        else:
            self.times.append(1000 * (time.perf_counter() - start))
            outcome = self._compared(response.status, data, place)
        with self._lock:
            self.outcomes[outcome] += 1

    def _compared(self, status: int, data: bytes, place: int) -> str:
        if status != 200:
            return f"status {status}"
        (entry,) = json.loads(data)["predictions"]
        del entry["milliseconds"]
        return "right" if entry == self.expected[place] else "another answer"


def killed(drawn: Sequence[bytes], expected: Sequence[dict[str, Any]]) -> Counter[str]:
    """Kill a service under load, start it again on its port, and return what it answers then."""
    first = Service()
    load = Load(first, drawn, expected)
    load.run(2000, CONNECTIONS, lambda number: first.process.kill() if number == 1000 else None)
    again = Service(first.port)
    after = Load(again, drawn, expected)
    after.run(200, CONNECTIONS)
    again.process.terminate()
    after.outcomes[f"exit {again.process.wait(60)}"] += 1
    return after.outcomes
