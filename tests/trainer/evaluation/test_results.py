from __future__ import annotations

import json
from dataclasses import replace

import pytest
from mnist_edge_trainer.evaluation.corruptions import HELD_OUT, SHARED
from mnist_edge_trainer.evaluation.results import Bin, ClassFigures, Evaluation, Mistake, SelectiveClassification

FOUND = Evaluation(
    model="runs/a/model.keras",
    engine="keras",
    dataset={"name": "mnist", "warning": None},
    part="test",
    images=10_000,
    accuracy=0.9817,
    accuracy_interval=(0.9789, 0.9841),
    confidence=0.985,
    ece=0.0049,
    calibration=(Bin(0.8, 1.0, 10_000, 0.985, 0.9817),),
    classes={"1": ClassFigures(0.98, 0.97, 0.975, 9_999), "ten": ClassFigures(None, 0.0, 0.0, 1)},
    confusion=((9_817, 182), (1, 0)),
    mistakes=(Mistake(7, "1", "ten", 0.9),),
    corruptions={SHARED: {"shift": 0.5, "blur": 0.7}, HELD_OUT: {"fog": 0.8}},
    acceptance=None,
)


def test_what_the_contract_accepts() -> None:
    acceptance = SelectiveClassification(0.9731, 0.0008, {"blanks": 1.0, "letters": 0.7512})
    lines = replace(FOUND, acceptance=acceptance).table().splitlines()
    assert lines[4] == "accepted            97.31%  (of these 0.08% wrong, 95%: 0.04 to 0.16)"
    assert lines[5] == "refused            blanks 100.0%, letters 75.1%"
    assert replace(FOUND, acceptance=SelectiveClassification(0.9, 0.0, {})).table().splitlines()[5] == ""


def test_table() -> None:
    assert FOUND.table().splitlines() == [
        "runs/a/model.keras on 10,000 test images of mnist",
        "accuracy            98.17%  (95%: 97.89 to 98.41)",
        "mean confidence     98.50%",
        "calibration error    0.49%",
        "",
        "class  precision   recall       F1   images",
        "1         98.00%   97.00%   97.50%    9,999",
        "ten            -    0.00%    0.00%        1",
        "",
        "shared with training       held out from training",
        "shift             50.00%   fog               80.00%",
        "blur              70.00%   mean              80.00%",
        "mean              60.00%",
        "The 95% interval of each is at most 1.96 percentage points wide.",
    ]


@pytest.mark.parametrize(("images", "warned"), [(32, True), (199, True), (200, False)])
def test_few_images_are_warned_of_whatever_they_say(images: int, warned: bool) -> None:
    perfect = replace(FOUND, images=images, accuracy=1.0, accuracy_interval=(0.8928, 1.0), corruptions=None)
    text = perfect.table()
    assert "100.00%  (95%: 89.28 to 100.00)" in text
    assert (f"WARNING: only {images} test images" in text) is warned


def test_table_without_corruptions_and_with_a_warning() -> None:
    lines = replace(FOUND, corruptions=None, dataset={"name": "digits", "warning": "few"}).table().splitlines()
    assert lines[-3].startswith("ten")
    assert lines[-1] == "WARNING: few"


def test_of_many_classes_the_table_shows_the_worst() -> None:
    classes = {f"c{number}": ClassFigures(0.9, 0.9, 0.5 + number / 100, 10) for number in range(30)}
    lines = replace(FOUND, classes=classes, corruptions=None).table().splitlines()
    assert lines[5] == "the 20 of 30 classes with the lowest F1:"
    assert [line.split()[0] for line in lines[7:]] == [f"c{number}" for number in range(20)]


def test_json_holds_all_figures_and_the_means() -> None:
    document = json.loads(json.dumps(FOUND.to_dict(), allow_nan=False))
    assert document["accuracy"] == 0.9817
    assert document["corruption_intervals"]["held out"]["fog"] == pytest.approx([0.7920, 0.8077], abs=1e-4)
    assert document["classes"]["ten"] == {"precision": None, "recall": 0.0, "f1": 0.0, "images": 1}
    assert document["corruptions"] == {"shared": {"shift": 0.5, "blur": 0.7}, "held out": {"fog": 0.8}}
    assert document["corruption_means"] == {"shared": pytest.approx(0.6), "held out": pytest.approx(0.8)}
    assert replace(FOUND, corruptions=None).to_dict()["corruption_means"] is None
