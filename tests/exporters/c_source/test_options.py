from __future__ import annotations

import pytest
from mnist_edge_exporters.c_source.options import check
from mnist_edge_runtime import UsageError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("tflite", "digits", None, None), "--name is for --format c and web, --rounding for c"),
        ((None, None, "tflm", None), "--rounding for c"),
        (("c", None, "up", None), "--rounding up is unknown; choose from litert, tflm"),
        (("c", "2x", None, None), "--name 2x: expected a C identifier"),
        (("c", None, None, "kb<=64"), "--constraints chooses among files .* leave it out for --format c"),
        (("web", None, None, "kb<=64"), "leave it out for --format web"),
        (("web", None, "litert", None), "--rounding is for --format c; leave it out for web"),
        (("web", "a b", None, None), "--name a b: expected a C identifier"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str | None, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check(*options)


def test_source_code_is_asked_for_by_its_name() -> None:
    assert check("c", "digits", "tflm", None)
    assert check("web", "digits", None, None)
    assert not check("all", None, None, None)
    assert not check(None, None, None, None)
