"""Fuzz the reading of model files, run files without a contract, stream many pictures; write docs/hardening.md.

    python benchmarks/fuzz_model_files.py

25,000 random mutations of each bundled model file are read as `classify` reads its model, and 25,000 more whose digest
was made valid again, as an attacker would; mutations of the plain models, which have no contract, run with
`--no-verify`; and 100,000 pictures go through one `classify -` while its memory is watched. Fails where a mutation is
accepted, a process ends by a signal or memory grows.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import EngineError, ModelError, models
from mnist_edge_runtime.engines import registry
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.unverified import classifier as unverified
from mnist_edge_runtime.unverified.classifier import UnverifiedClassifier
from page_sections import write_section
from resident_memory import resident_kib

PAGE = Path(__file__).parent.parent / "docs" / "hardening.md"
DIGEST = 64
SECONDS_TO_HANG = 5
GROWTH_KIB = 1024
DAMAGED = """\
By `python benchmarks/fuzz_model_files.py`, on the files that ship with the runtime: {mutations:,} random mutations of
each: bits flipped, bytes overwritten, zeroed, inserted, removed, doubled, exchanged, taken from the other file, the end
cut off or something added. Each is read as every command reads its model, in one process, which has imported no engine
at the end. "Signed again" are mutations whose digest was made valid: the digest detects damage and is no signature.
Those that are accepted have the intact model and a changed trailer, with another digit in an accuracy, for example, or
other golden vectors, for which the self-test then fails.

| file | | refused | accepted | other errors | slowest |
|---|---|---|---|---|---|
"""
UNVERIFIED = """\
By `python benchmarks/fuzz_model_files.py`: {count:,} mutations of each plain model with `--no-verify`, which runs
them in a process of its own with {memory} MiB of memory and {seconds} seconds for each step. The calling process
continued every time, with an answer or an error of exit code 4; in brackets, the signals that ended the child.

| file | answered | refused before an engine | refused by the engine | crashes |
|---|---|---|---|---|
"""
STREAM = """\
By `python benchmarks/fuzz_model_files.py`: one `classify --jsonl -` reads {images:,} JPEG pictures, {rate:,.0f} a
second on this machine. Its resident memory after so many:

| pictures | MiB |
|---|---|
"""


def mutated(data: bytes, other: bytes, random: np.random.Generator) -> bytes:
    """Return `data` damaged in one random way."""

    def place(content: bytes) -> int:
        return int(random.integers(len(content)))

    start, size = place(data), int(2 ** random.uniform(0, 12))
    end, elsewhere = start + size, place(data)
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: _flipped(data, random),
        lambda: data[:start] + random.bytes(size) + data[end:],
        lambda: data[:start] + bytes(min(size, len(data) - start)) + data[end:],
        lambda: data[:start] + random.bytes(size) + data[start:],
        lambda: data[:start] + data[end:],
        lambda: data[:end] + data[start:],
        lambda: data[:start] + data[elsewhere : elsewhere + size] + data[end:],
        lambda: data[:start] + other[place(other) :][:size] + data[end:],
        lambda: data[:start],
        lambda: data + random.bytes(size),
    )
    while (changed := kinds[int(random.integers(len(kinds)))]()) == data:
        pass
    return changed


def _flipped(data: bytes, random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        changed[int(random.integers(len(data)))] ^= 1 << int(random.integers(8))
    return bytes(changed)


def read_mutations(path: str, other_path: str, count: int, signed: bool) -> dict[str, Any]:
    """Read `count` mutations of a file as a model; runs in a child, which must not end by a signal."""
    file, random = Path(path), np.random.default_rng(0)
    data, other = file.read_bytes(), Path(other_path).read_bytes()
    outcomes: Counter[str] = Counter()
    errors: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / file.name
        for number in range(count):
            if signed:
                body = mutated(data[:-DIGEST], other, random)
                damaged.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
            else:
                damaged.write_bytes(mutated(data, other, random))
            start = time.perf_counter()
            try:
                sealed_model.read(damaged)
                outcomes["accepted"] += 1
            except ModelError:
                outcomes["refused"] += 1
            except Exception as error:
                outcomes["other"] += 1
                errors.append(f"mutation {number}: {error!r}")
            slowest = max(slowest, time.perf_counter() - start)
    imported = [row.library for row in registry.ENGINES.values() if row.library in sys.modules]
    return {**outcomes, "errors": errors, "slowest": slowest, "imported": imported}


def in_child(*arguments: object) -> dict[str, Any]:
    """Call `read_mutations` in a child; raise where it ends by a signal."""
    result = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(arguments)], stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def try_unverified(file: Path, other: Path, count: int) -> Counter[str]:
    """Run mutations of the plain model without a contract and count the outcomes."""
    random = np.random.default_rng(0)
    payload, strange = sealed_model.read(file).payload, sealed_model.read(other).payload
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / file.name
        for _ in range(count):
            plain.write_bytes(mutated(payload, strange, random))
            try:
                with UnverifiedClassifier(plain) as classifier:
                    classifier.classify(np.zeros((28, 28), np.uint8))
                outcomes["answered"] += 1
            except EngineError as error:
                crash = re.search(r"\((SIG[A-Z]+)|took longer", str(error))
                outcomes[crash[1] or "time" if crash else "engine"] += 1
            except ModelError:
                outcomes["operators"] += 1
    return outcomes


def stream(count: int) -> tuple[dict[int, int], float]:
    """Send pictures through one process; return its resident memory in KiB after so many, and pictures a second."""
    from PIL import Image

    pictures = []
    for image in sealed_model.read(models.bundled_models()[0]).golden.images:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG")
        pictures.append(buffer.getvalue())
    command = [sys.executable, "-m", "mnist_edge_runtime", "classify", "--jsonl", "-"]
    command += ["--model", str(models.bundled_models()[0])]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin
    assert child.stdout
    memory: dict[int, int] = {}
    start = time.perf_counter()
    for number in range(1, count + 1):
        child.stdin.write(pictures[number % len(pictures)])
        child.stdin.flush()
        if '"label"' not in child.stdout.readline().decode():
            raise SystemExit(f"picture {number} was not read")
        if number == count or number % max(1, count // 10) == 0 or number == count // 100:
            memory[number] = resident_kib(child.pid)
    rate = count / (time.perf_counter() - start)
    child.stdin.close()
    if child.wait() != 0:
        raise SystemExit(f"the stream ended with exit code {child.returncode}")
    return memory, rate


def damaged(count: int) -> tuple[str, list[str]]:
    """Return the page's part on damaged files, and what failed."""
    text, failures, files = DAMAGED.format(mutations=count), [], models.bundled_models()
    for file, other in zip(files, reversed(files), strict=True):
        for signed in (False, True):
            found = in_child(str(file), str(other), count, signed)
            counts = [found.get(outcome, 0) for outcome in ("refused", "accepted", "other")]
            cells = [file.name, "signed again" if signed else "", *(f"{count:,}" for count in counts)]
            text += f"| {' | '.join(cells)} | {found['slowest'] * 1000:.0f} ms |\n"
            failures += [f"{file.name}: {error}" for error in found["errors"]]
            if found["imported"] or found["slowest"] > SECONDS_TO_HANG or (counts[1] and not signed):
                failures.append(f"{file.name}: {found}")
    return text, failures


def fuzz_unverified(count: int) -> tuple[str, list[str]]:
    """Return the page's part on files without a contract; an error that is no refusal ends the script itself."""
    text = UNVERIFIED.format(count=count, memory=unverified.MEMORY_BYTES >> 20, seconds=unverified.SECONDS)
    files = models.bundled_models()
    for file, other in zip(files, reversed(files), strict=True):
        ends = try_unverified(file, other, count)
        counts = [ends.pop(outcome, 0) for outcome in ("answered", "operators", "engine")]
        crashes = f"{ends.total()}" + (f" ({', '.join(f'{how} {n}' for how, n in ends.items())})" if ends else "")
        text += f"| {file.name} | {' | '.join(map(str, counts))} | {crashes} |\n"
    return text, []


def streamed(count: int) -> tuple[str, list[str]]:
    """Return the page's part on long streams, and what failed."""
    memory, rate = stream(count)
    text = STREAM.format(images=count, rate=rate)
    text += "".join(f"| {number:,} | {kib / 1024:.1f} |\n" for number, kib in memory.items())
    first, *_, last = memory.values()
    return text, [f"memory grew from {first} to {last} KiB"] if last - first > GROWTH_KIB else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=25_000, help="Number of mutations of each file.")
    parser.add_argument("--unverified", type=int, default=200, help="Number of mutations of each plain model.")
    parser.add_argument("--images", type=int, default=100_000, help="Number of pictures in the stream.")
    parser.add_argument("--page", type=Path, default=PAGE, help="Page to write.")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(read_mutations(*json.loads(options.child))))
        return
    failed = []
    for title, part, count in (
        ("Damaged model files", damaged, options.mutations),
        ("Files without a contract", fuzz_unverified, options.unverified),
        ("Long streams", streamed, options.images),
    ):
        text, failures = part(count)
        write_section(options.page, title, text)
        failed += failures
    sys.exit("\n".join(failed) or 0)


if __name__ == "__main__":
    main()
