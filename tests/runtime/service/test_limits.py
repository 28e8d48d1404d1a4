from __future__ import annotations

import pytest
from mnist_edge_runtime.service.limits import Limits, content_length
from mnist_edge_runtime.service.refusal import RefusalError


def test_all_limits_together_leave_room_on_a_small_board() -> None:
    limits = Limits()
    assert limits.body == 1_000_000
    assert limits.bodies + limits.connections * limits.head <= 64_000_000


@pytest.mark.parametrize(
    ("header", "expected"),
    [("0", 0), ("7", 7), ("100", 100), ("101", 101), ("102", 101), ("9" * 5_000, 101), ("0" * 5_000 + "7", 7)],
)
def test_the_length_of_a_body(header: str, expected: int) -> None:
    assert content_length(header, 100) == expected


@pytest.mark.parametrize("header", ["", "-1", "+1", "1_0", "\u0667", "1.0", " 1"])
def test_a_length_that_is_none(header: str) -> None:
    with pytest.raises(RefusalError, match="the header Content-Length is no number of bytes") as refused:
        content_length(header, 100)
    assert refused.value.status == 400
