from __future__ import annotations

import itertools
from xml.etree import ElementTree

from markupsafe import Markup
from mnist_edge_exporters.report import charts
from mnist_edge_exporters.report.charts import Point

POINTS = [Point("none", "litert", 60.0, 0.98), Point("int8", "litert", 30.0, 0.97), Point("none", "other", 90.0, 0.975)]
SERIES = {"litert": 0, "other": 1}


def _of_class(drawn: Markup, name: str) -> list[ElementTree.Element]:
    return [each for each in ElementTree.fromstring(drawn).iter() if name in each.attrib.get("class", "").split()]


def _titles(drawn: Markup) -> list[str]:
    return [title.text or "" for title in ElementTree.fromstring(drawn).iter("title")]


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


def test_every_series_has_a_mark_of_its_own() -> None:
    marks = [charts.mark(number) for number in range(charts.SERIES)]
    assert len(set(marks)) == charts.SERIES
    assert all(len(_of_class(mark, f"s{number}")) == 1 for number, mark in enumerate(marks))
