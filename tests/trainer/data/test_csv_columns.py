from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.data.csv_columns import of_first_row

PIXELS = [f"pixel{number}" for number in range(784)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_header_tells_the_places_by_names(separator: str) -> None:
    order = np.random.default_rng(0).permutation(784)
    found = of_first_row(separator.join(["id", *(PIXELS[place] for place in order), "Label"]))
    assert found
    assert (found.problem, found.separator, found.header, found.width) == ("", separator, True, 786)
    assert (found.label, found.ignored) == (785, ("id",))
    assert [order[place - 1] for place in found.pixels] == list(range(784))


@pytest.mark.parametrize(
    ("values", "label"),
    [
        (["7", *["0"] * 784], 0),
        (["label", *map(chr, range(300, 1084))], 0),
        ([*map(chr, range(300, 1084)), "class"], 784),
        (["0"] * 784, None),
        (PIXELS, None),
        (["", *PIXELS], None),
    ],
    ids=["no header", "label first", "label last", "pixels alone", "names of pixels alone", "index and pixels"],
)
def test_else_pixels_stand_in_order(values: list[str], label: int | None) -> None:
    found = of_first_row(",".join(values))
    assert found
    assert (found.problem, found.label) == ("", label)
    assert list(found.pixels) == [place for place in range(len(values)) if place != label and values[place]]


def test_two_columns_of_one_name_are_no_order() -> None:
    found = of_first_row(",".join(["label", *PIXELS[:-1], "pixel7"]))
    assert found
    assert found.problem.startswith("the numbers of its pixel columns are neither in order nor 784 that follow")


def test_a_row_of_few_columns_is_no_table_of_images() -> None:
    assert of_first_row("label,a,b") is None
    assert of_first_row("") is None
