"""Measure conversions of the same weights: seconds, size, accuracy, agreement with Keras, and integers at both ends."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import plain_files
from .session import CALIBRATION, HERE, ROOT, Session

__all__ = ["CONTENDERS", "NETWORKS", "export", "files", "proofs", "times"]

NETWORKS = ("small", "base")
WEIGHTS = ROOT / "trainer" / "mnist_edge_trainer" / "networks" / "weights"
TURNS = 2  # of each conversion


@dataclass(frozen=True)
class Contender:
    """A way to convert: its name on the page, and that of its worker's function.

    Attributes:
        title: its name on the page.
        key: the worker's name of it; of ours, the format.
        suffix: of its files.
        ours: whether `mnist-edge` converts.
    """

    title: str
    key: str
    suffix: str
    ours: bool = False


CONTENDERS = (
    Contender("mnist-edge, TFLite int8", "tflite", ".tflite", ours=True),
    Contender("TFLiteConverter, int8 by its guide", "tflite-converter", ".tflite"),
    Contender("ai-edge-quantizer, static int8", "ai-edge-quantizer", ".tflite"),
    Contender("Keras' export, litert (float32)", "keras-litert", ".tflite"),
    Contender("mnist-edge, ONNX int8", "onnx", ".onnx", ours=True),
    Contender("onnxruntime's quantize_static", "onnxruntime", ".onnx"),
    Contender("Keras' export, onnx (float32)", "keras-onnx", ".onnx"),
)


def convert(session: Session, contender: Contender, network: str) -> dict[str, Any]:
    """Convert once in a process of its own; return the seconds of its parts and of the whole, or why it failed."""
    file = converted(session, contender, network)
    file.unlink(missing_ok=True)
    worker = "export_worker.py" if contender.ours else "converters_worker.py"
    python = Path(sys.executable) if contender.ours else session.environment("converters")
    command = [python, HERE / worker, contender.key, WEIGHTS / f"{network}.keras", session.calibration(), file]
    result, seconds = timed(command)
    if result.returncode or not file.is_file():
        return {"failed": (result.stderr.strip().splitlines() or ["no reason was given"])[-1]}
    return {**json.loads(result.stdout.splitlines()[-1]), **seconds}


def timed(command: Sequence[Any]) -> tuple[subprocess.CompletedProcess[str], dict[str, float]]:
    """Run a command; return its result, the seconds of the whole, and those that processors worked in it."""
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    whole, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, {"whole": whole, "processor": sum(after[:2]) - sum(before[:2])}


def converted(session: Session, contender: Contender, network: str) -> Path:
    """Return where the file of a conversion lies."""
    owner = "ours-" if contender.ours else ""
    return session.folder / f"{network}-{owner}{contender.key}{contender.suffix}"


def files(session: Session) -> dict[str, Any]:
    """Convert each network in each way and measure the files: what does not depend on the speed of this machine."""
    images, labels = session.test()
    found: dict[str, dict[str, Any]] = {}
    for network in NETWORKS:
        keras = session.keras_answers(WEIGHTS / f"{network}.keras").argmax(axis=1)
        found[network] = {"keras": {"accuracy": float((keras == labels).mean())}}
        for contender in CONTENDERS:
            session.say(f"{network}: {contender.title}")
            row = convert(session, contender, network)
            if "failed" not in row:
                row = measured(converted(session, contender, network), images, labels, keras)
            found[network][contender.title] = row
    return {"networks": found, "calibration": CALIBRATION}


def measured(file: Path, images: Any, labels: Any, keras: Any) -> dict[str, Any]:
    """Return the figures of a plain file on images (N, 28, 28) with labels and Keras' answers, both (N,)."""
    outcome = plain_files.run(file, images)
    answers = outcome.answers.argmax(axis=1)
    return {
        "bytes": file.stat().st_size,
        "takes": outcome.takes,
        "gives": outcome.gives,
        "accuracy": float((answers == labels).mean()),
        "changed": int((answers != keras).sum()),
    }


def times(session: Session) -> dict[str, Any]:
    """Time each conversion, all in turns."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {network: {} for network in NETWORKS}
    for turn in range(TURNS):
        for network in NETWORKS:
            for contender in CONTENDERS:
                session.say(f"turn {turn + 1} of {TURNS}, {network}: {contender.title}")
                found[network].setdefault(contender.title, []).append(convert(session, contender, network))
    result = {
        network: {title: medians(rows) for title, rows in by_title.items()} for network, by_title in found.items()
    }
    return {"networks": result, "turns": TURNS}


def proofs(session: Session) -> dict[str, Any]:
    """Time the whole `mnist-edge export` with its proof."""
    found: dict[str, dict[str, Any]] = {network: {} for network in NETWORKS}
    for network in NETWORKS:
        for contender in CONTENDERS:
            if contender.ours:
                session.say(f"{network}: the whole export, {contender.key}")
                found[network][contender.title] = export(session, network, contender.key, "int8")[1]
    return {"networks": found}


def medians(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure, or the failure of any."""
    failed = [row for row in rows if "failed" in row]
    if failed:
        return dict(failed[0])
    return {key: round(statistics.median(row[key] for row in rows), 3) for key in rows[0]}


def export(session: Session, network: str, format: str, quantization: str) -> tuple[Path, dict[str, float]]:
    """Run `mnist-edge export` on the weights of a network; return the proven file and what `timed` does."""
    folder = session.folder / "exported"
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{network}.keras"
    shutil.copyfile(WEIGHTS / model.name, model)
    options = ["--model", str(model), "--data", "mnist", "--golden", "digits", "--json"]
    command = [sys.executable, "-m", "mnist_edge.cli", "export", "--format", format, "--quantize", quantization]
    result, seconds = timed([*command, *options])
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed with {result.returncode}: {result.stderr.strip()}")
    return Path(json.loads(result.stdout)["exports"][0]["file"]), seconds
