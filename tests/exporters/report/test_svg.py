from __future__ import annotations

from xml.etree import ElementTree

import pytest
from mnist_edge_exporters.report.svg import WIDTH, Scale, axes, drawing, element


def test_everything_but_markup_is_escaped() -> None:
    inner = element("title", "<b> & 'c'")
    assert element("g", inner, class_="a", stroke_width=1.25, aria_label='"') == (
        '<g class="a" stroke-width="1.25" aria-label="&#34;"><title>&lt;b&gt; &amp; &#39;c&#39;</title></g>'
    )


def test_coordinates_have_no_more_digits_than_can_be_seen() -> None:
    assert element("circle", cx=1 / 3, cy=2.0) == '<circle cx="0.33" cy="2"></circle>'


def test_scales_keep_proportions() -> None:
    linear, log = Scale(0, 10, 100, 200), Scale(10, 1000, 100, 200, log=True)
    assert [linear(value) for value in (0, 5, 10)] == [100, 150, 200]
    assert [log(value) for value in (10, 100, 1000)] == pytest.approx([100, 150, 200])


def test_ticks_are_round_and_within() -> None:
    assert Scale(0.9815, 0.982, 0, 1).ticks() == pytest.approx([0.9815, 0.9816, 0.9817, 0.9818, 0.9819, 0.982])
    assert Scale(17, 1300, 0, 1, log=True).ticks() == pytest.approx([20, 50, 100, 200, 500, 1000])


def test_a_short_logarithmic_axis_has_ticks_too() -> None:
    """That of a single file spans less than a factor of two."""
    assert Scale.across(137.8 / 1.3, 137.8 * 1.3).ticks() == pytest.approx([120, 140, 160])


def test_a_drawing_says_what_it_shows() -> None:
    x, y = Scale.across(1, 50), Scale.up(0, 1)
    root = ElementTree.fromstring(drawing([axes(x, y, "KB", "{:g}".format, "{:.0%}".format)], "accuracy & size"))
    assert root.attrib["aria-label"] == "accuracy & size"
    assert root.attrib["viewBox"].startswith(f"0 0 {WIDTH} ")
    assert {"KB", "1", "100%"} <= {text.text for text in root.iter("text")}
