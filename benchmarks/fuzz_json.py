"""Fuzz the two readers of JSON, contracts and the lines on stdin; write their section of docs/hardening.md.

    python benchmarks/fuzz_json.py

100,000 contracts with random values, keys and bytes are sealed with a valid digest and read; what is accepted is loaded
and classifies an image. 100,000 random lines go through one `classify --jsonl -`. Fails where anything but an error of
the product ends a reading, an answer is NaN, a line has no answer of its own, or memory grows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, MnistEdgeError, ModelError, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.base import Trailer
from mnist_edge_runtime.model_file.formats.registry import FORMATS
from page_sections import write_section
from resident_memory import resident_kib

PAGE = Path(__file__).parent.parent / "docs" / "hardening.md"
TEXT = """\
By `python benchmarks/fuzz_json.py`: contracts of the bundled files with values, keys and bytes exchanged, each sealed
with a valid digest; what is accepted is loaded and classifies an image. And lines on stdin, through one
`classify --jsonl -`. Resident memory is that of the process after a tenth of the cases and at the end.

| | cases | refused | accepted | other errors | NaN | slowest | MiB, then | MiB, at the end |
|---|---|---|---|---|---|---|---|---|
"""
# Values that readers of JSON stumble over, as they stand in a document.
STRANGE = [
    *("null", "true", "false", "0", "-0", "1", "-1", "255", "256", "1.0", "0.5", "1e-320", "1e-46", "1e39", "1e308"),
    *("1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9223372036854775808", "1" + "0" * 400, "1" + "0" * 5000),
    *('""', '"0"', '"NaN"', r'"\ud800"', r'"\u0000"', r'"\u001b[31m"', '"a\\nb"', '"' + "x" * 10_000 + '"', '"\u202e"'),
    *("[]", "{}", "[[]]", "[0]", '[""]', '{"a": 1}', '{"a": 1, "a": 2}', "[" * 3000 + "]" * 3000, '["0", "1"]'),
]


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document."""
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path, *(place for key, value in items for place in _places(value, (*path, key)))]


def _with_mark(document: Any, path: tuple[Any, ...]) -> Any:
    """Return the document with the value at `path` replaced by a mark."""
    if not path:
        return "@mark@"
    copy = document.copy()
    copy[path[0]] = _with_mark(document[path[0]], path[1:])
    return copy


def mutated(document: Any, random: np.random.Generator) -> bytes:
    """Return a JSON document with one to three of its values replaced, and sometimes some of its bytes."""
    text = json.dumps(document, ensure_ascii=False)
    for _ in range(int(random.integers(1, 4))):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            break
        places = _places(found)[1:] or [()]
        marked = json.dumps(_with_mark(found, places[int(random.integers(len(places)))]), ensure_ascii=False)
        text = marked.replace('"@mark@"', STRANGE[int(random.integers(len(STRANGE)))])
    data = text.encode(errors="surrogatepass")
    if random.random() < 0.2:
        start, size = int(random.integers(len(data))), int(2 ** random.uniform(0, 5))
        data = data[:start] + random.bytes(int(random.integers(size + 1))) + data[start + size :]
    return data


def _sealed(sealed: sealed_model.SealedModel, contract: bytes) -> bytes:
    """Seal a payload with any bytes as its contract; labels as the contract has them, if it has some."""
    try:
        labels = json.loads(contract)["labels"]
        lines = "".join(f"{label}\n" for label in labels).encode()
    except Exception:  # the reader under test has to find its own words for it
        lines = "".join(f"{label}\n" for label in sealed.contract.labels).encode()
    trailer = Trailer(contract, sealed.golden_bytes, lines)
    body = sealed.payload + FORMATS[sealed.contract.format].write_trailer(len(sealed.payload), trailer)
    return body + hashlib.sha256(body).hexdigest().encode()


def read_contracts(count: int) -> dict[str, Any]:
    """Read `count` contracts, in a process of its own."""
    random, outcomes, memory = np.random.default_rng(0), Counter[str](), []
    files = [sealed_model.read(file) for file in models.bundled_models()]
    image, slowest = files[0].golden.images[0], 0.0
    for number in range(count):
        sealed = files[number % len(files)]
        data = _sealed(sealed, mutated(json.loads(sealed.contract.to_json()), random))
        start = time.perf_counter()
        try:
            with Classifier(sealed_model.unseal(data), accept_all=True) as classifier:
                outcomes["NaN"] += math.isnan(classifier.classify(image).confidence)
            outcomes["accepted"] += 1
        except MnistEdgeError as error:
            outcomes["refused"] += 1
            if not isinstance(error, ModelError) and "cannot run it" not in str(error):
                outcomes[f"other: {error!r}"] += 1
        except Exception as error:
            outcomes["other"] += 1
            print(f"contract {number}: {error!r}", file=sys.stderr)
        slowest = max(slowest, time.perf_counter() - start)
        if number in (count // 10, count - 1):
            memory.append(resident_kib(os.getpid()))
    return {"outcomes": outcomes, "slowest": slowest, "memory": memory}


def lines(count: int) -> list[bytes]:
    """Return random lines of JSON, none of them empty and none with a break in it."""
    random = np.random.default_rng(0)
    image = (np.eye(28) * 255).astype(int)
    entries: list[dict[str, Any]] = [
        {"pixels": image.tolist(), "id": "a 7"},
        {"pixels": image.ravel().tolist()},
        {"pixels": (image[:9, :9] / 255).tolist(), "id": 7},
        {"file": "missing.png", "id": 0.5},
        {"file": "/dev/null"},
        {"pixels": [[0, 255, 0]] * 3},
    ]
    found: list[bytes] = []
    while len(found) < count:
        line = mutated(entries[int(random.integers(len(entries)))], random)
        if line.strip() and b"\n" not in line and (found or line.startswith(b"{")):
            found.append(line)
    return found


def read_lines(count: int) -> dict[str, Any]:
    """Send `count` lines through one process, which must answer each before the next is sent."""
    command = [sys.executable, "-m", "mnist_edge_runtime", "classify", "--jsonl", "-"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdin
    assert child.stdout
    outcomes, memory, slowest = Counter[str](), [], 0.0
    for number, line in enumerate(lines(count)):
        start = time.perf_counter()
        child.stdin.write(line + b"\n")
        child.stdin.flush()
        answer = child.stdout.readline()
        if not answer:
            raise SystemExit(f"line {number} ended the process: {line[:200]!r}")
        constants: list[str] = []
        document = json.loads(answer, parse_constant=constants.append)
        outcomes["NaN"] += len(constants)
        outcomes["refused" if "error" in document else "accepted"] += 1
        if number:  # the first waits for the start of the process
            slowest = max(slowest, time.perf_counter() - start)
        if number in (count // 10, count - 1):
            memory.append(resident_kib(child.pid))
    child.stdin.close()
    if child.wait() != 3:
        raise SystemExit(f"the stream ended with exit code {child.returncode}, expected 3")
    return {"outcomes": outcomes, "slowest": slowest, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="Number of contracts, and of lines.")
    parser.add_argument("--page", type=Path, default=PAGE, help="Page to write.")
    parser.add_argument("--growth", type=int, default=4096, help="Largest growth of memory that is none, in KiB.")
    options = parser.parse_args()
    text, failures = TEXT, []
    kinds: tuple[tuple[str, Callable[[int], dict[str, Any]]], ...] = (
        ("lines on stdin", read_lines),
        ("contracts", read_contracts),
    )
    for name, read in kinds:
        found = read(options.cases)
        outcomes, (then, end) = found["outcomes"], found["memory"]
        other = sum(number for outcome, number in outcomes.items() if outcome.startswith("other"))
        cells = (outcomes["refused"], outcomes["accepted"], other, outcomes["NaN"])
        text += f"| {name} | {options.cases:,} | {' | '.join(f'{cell:,}' for cell in cells)} "
        text += f"| {found['slowest'] * 1000:.0f} ms | {then / 1024:.1f} | {end / 1024:.1f} |\n"
        if other or outcomes["NaN"] or end - then > options.growth:
            failures.append(f"{name}: {found}")
    write_section(options.page, "Contracts and lines of JSON", text)
    sys.exit("\n".join(failures) or 0)


if __name__ == "__main__":
    main()
