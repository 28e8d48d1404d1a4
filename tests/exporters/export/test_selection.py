from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.export import selection
from mnist_edge_exporters.export.export import Exported
from mnist_edge_exporters.export.selection import Candidate, Selection, choose, parse
from mnist_edge_exporters.parity import worker
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import UsageError

ALL = "kb<=64,accuracy>=0.99,p50us<=50"


@pytest.fixture(scope="module")
def three(exported: Mapping[str, Exported]) -> list[Exported]:
    return [exported[name] for name in ("tflite-none", "tflite-int8", "onnx-int8")]


@pytest.fixture(scope="module")
def free(three: list[Exported], source: Source) -> Selection:
    """What is chosen when nothing is excluded."""
    return choose(three, source, parse("kb<=100000"))


def test_constraints_are_read_in_any_order_and_spacing() -> None:
    assert [str(one) for one in parse(" p50us <= 50 ,kb<=64, accuracy>=0.99")] == [
        "p50us<=50",
        "kb<=64",
        "accuracy>=0.99",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kb",
        "accuracy>=99",
        "kb<64",
        "kb>=64",
        "accuracy<=0.9",
        "watt<=3",
        "kb<=small",
        "kb<=nan",
        "kb<=0",
        "kb<=1,kb<=2",
    ],
)
def test_other_constraints_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected each at most once of kb<=NUMBER, accuracy>=NUMBER, p50us<=NUMBER"):
        parse(text)


def test_figures_are_those_of_the_files_on_validation_images(
    free: Selection, three: list[Exported], source: Source
) -> None:
    images, labels = source.validation
    for candidate, outcome in zip(free.candidates, three, strict=True):
        assert outcome.file is not None
        assert candidate.kb == outcome.file.stat().st_size / 1000
        engine = "onnxruntime" if outcome.spec.format == "onnx" else "litert"
        assert candidate.accuracy == (worker.logits(outcome.file, engine, images).argmax(axis=1) == labels).mean()
        assert 1 < candidate.p50us < 100_000
    assert free.best is not None
    assert free.best.accuracy == max(candidate.accuracy for candidate in free.candidates)


@pytest.mark.long
def test_what_is_too_large_is_not_chosen(three: list[Exported], source: Source) -> None:
    selected = choose(three, source, parse("kb<=200"))
    assert selected.best is not None
    assert selected.best.name in ("tflite-int8", "onnx-int8")
    assert selected.reason is None
    lines = selected.table().splitlines()
    assert "misses kb<=200 by" in lines[1]
    assert sum("<- the best" in line for line in lines) == 1


def _reason(free: Selection, text: str, *figures: tuple[float, float, float]) -> str:
    candidates = [Candidate(one.outcome, *values) for one, values in zip(free.candidates, figures, strict=False)]
    return selection._reason(candidates, parse(text))


def test_a_constraint_that_no_file_meets_is_named_with_the_distance(free: Selection) -> None:
    reason = _reason(free, ALL, (450, 0.985, 70), (130, 0.983, 30), (137, 0.984, 55))
    assert reason == (
        "kb<=64 cannot be met: the smallest, tflite-int8, misses kb<=64 by 66.0 KB; "
        "accuracy>=0.99 cannot be met: the most accurate, tflite-none, misses accuracy>=0.99 by 0.50%"
    )


def test_constraints_that_exclude_each_other_are_told_from_those(free: Selection) -> None:
    reason = _reason(free, ALL, (450, 0.995, 70), (60, 0.989, 30), (137, 0.984, 55))
    assert reason == (
        "each constraint can be met, but not all by one file: tflite-int8 comes nearest and "
        "misses accuracy>=0.99 by 0.10%"
    )


@pytest.mark.long
def test_among_equals_the_smallest_is_the_best(
    three: list[Exported], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = worker.logits(three[0].file or Path(), "litert", source.validation[0])
    monkeypatch.setattr(worker, "logits", lambda *arguments: answer)
    best = choose(three, source, parse("kb<=100000")).best
    assert best is not None
    assert best.kb == min(outcome.size for outcome in three) / 1000


def test_files_that_failed_are_no_candidates(three: list[Exported], source: Source) -> None:
    failed = [replace(outcome, file=None, failures=("too far",)) for outcome in three]
    selected = choose(failed, source, parse(ALL))
    assert (selected.candidates, selected.best) == ((), None)
    assert selected.reason is not None
    assert selected.reason.startswith("no file passed its proof (tflite-none: too far; ")
