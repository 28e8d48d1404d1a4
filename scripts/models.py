"""Export and measure the networks that benchmarks/train_models.py trained, publish them, and write docs/models.md.

python benchmarks/train_models.py --runs-dir runs/models
python scripts/models.py runs/models

What is exported or evaluated already is not done again. Of each network the seed that is best on the validation images
is published: into the runtime's package where it is the one that ships there, else into models/.
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
from mnist_edge_exporters import latency
from mnist_edge_runtime import sealing, shipped
from mnist_edge_trainer import data
from mnist_edge_trainer.run import MODEL

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "models.md"
NETWORKS = ("classic", "base", "small", "tiny", "nano")
FORMATS = {"litert": "tflite", "onnxruntime": "onnx"}
SHIPPED = "small"
PUBLISHED = ("base", "small", "tiny", "nano")
IMAGES = 500  # that take turns in the measurement of latency
TEMPLATE = """\
# Networks

Written by `python scripts/models.py runs/models` after `python benchmarks/train_models.py --runs-dir runs/models`.

Each network was trained on 55,000 of MNIST's training images, with {seeds} seeds; every choice, of recipe, epoch and
the seed that is published, was made on the other 5,000. Test accuracy is that of the int8 TFLite file as it ships, on
LiteRT: mean ± standard deviation over the seeds. Parameters include those of BatchNorm, which an export folds away; of
the KB 16 to 22 are contract and golden images. Latency is that of one image on one thread, all files in turns on one
x86-64 machine, as a ratio to `classic` of the same format ({engines}). What a Raspberry Pi
executes for each is in [boards](boards.md), of `base` about twice what `classic` takes.

{figures}

`classic` is trained as its tutorial has it, `base` alone by its recipe. `small`, `tiny` and `nano` learn from a
teacher, `base` with another seed, which reads {teacher} % of the validation images and has answered sixty variants of
each image.

## Light and dirt

Accuracy of the same int8 files on the test images under 22 corruptions, whose severities were fixed before any recipe
had seen them. Training knows the first eleven kinds in its own form, of the others nothing.

{robustness}

## Files

`models/` holds each network as `NAME-int8.tflite`, `NAME-int8.onnx` and `NAME.keras` ({chosen}); the files of `small`
lie in `runtime/mnist_edge_runtime/models/` instead and ship with the runtime, where `Classifier.load()` without a
path takes them. The self-test of all uses scikit-learn's digits (E. Alpaydin, C. Kaynak, UCI Machine Learning
Repository, CC BY 4.0), not MNIST.

```sh
mnist-edge-runtime selftest models/base-int8.tflite
mnist-edge export --model models/base.keras --data mnist --quantize float16
```

## To repeat

`benchmarks/train_models.py` prints the command of each training, and goes on where it was cut short:

```sh
mnist-edge train --arch base --seed 1001 --name teacher
mnist-edge train --arch small --seed 0 --teacher teacher --name small-0
mnist-edge export --run small-0 --format all --quantize int8 --golden digits
mnist-edge evaluate --model runs/small-0/exports/small-0-tflite-int8.tflite
```

Each takes one thread (`TF_NUM_INTRAOP_THREADS=1`): a second gains little, and another number of threads adds in another
order, which gives other weights. An epoch takes `base` 35 seconds and the others 6 to 9.

## What helped, and what did not

The network `base` and the recipe of `small` were chosen by the wrong answers on twenty lightly moved variants of each
validation image (`benchmarks/moved.py`): 5,000 images as they are cannot tell networks apart that miss 15 of them. Two
trainings of the same network lie about 0.05 points apart there. After 20 epochs with seed 0:

| `base` | parameters | MACs | wrong |
| --- | --- | --- | --- |
| stride 2 from the first convolution on, 4 x 4 at the end | 88,706 | 4,095,968 | 0.54 % |
| the same with dropout of 0.3 | 88,706 | 4,095,968 | 0.55 % |
| the same without light and dirt | 88,706 | 4,095,968 | 0.51 % |
| the same behind a convolution of full resolution | 97,914 | 5,972,864 | 0.52 % |
| stride 2 at the start, 7 x 7 at the end | 83,970 | 6,330,656 | 0.48 % |
| **full resolution at the start, 7 x 7 at the end** | 98,618 | 8,075,840 | **0.44 %** |

After 60 epochs the first has 0.44 to 0.48 %, the last 0.40 to 0.44 % (four seeds each), for twice the work. Teachers of
the first's size did not help it: one gave 99.62 and 99.68 % of the validation images in two runs, four 99.60 and
99.68 %.

| `small`, with a teacher | parameters | MACs | light and dirt | wrong |
| --- | --- | --- | --- | --- |
| 4 x 4 and a hidden layer at the end | 16,242 | 491,680 | on a fifth | 0.90 % |
| the same behind a 1 x 1 convolution of 48 channels, 7 x 7 at the end | 13,474 | 440,400 | on a fifth | 0.88 % |
| the same with a separable convolution of 48 channels | 13,786 | 450,984 | on a fifth | 0.81 % |
| **4 x 4 and a hidden layer at the end** | 16,242 | 491,680 | on a tenth | **0.76 %** |
| a separable convolution of 64 channels, 7 x 7 at the end | 16,106 | 471,608 | on a tenth | 0.76 % |
| two separable convolutions of 32 channels, 7 x 7 at the end | 13,034 | 494,648 | on a tenth | 0.79 % |

After its whole training `small` has 0.57 to 0.62 % with light and dirt on a tenth of the images for 150 epochs, 0.63 to
0.72 % with a fifth for 100 epochs and the earlier `base` for a teacher (three seeds each).

On the validation images as they are, after 8 epochs: global average pooling behind stride-2 convolutions (97.4 %, where
a depthwise convolution that weighs each place reaches 99.4 %); for `small`, other shares of its parameters between the
stages and the hidden layer (99.16 to 99.34 % against 99.38 %). After whole trainings, and too little to tell from
chance: sixteen variants of each image that a teacher answers in place of sixty (`small`: 99.58 and 99.60 %); four
teachers in place of one (`small`: 99.70 and 99.54 %). XLA makes these networks slower on a CPU.
"""


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
        folder = shipped.files()[0].parent if network == SHIPPED else ROOT / "models"
        folder.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / f"{network}-int8{file.suffix}")
    keras.models.load_model(trained.folder / MODEL, compile=False).save(ROOT / "models" / f"{network}.keras")


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
        " / ".join(f"{file.stat().st_size / 1024:.1f}" for file in best.files.values()),
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


def main(runs_dir: Path) -> None:
    """Measure, publish, write the page."""
    found = {
        network: [measured(file.parent) for file in sorted(runs_dir.glob(f"{network}-[0-9]*/run.json"))]
        for network in NETWORKS
    }
    best = {network: max(runs, key=lambda run: run.validation) for network, runs in found.items()}
    timed = [(file, engine) for network in NETWORKS for engine, file in best[network].files.items()]
    times = latency.measure(timed, data.load("mnist").test_images[:IMAGES])
    ratios = {
        network: [
            times[file, engine] / times[best["classic"].files[engine], engine]
            for engine, file in best[network].files.items()
        ]
        for network in NETWORKS
    }
    for network in PUBLISHED:
        publish(network, best[network])
    contracts = [sealing.read(file).contract for file in best[SHIPPED].files.values()]
    versions = {row["engine"]: row["version"] for contract in contracts for row in contract.runtimes}
    teacher = record_of(runs_dir / "teacher")["metrics"]["validation"]["accuracy"]
    page = TEMPLATE.format(
        seeds=min(len(runs) for runs in found.values()),
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
        chosen=", ".join(f"`{network}` seed {best[network].record['seed']}" for network in PUBLISHED),
    )
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
