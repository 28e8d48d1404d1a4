"""Export and measure the networks that benchmarks/train_models.py trained, publish them, and write docs/models.md.

python benchmarks/train_models.py --runs-dir runs/models
python scripts/models.py runs/models

What is exported or evaluated already is not done again. Of each network the seed that is best on the validation images
is published: its int8 files into the runtime's package where they ship there, else into models/, its Keras model into
the trainer's package.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import page_module
from mnist_edge_exporters.analysis import latency
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.handwriting import pool
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file
from mnist_edge_trainer.runs.run import MODEL
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "models.md"
NETWORKS = ("classic", "base", "small", "tiny", "nano", "pico")
FORMATS = {"litert": "tflite", "onnxruntime": "onnx"}
TEMPLATE = Path(__file__).with_suffix(".md")


@dataclass(frozen=True)
class Trained:
    """A run with the measurements of its int8 files."""

    folder: Path
    record: dict[str, Any]
    evaluation: dict[str, Any]

    @property
    def files(self) -> dict[str, Path]:
        """The int8 file of each engine."""
        stem = self.folder / "exports" / self.folder.name
        return {engine: Path(f"{stem}-{suffix}-int8.{suffix}") for engine, suffix in FORMATS.items()}

    @property
    def validation(self) -> tuple[float, float]:
        """What the choice goes by: accuracy, then the lower loss."""
        figures = self.record["metrics"]["validation"]
        return figures["accuracy"], -figures["loss"]


def mnist_edge(*arguments: str | Path) -> None:
    """Run the command line, which says itself what it does."""
    subprocess.run([sys.executable, "-m", "mnist_edge.cli", *map(str, arguments)], check=True, stdout=sys.stderr)


def record_of(folder: Path) -> dict[str, Any]:
    """Return what a run says of itself."""
    return dict(json.loads((folder / "run.json").read_text(encoding="utf-8")))


def measured(folder: Path) -> Trained:
    """Return a run, exported to int8 in both formats, its TFLite file evaluated on the test images."""
    trained = Trained(folder, record_of(folder), {})
    if not all(file.is_file() for file in trained.files.values()):
        export = ("export", "--format", "all", "--quantize", "int8", "--golden", "digits")
        mnist_edge(*export, "--runs-dir", folder.parent, "--run", folder.name)
    file = trained.files["litert"]
    evaluation = file.with_name(f"{file.name}.evaluation.json")
    if not evaluation.is_file():
        mnist_edge("evaluate", "--model", file)
    return Trained(folder, trained.record, json.loads(evaluation.read_text(encoding="utf-8")))


def publish(network: str, trained: Trained) -> None:
    """Copy the files; the Keras model without its optimizer, which is four times as large as the network."""
    for file in trained.files.values():
        folder = models.bundled_models()[0].parent if network in models.NETWORKS else ROOT / "models"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / f"{network}-int8{file.suffix}")
    keras.models.load_model(trained.folder / MODEL, compile=False).save(weights_file(network))


def percent(values: list[float], digits: int = 2) -> str:
    """Return mean and standard deviation in percent."""
    spread = f" ± {statistics.stdev(values) * 100:.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values) * 100:.{digits}f}{spread}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows])


def figures(network: str, runs: list[Trained], best: Trained, ratios: list[float]) -> list[str]:
    """Return the row of one network."""
    accuracies = [run.evaluation["accuracy"] for run in runs]
    return [
        network,
        f"{best.record['parameters']:,}",
        f"{best.record['macs']:,}",
        percent([run.validation[0] for run in runs]),
        f"**{percent(accuracies)}**",
        ", ".join(f"{accuracy * 100:.2f}" for accuracy in accuracies),
        " / ".join(f"{file.stat().st_size / 1000:.1f}" for file in best.files.values()),
        " / ".join(f"{ratio:.2f}" for ratio in ratios),
    ]


def robustness(network: str, runs: list[Trained]) -> list[str]:
    """Return the row of one network under the corruptions."""
    kinds = [{**run.evaluation["corruptions"]["shared"], **run.evaluation["corruptions"]["held out"]} for run in runs]
    means = {kind: statistics.mean(each[kind] for each in kinds) for kind in kinds[0]}
    worst = min(means, key=lambda kind: means[kind])
    return [
        network,
        *(percent([run.evaluation["corruption_means"][part] for run in runs], 1) for part in ("shared", "held out")),
        f"**{percent([statistics.mean(each.values()) for each in kinds], 1)}**",
        f"{worst}, {means[worst] * 100:.1f}",
    ]


def handwriting(network: str, run: Trained, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> list[str]:
    """Return the row of one network on generated digits in styles that no training saw."""
    with Classifier.load(run.files["litert"]) as classifier:
        logits, threshold = classifier.logits(images), classifier.contract.output.threshold or 0.0
        right, accepted = logits.argmax(axis=1) == labels, classifier.scores(logits) >= threshold
    wrong = np.count_nonzero(accepted & ~right)
    return [network, percent([right.mean()]), percent([accepted.mean()], 1), f"{wrong} of {accepted.sum():,}"]


def main(runs_dir: Path) -> None:
    """Measure, publish, write the page."""
    found = {
        network: [measured(file.parent) for file in sorted(runs_dir.glob(f"{network}-[0-9]*/run.json"))]
        for network in NETWORKS
    }
    best = {network: max(runs, key=lambda run: run.validation) for network, runs in found.items()}
    timed = [(file, engine) for network in NETWORKS for engine, file in best[network].files.items()]
    times = latency.measure(timed)
    ratios = {
        network: [
            times[file, engine] / times[best["classic"].files[engine], engine]
            for engine, file in best[network].files.items()
        ]
        for network in NETWORKS
    }
    for network in PUBLISHED:
        publish(network, best[network])
    page_module.write()
    contracts = [sealed_model.read(file).contract for file in best[models.NETWORKS[0]].files.values()]
    versions = {row["engine"]: row["version"] for contract in contracts for row in contract.runtimes}
    drawn = pool.held_out(contracts[0].labels)
    teacher = record_of(runs_dir / "teacher")["metrics"]["validation"]["accuracy"]
    page = TEMPLATE.read_text(encoding="utf-8").format(
        engines=", ".join(f"{engine} {versions[engine]}" for engine in FORMATS),
        teacher=percent([teacher]),
        figures=table(
            [
                *("network", "parameters", "MACs", "validation", "int8 test accuracy", "each seed"),
                *("KB, TFLite / ONNX", "latency, LiteRT / onnxruntime"),
            ],
            [figures(network, found[network], best[network], ratios[network]) for network in NETWORKS],
        ),
        robustness=table(
            ["network", "kinds shared with training", "kinds held out", "all 22", "hardest kind"],
            [robustness(network, found[network]) for network in NETWORKS],
        ),
        handwriting=table(
            ["network", "right", "accepted", "wrong of the accepted"],
            [handwriting(network, best[network], *drawn) for network in NETWORKS],
        ),
        chosen=", ".join(f"`{network}` seed {best[network].record['seed']}" for network in PUBLISHED),
    )
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
