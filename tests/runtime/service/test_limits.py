from __future__ import annotations

from mnist_edge_runtime.service.limits import Limits


def test_all_limits_together_leave_room_on_a_small_board() -> None:
    limits = Limits()
    assert limits.body == 1_000_000
    assert limits.bodies + limits.connections * limits.head <= 64_000_000
