from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mnist_edge_trainer.evaluation import plots
from mnist_edge_trainer.evaluation.corruptions import HELD_OUT, SHARED, corrupt
from mnist_edge_trainer.evaluation.results import Bin, ClassFigures, Evaluation, Mistake
from numpy.typing import NDArray
from PIL import Image

IMAGES = np.random.default_rng(0).integers(0, 256, (400, 28, 28), np.uint8)


def drawn(figure: Figure) -> None:
    """Draw it as `save` does: some mistakes show only then."""
    assert isinstance(figure, Figure)
    target = io.BytesIO()
    figure.savefig(target, dpi=60)
    with Image.open(target) as picture:
        assert len(np.unique(np.asarray(picture))) > 2


def pictures(figure: Figure) -> list[Axes]:
    return [axes for axes in figure.axes if axes.images]


def pixels(axes: Axes) -> NDArray[Any]:
    """Return the one image drawn there."""
    [image] = axes.images
    return np.asarray(image.get_array())


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    """400 answers on 20 images a class, 3 of them wrong."""
    return Evaluation(
        model="m.keras",
        engine="keras",
        dataset={"name": "custom", "warning": None},
        part="validation",
        images=400,
        accuracy=0.9925,
        accuracy_interval=(0.98, 1.0),
        confidence=0.95,
        ece=0.0425,
        calibration=(Bin(0.4, 0.6, 100, 0.55, 0.5), Bin(0.8, 1.0, 300, 0.9, 1.0)),
        classes={"a": ClassFigures(1.0, 0.985, 0.99, 200), "b": ClassFigures(0.985, 1.0, 0.99, 200)},
        confusion=((197, 3), (0, 200)),
        mistakes=(Mistake(5, "a", "b", 0.99), Mistake(2, "a", "b", 0.8), Mistake(9, "a", "b", 0.6)),
        corruptions={SHARED: {"shift": 0.75, "inversion": 0.25}, HELD_OUT: {"fog": 0.875}},
        acceptance=None,
    )


def test_mistakes(evaluation: Evaluation) -> None:
    figure = plots.mistakes(evaluation, IMAGES)
    drawn(figure)
    assert figure.get_suptitle() == "The 3 most confident of 3 mistakes on 400 validation images"
    shown = pictures(figure)
    assert [axes.get_title() for axes in shown] == ["b, is a  99%", "b, is a  80%", "b, is a  60%"]
    for axes, number in zip(shown, (5, 2, 9), strict=True):
        np.testing.assert_array_equal(pixels(axes), IMAGES[number])


def test_no_mistakes(evaluation: Evaluation) -> None:
    flawless = replace(evaluation, mistakes=(), confusion=((200, 0), (0, 200)))
    figure = plots.mistakes(flawless, IMAGES)
    drawn(figure)
    assert pictures(figure) == []
    assert "0 mistakes" in figure.get_suptitle()


def test_reliability(evaluation: Evaluation) -> None:
    figure = plots.reliability(evaluation)
    drawn(figure)
    upper, lower = figure.axes
    assert upper.get_title() == "Expected calibration error 4.25%"
    _, dots = upper.lines
    np.testing.assert_allclose(dots.get_xydata(), [(0.55, 0.5), (0.9, 1.0)])
    boxes = [bar.get_bbox().bounds for bar in upper.patches]
    np.testing.assert_allclose(boxes, [(0.4, 0, 0.2, 0.5), (0.8, 0, 0.2, 1.0)])
    assert [bar.get_height() for bar in lower.patches] == [100, 300]


def test_corruptions_stand_apart_by_use(evaluation: Evaluation) -> None:
    figure = plots.corruptions(evaluation, IMAGES)
    drawn(figure)
    shared, _, held_out, strip = figure.axes
    assert shared.get_title() == "Shared: mean 50.0%, clean 99.2%"
    assert held_out.get_title() == "Held out: mean 87.5%, clean 99.2%"
    assert [label.get_text() for label in shared.get_yticklabels()] == ["shift", "inversion"]
    assert [bar.get_width() for bar in shared.patches] == [0.75, 0.25]
    assert [bar.get_width() for bar in held_out.patches] == [0.875]
    np.testing.assert_array_equal(pixels(strip)[:, :28], corrupt(IMAGES[:6], "fog")[0])
