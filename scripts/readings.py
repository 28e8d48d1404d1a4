"""Draw the picture of the README: a digit of each class in styles that no network was trained on, and what is read.

python scripts/readings.py

The digits are the generator's; the network is the one that `Classifier.load()` takes. Ends with exit code 1 where it
does not read one of them right, or does not accept it.
"""

from __future__ import annotations

from pathlib import Path

from mnist_edge_runtime import Classifier
from mnist_edge_trainer.demo.demo import draw_readings
from mnist_edge_trainer.handwriting.generator import generate, number_of
from mnist_edge_trainer.handwriting.styles import styles

PICTURE = Path(__file__).parent.parent / "docs" / "readings.png"
SEED = 6
DIGITS = "0123456789"


def main() -> None:
    # Each digit has two styles that are held out; they take turns.
    drawn = [generate(SEED, number_of(styles(d, True)[int(d) % 2], 0), held_out=True) for d in DIGITS]
    with Classifier.load() as classifier:
        read = [classifier.classify(written.image) for written in drawn]
    for digit, prediction in zip(DIGITS, read, strict=True):
        if prediction.label != digit or not prediction.accepted:
            raise SystemExit(f"error: a {digit} is read as {prediction}")
    answers = [(prediction.label, prediction.confidence, prediction.accepted, True) for prediction in read]
    figure = draw_readings([written.picture for written in drawn], [written.image for written in drawn], answers)
    figure.savefig(PICTURE, dpi=100)


if __name__ == "__main__":
    main()
