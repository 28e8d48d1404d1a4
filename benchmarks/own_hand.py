"""Fine-tune a network on some pictures of a writer, and measure it on the writer's others, before and after.

    MNIST_EDGE_DATA=FOLDER python benchmarks/own_hand.py --photos ../shared/photos

Pictures lie in SINGLE/DIGIT/WRITER-NUMBER.png; none of them is part of the project. Of each digit of a writer every
second picture is learnt from, at most five; what is measured on, the training never sees.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import numpy as np
from mnist_edge_runtime import BlankError, load_picture, to_mnist
from mnist_edge_trainer.networks.published import PUBLISHED, weights_file
from mnist_edge_trainer.tensorflow_import import import_tensorflow
from page_sections import write_section

WRITERS = ("minichazer", "Aiano-28x28", "ujwalkasturi", "Xholoas")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "own-hand.md"
MOST = 5  # pictures of a digit that are learnt from
TEXT = """
`python benchmarks/own_hand.py`. Of each writer's photos and scans (none of these are part of the project) every
second one of each digit is learnt from, at most five; the columns of the hand are those of the
writer's other pictures that are read right, which the training never saw. Nothing was chosen by these pictures.

{table}

{missed} A training that changes no answer shows that it does no harm, and no gain. Seconds are by the clock, on two
cores that other programs shared.
"""


def parts_of(folder: Path, writer: str) -> tuple[list[Path], list[Path]]:
    """Return the pictures of a writer to learn from, and the others."""
    digits = defaultdict(list)
    for file in sorted(folder.glob(f"[0-9]/{writer}-*")):
        if re.fullmatch(rf"{re.escape(writer)}-[0-9]+", file.stem):
            digits[file.parent.name].append(file)
    learnt = [file for files in digits.values() for file in files[::2][:MOST]]
    return learnt, [file for files in digits.values() for file in files if file not in learnt]


def right(model: Any, files: Sequence[Path]) -> int:
    """Count the pictures that a Keras model reads right; a picture in which nothing is found is not."""
    count = 0
    for file in files:
        try:
            image = to_mnist(load_picture(file))
        except BlankError:
            continue
        answer = model.predict_on_batch(image[np.newaxis, ..., np.newaxis] / np.float32(255)).argmax()
        count += int(answer) == int(file.parent.name)
    return count


def measured(folder: Path, writer: str, network: str) -> dict[str, Any]:
    """Fine-tune a published network by the command line, as a person does, and return the figures."""
    import keras

    learnt, others = parts_of(folder, writer)
    with tempfile.TemporaryDirectory() as temporary:
        for file in learnt:
            target = Path(temporary, "own", file.parent.name, file.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
        command = [sys.executable, "-m", "mnist_edge.cli", "train", "--from", network, "--also", "own", "--json"]
        done = subprocess.run(command, cwd=temporary, check=True, stdout=subprocess.PIPE, text=True)
        record = json.loads(done.stdout)
        after = keras.models.load_model(Path(temporary, record["run"], "model.keras"), compile=False)
        before = keras.models.load_model(weights_file(network), compile=False)
        return {
            "network": network,
            "learnt": len(learnt),
            "others": len(others),
            "right": [right(model, others) for model in (before, after)],
            "tuning": record["fine_tuning"],
            "seconds": record["command_seconds"],
        }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each network and writer."""
    lines = [
        "| network | writer | learnt | hand before | hand after | MNIST validation | MNIST test after | change kept |"
        " seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        tuning = row["tuning"]
        before, after = (tuning[when]["validation"]["accuracy"] for when in ("before", "after"))
        last = tuning["attempts"][-1]
        lines.append(
            f"| `{row['network']}` | {row['letter']} | {row['learnt']} | "
            f"{row['right'][0]} of {row['others']} | **{row['right'][1]}** of "
            f"{row['others']} | {before:.2%} → {after:.2%} | {tuning['after']['test']['accuracy']:.2%} | "
            f"{last['share']:.0%} at {last['learning_rate']:g} | {row['seconds']:.0f} |"
        )
    return "\n".join(lines)


def missed(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on how many pictures were read wrongly before, and of these after."""
    before, after = (sum(row["others"] - row["right"][when] for row in rows) for when in (0, 1))
    return f"{before} of all these pictures were read wrongly before, {after} after."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="Folder with single/DIGIT/WRITER-NUMBER.png.")
    parser.add_argument(
        "--networks", nargs="+", choices=PUBLISHED, default=["pico", "small"], help="Networks to fine-tune."
    )
    parser.add_argument("--writers", nargs="+", default=WRITERS, help="Writers, by the names of their files.")
    parser.add_argument("--write", action="store_true", help="Write the table into docs/own-hand.md.")
    options = parser.parse_args()
    import_tensorflow()
    rows = [
        {"letter": letter, **measured(options.photos / "single", writer, network)}
        for network in options.networks
        for letter, writer in zip(ascii_uppercase, options.writers, strict=False)
    ]
    print(table(rows))
    if options.write:
        write_section(PAGE, "Measured", TEXT.format(table=table(rows), missed=missed(rows)))


if __name__ == "__main__":
    main()
