"""Check that a network reads the pixels, and names the classes, as the contract of its files says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.prediction import softmax
from numpy.typing import NDArray
from scipy.stats import binomtest

from ..output_head import gives_probabilities
from ..source import Source
from .apply import listed, reading_of
from .readings import Reading, all_readings
from .scales import Statistics
from .search import Better, find_better

__all__ = ["checked"]

_STOPS = 0.003  # accuracy that another reading must gain to stop an export
_GUESSING = 0.9  # share of the errors of always naming the commonest class; above it a network has learnt nothing
_READS = 0.5  # share of them, above which nobody has trained it for that reading
_POOR = 2 / 9  # share of the errors of guessing, above which an accuracy is warned of: for ten classes below 80 %
_FEW = 200  # images, below which a warning needs more than the bare share
_UNLIKELY = 0.05  # p-value, below which it has that
_TOGETHER, _BATCH = 12_000, 500  # images in memory, and in one step


def checked(source: Source, reference: NDArray[np.float32], *, as_is: bool = False) -> Source:
    """Return the source with what was found about its pixels in its origin; tell every warning on stderr.

    Args:
        source: the model and its data.
        reference: the model's probabilities for the test images, float32 (N, classes).
        as_is: warn of what would stop the export, and record that.

    Raises:
        ModelError: the network reads the images significantly better in another way, and the message names the option
            that provides it; or it reads them no better than by guessing, and none of the other ways helps.
    """
    truth = source.test[1]
    answered = reference.argmax(axis=1)
    accuracy, guessing = float((answered == truth).mean()), np.bincount(truth).max() / len(truth)
    record: dict[str, Any] = {}
    found = [each for each in _search(source, reference) if 1 - each.answers.accuracy < _READS * (1 - guessing)]
    warnings, stops = [], False
    if found:
        warnings.append(_sentence(source, accuracy, found))
        stops = found[0].answers.accuracy - accuracy >= _STOPS
        record["better"] = {
            "reading": str(found[0].reading),
            "labels": list(_labels(source, found[0])),
            "accuracy": found[0].answers.accuracy,
            "p": found[0].p,
        }
    elif 1 - accuracy > _GUESSING * (1 - guessing):
        stops = True
        warnings.append(
            f"the network reads {accuracy:.2%} of the {len(truth):,} test images, no better than guessing "
            f"({guessing:.2%}), and no other scale, polarity or orientation of their pixels and no other order of its "
            "labels helps; train it, or name its own data with --data"
        )
    if stops and not as_is:
        raise ModelError(warnings[0])
    if not stops:
        warnings += _poor(source.labels, answered, truth)
    for warning in warnings:
        tell(f"WARNING: {warning}")
    if stops:
        record["as_is"] = True
    if warnings:
        record["warnings"] = warnings
    if not record:
        return source
    pixels = {"reading": str(reading_of(source)), "accuracy": accuracy, "images": len(truth), **record}
    return replace(source, origin={**source.origin, "pixels": pixels})


def _search(source: Source, reference: NDArray[np.float32]) -> list[Better]:
    statistics, first = Statistics.of(source.train[0]), reading_of(source)
    readings = [first, *(each for each in all_readings(statistics) if each != first)]
    network = source.own_network
    is_softmax = gives_probabilities(network)

    def predict(some: Sequence[Reading], images: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = images[..., np.newaxis] / np.float32(255)
        upright = dict.fromkeys(each.before_turning for each in some)
        scaled = {each: np.asarray(each.apply(pixels, statistics)) for each in upright}
        many = max(1, _TOGETHER // len(images))
        answers = []
        for start in range(0, len(some), many):
            tensor = np.concatenate([each.turn(scaled[each.before_turning]) for each in some[start : start + many]])
            answers.append(_predicted(network, tensor))
        together = np.nan_to_num(np.concatenate(answers))
        found: NDArray[np.float32] = together if is_softmax else softmax(together)
        return found.reshape(len(some), len(images), -1)

    return find_better(predict, readings, *source.test, reference)


def _predicted(network: Any, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what `network.predict` does, without the data set that it prepares each time, in batches all alike."""
    padded = np.concatenate([tensor, np.zeros((-len(tensor) % _BATCH, *tensor.shape[1:]), np.float32)])
    answers = [network.predict_on_batch(batch) for batch in np.split(padded, len(padded) // _BATCH)]
    return np.concatenate(answers)[: len(tensor)]


def _labels(source: Source, found: Better) -> Sequence[str]:
    order = found.answers.order
    return source.labels if order is None else [source.labels[index] for index in order]


def _sentence(source: Source, accuracy: float, found: Sequence[Better]) -> str:
    """Return what is wrong and which options put it right."""
    best, as_it_is = found[0], reading_of(source)
    how, options, nearly = [], [], ""
    if best.reading != as_it_is:
        how.append(f"with {best.reading}")
        options.append(f"--pixels {best.reading}")
        others = [each for each in found[1:] if each.answers.accuracy >= best.answers.accuracy - _STOPS]
        names = [f"{each.reading} {each.answers.accuracy:.2%}" for each in others if each.reading != as_it_is]
        nearly = f" (nearly as well: {', '.join(names)})" if names else ""
    if best.answers.order is not None:
        labels = listed(_labels(source, best))
        how.append(f"if its outputs stand for {labels} in this order")
        options.append(f"--labels {shlex.quote(labels)}")
    said = "p < 1e-300" if best.p < 1e-300 else f"p = {best.p:.0e}"
    return (
        f"the network reads {accuracy:.2%} of the {len(source.test[1]):,} test images with the pixels that every "
        f"device gives it ({as_it_is}), but {best.answers.accuracy:.2%} {' and '.join(how)}{nearly}; exact McNemar "
        f"test, {said}. Export it with {' '.join(options)}, or with --as-is if it is meant so"
    )


def _poor(labels: Sequence[str], answered: NDArray[np.int64], truth: NDArray[np.int64]) -> list[str]:
    """Return warnings of a low accuracy, and of classes that are never answered."""
    right, count = int((answered == truth).sum()), len(truth)
    expected = 1 - _POOR * (1 - 1 / len(labels))
    warnings = []
    is_sure = count >= _FEW or binomtest(right, count, expected, alternative="less").pvalue < _UNLIKELY
    if right / count < expected and is_sure:
        warnings.append(
            f"the network reads only {right / count:.2%} of the {count:,} test images, where {expected:.0%} of "
            f"{len(labels)} classes is little; train it longer, or name its own data with --data"
        )
    asked, given = (np.bincount(some, minlength=len(labels)) for some in (truth, answered))
    # Of N images, a network that reads every second one would miss all with a probability of 0.5 ** N.
    never = [label for label, n, m in zip(labels, asked, given, strict=True) if not m and 0.5**n < _UNLIKELY]
    if never:
        warnings.append(
            f"the network never answers {listed(never)}, also for none of the test images of "
            f"{'it' if len(never) == 1 else 'them'}; is its data that of --data?"
        )
    return warnings
