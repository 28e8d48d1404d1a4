from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup
from mnist_edge_exporters.report import charts
from mnist_edge_exporters.report.charts import Point

POINTS = [Point("none", "litert", 60.0, 0.98), Point("int8", "litert", 30.0, 0.97), Point("none", "other", 90.0, 0.975)]
SERIES = {"litert": 0, "other": 1}


def _of_class(drawn: Markup, name: str) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(drawn).iter() if name in each.attrib.get("class", "").split()]


def _titles(drawn: Markup) -> list[str]:
    return [title.text or "" for title in ElementTree.fromstring(drawn).iter("title")]


def test_a_learning_curve_has_a_point_for_each_epoch() -> None:
    history = {"loss": [0.9, 0.5, 0.3], "val_loss": [0.8, 0.6, 0.55]}
    drawn = charts.learning_curve(history, "loss")
    assert "validation, epoch 2: 0.6000" in _titles(drawn)
    for name in ("training", "validation"):
        (line,) = _of_class(drawn, f"{name}")[:1]
        heights = [float(pair.split(",")[1]) for pair in line.attrib["points"].split()]
        assert heights == sorted(heights)  # falling values go down the page
        assert len(heights) == 3


@pytest.mark.parametrize("accuracy", [[0.5], [1.0, 1.0], [0.0, 0.0]])
def test_a_learning_curve_of_one_epoch_or_one_value_is_drawn(accuracy: list[float]) -> None:
    drawn = charts.learning_curve({"accuracy": accuracy, "val_accuracy": accuracy}, "accuracy")
    assert len(_of_class(drawn, "dot")) == 2 * len(accuracy)
    assert "nan" not in drawn


def test_a_long_history_is_a_line_without_dots() -> None:
    history = {"loss": [1 / number for number in range(1, 61)], "val_loss": [1 / number for number in range(1, 61)]}
    assert _of_class(charts.learning_curve(history, "loss"), "dot") == []


def test_a_trade_off_names_every_file_and_the_reference() -> None:
    drawn = charts.trade_off(POINTS, 0.981, "µs", SERIES)
    assert _titles(drawn) == [
        "litert, none: 60 µs, 98.00%",
        "litert, int8: 30 µs, 97.00%",
        "other, none: 90 µs, 97.50%",
    ]
    assert [name.text for name in _of_class(drawn, "name")] == ["none", "int8", "none"]
    assert "Keras model 98.10%" in drawn
    assert [len(_of_class(drawn, f"point s{number}".split()[1])) for number in (0, 1)] == [4, 2]  # a mark and a name


def test_the_front_leaves_out_what_another_file_beats_in_both() -> None:
    assert charts._front(POINTS) == [POINTS[1], POINTS[0]]
    (line,) = _of_class(charts.trade_off(POINTS, 0.981, "µs", SERIES), "front")
    corners = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    assert len(corners) == 5
    assert all(x1 <= x2 and y1 >= y2 for (x1, y1), (x2, y2) in itertools.pairwise(corners))


def test_one_file_alone_is_drawn() -> None:
    assert "nan" not in charts.trade_off(POINTS[:1], POINTS[0].accuracy, "KB", SERIES)


def test_a_confusion_matrix_counts_and_escapes() -> None:
    counts = np.array([[9, 1], [0, 5]])
    drawn = charts.confusion_matrix(counts, ["<a>", "b"])
    assert _titles(drawn) == ["<a> read as <a>: 9 of 10", "<a> read as b: 1 of 10", "b read as b: 5 of 5"]
    assert "<a>" not in drawn
    assert [count.text for count in _of_class(drawn, "count")] == ["9", "1", "5"]
    assert [cell.attrib["fill-opacity"] for cell in _of_class(drawn, "wrong") if cell.tag == "rect"] == ["1"]


def test_many_classes_are_drawn_without_counts_or_names() -> None:
    drawn = charts.confusion_matrix(np.eye(62, dtype=np.int64), [str(number) for number in range(62)])
    assert _of_class(drawn, "count") == []
    assert _of_class(drawn, "tick") == []
    assert len(_titles(drawn)) == 62
