"""Measure the service through sockets, and try to break it; write a section of docs/service.md.

    python benchmarks/service.py

Starts `mnist-edge-runtime serve` and compares the answers to 100,000 requests, on 8 connections, with those of a
Classifier in this process; watches the memory of the service; sends 10,000 mutated bodies; lets schemathesis try the
OpenAPI document; kills the service under load and starts it again. Fails where an answer is lost or another one's, the
service answers 500, or its memory grows.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mnist_edge_runtime.host import Host
from page_sections import write_section
from service_load import CONNECTIONS, NETWORK, Load, Service, in_process, killed, percentiles, pictures

PAGE = Path(__file__).parent.parent / "docs" / "service.md"
WARM_UP = 500  # requests before memory is measured for the first time
GROWTH = 4.0  # MB of memory that the service may grow by in the second half of the requests, or of the mutated bodies,
# where it levels off: a leak takes as much in the second half as in the first.
TYPES = {
    "picture": "application/octet-stream",
    "form": "multipart/form-data; boundary=limit",
    "json": "application/json",
}


def mutated(service: Service, drawn: Sequence[bytes], count: int, seed: int) -> Counter[str]:
    """Send mutated bodies of all forms; return the statuses that they got."""
    random, statuses = np.random.default_rng(seed), Counter[str]()
    entry = [[int(value) for value in row] for row in np.eye(9) * 255]
    forms = {
        "picture": drawn[0],
        "form": b'--limit\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\n'
        + drawn[1]
        + b"\r\n--limit--\r\n",
        "json": json.dumps({"pictures": [{"pixels": entry}], "preprocess": "auto"}).encode(),
    }
    for number in range(count):
        kind = [*forms][number % 3]
        data = bytearray(forms[kind])
        for _ in range(int(random.integers(1, 5))):
            start, size = int(random.integers(len(data) + 1)), int(2 ** random.uniform(0, 6))
            data[start : start + int(random.integers(size))] = random.bytes(int(random.integers(size)))
        path = "/v1/read" if number % 2 else "/v1/classify"
        connection = service.connection()
        try:
            connection.request("POST", path, bytes(data), {"Content-Type": TYPES[kind]})
            statuses[str(connection.getresponse().status)] += 1
        except (OSError, http.client.HTTPException) as error:
            statuses[f"no answer: {error!r}"] += 1
        finally:
            connection.close()
    return statuses


def schema(service: Service, examples: int) -> str:
    """Let schemathesis try what the OpenAPI document promises; return what it sent and found."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "schemathesis.toml").write_text(
            '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "422"]\n'
        )
        url, options = f"http://127.0.0.1:{service.port}/openapi.json", ["--seed", "18", "--no-color"]
        command = [sys.executable, "-m", "schemathesis.cli", "run", url, "--phases", "coverage,fuzzing", *options]
        command += ["--max-examples", str(examples)]
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    told = re.findall(r"Test cases:\n\s+(.*)", found.stdout)
    return told[0] if found.returncode == 0 and told else f"FAILED: {found.stdout[-2000:]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=100_000, help="Requests. (default: 100000)")
    parser.add_argument("--mutated", type=int, default=10_000, help="Mutated bodies. (default: 10000)")
    parser.add_argument(
        "--examples", type=int, default=100, help="Examples of schemathesis; 0 for none. (default: 100)"
    )
    parser.add_argument("--page", type=Path, default=PAGE, help="Page to write the section of.")
    arguments = parser.parse_args()
    drawn = pictures(50)
    expected, p50, p99 = in_process(drawn)
    service = Service()
    Load(service, drawn, expected).run(WARM_UP, CONNECTIONS)
    single = Load(service, drawn, expected)
    single.run(max(100, arguments.requests // 100), 1)
    memory = [service.megabytes()]
    load, start = Load(service, drawn, expected), time.perf_counter()
    middle = arguments.requests // 2 // 1000 * 1000
    load.run(
        arguments.requests, CONNECTIONS, lambda number: memory.append(service.megabytes()) if number == middle else None
    )
    seconds = time.perf_counter() - start
    memory.append(service.megabytes())
    # More code and larger pictures than before: what they free, the C library keeps for the next ones.
    statuses = mutated(service, drawn, arguments.mutated // 2, seed=17)
    memory.append(service.megabytes())
    statuses += mutated(service, drawn, arguments.mutated - arguments.mutated // 2, seed=18)
    memory.append(service.megabytes())
    examined = schema(service, arguments.examples) if arguments.examples else "not run"
    service.process.terminate()
    code = service.process.wait(60)
    restarted = killed(drawn, expected)
    rows = {
        "requests on 8 connections": f"{arguments.requests:,}, {arguments.requests / seconds:.0f} a second",
        "answered right, to the bit": f"{load.outcomes['right']:,}",
        "lost, or another's answer": f"{arguments.requests - load.outcomes['right']:,}",
        "MB of memory at the start, in the middle and at the end of the requests": _listed(memory[:-2]),
        "MB after the first half of the mutated bodies, and at their end": _listed(memory[-2:]),
        "preparation and network in one process, p50 and p99": f"{p50:.2f} and {p99:.2f} ms",
        "a request on 1 connection, p50 and p99": _beside(single.times, p50, p99),
        "a request among 8 connections, p50 and p99": _beside(load.times, p50, p99),
        "mutated bodies": f"{statuses.total():,}: "
        + ", ".join(f"{count:,} with {status}" for status, count in sorted(statuses.items())),
        "schemathesis": examined,
        "after kill -9 under load, the next start on the same port": f"{restarted['right']} of 200 answered right",
    }
    host = Host.here()
    cores = f"{host.cores} cores, which the sender shares"
    text = (
        f"By `python benchmarks/service.py`, with the network {NETWORK} on {host.cpu}, {cores}:\n\n| | |\n|---|---|\n"
    )
    text += "".join(f"| {name} | {value} |\n" for name, value in rows.items())
    print(text)
    write_section(arguments.page, "Measured", text)
    faults = {
        "lost or crossed": load.outcomes["right"] != arguments.requests or set(single.outcomes) != {"right"},
        "mutated bodies": any(status.startswith(("5", "no answer")) for status in statuses),
        "memory": memory[-3] - memory[-4] > GROWTH
        or memory[-1] - memory[-2] > max(GROWTH, (memory[-2] - memory[-3]) / 2),
        "schemathesis": examined.startswith("FAILED"),
        "restart": restarted != {"right": 200, "exit 0": 1},
        "end": code != 0,
    }
    for name in (found := [name for name, is_fault in faults.items() if is_fault]):
        print(f"FAULT: {name}: {load.outcomes} {statuses} {memory} {restarted} {examined}", file=sys.stderr)
    return 1 if found else 0


def _listed(figures: Sequence[float]) -> str:
    return ", ".join(f"{each:.1f}" for each in figures)


def _beside(times: Sequence[float], p50: float, p99: float) -> str:
    found = percentiles(times)
    return f"{found[0]:.2f} and {found[1]:.2f} ms: {found[0] / p50:.1f} and {found[1] / p99:.1f} times that"


if __name__ == "__main__":
    sys.exit(main())
