from __future__ import annotations

import pytest
from mnist_edge_exporters.spec import OFFERED, Format, Quantization, select
from mnist_edge_runtime import UsageError


def test_all_stands_for_every_offered_cell() -> None:
    assert select("all", "all") == list(OFFERED)


@pytest.mark.parametrize("cell", OFFERED, ids=str)
def test_each_cell_is_selected_by_its_name(cell: object) -> None:
    assert list(map(str, select(*str(cell).split("-")))) == [str(cell)]


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("quantization", Quantization)
def test_what_is_not_offered_is_refused_with_the_list_of_what_is(format: Format, quantization: Quantization) -> None:
    if any((cell.format, cell.quantization) == (format, quantization) for cell in OFFERED):
        return
    with pytest.raises(UsageError, match=rf"{format} --quantize {quantization} is not offered.*tflite-none"):
        select(format, quantization)


@pytest.mark.parametrize(("format", "quantization"), [("tensorrt", "int8"), ("tflite", "int3")])
def test_unknown_words_are_refused(format: str, quantization: str) -> None:
    with pytest.raises(UsageError, match="is unknown; choose from"):
        select(format, quantization)
