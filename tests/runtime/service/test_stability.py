from __future__ import annotations

from mnist_edge_runtime.service.number_reading import BLANK, Reading
from mnist_edge_runtime.service.stability import STABLE, UNSTEADY, Stability, Stable

SURE, DOUBTFUL, OTHER = Reading("42"), Reading("42", reason="unsure of digit 1"), Reading("47")
NOTHING = Reading("", reason=BLANK)


def added(readings: list[Reading]) -> list[Stable | None]:
    stability = Stability()
    return [stability.add(reading) for reading in readings]


def test_a_reading_is_stable_once_enough_frames_agree() -> None:
    found = added([SURE] * (STABLE + 2))

    assert found == [None] * (STABLE - 1) + [Stable(SURE, STABLE + more) for more in range(3)]


def test_another_reading_between_begins_the_count_again() -> None:
    found = added([*[SURE] * (STABLE - 1), OTHER, *[SURE] * (STABLE - 1)])

    assert found == [None] * (2 * STABLE - 1)


def test_a_doubtful_frame_between_does_not_make_a_reading_accepted() -> None:
    found = added([*[SURE] * (STABLE - 1), DOUBTFUL, *[SURE] * (STABLE - 1)])

    assert not any(stable and stable.reading.accepted for stable in found)


def test_an_accepted_reading_stays_so_while_the_frames_agree() -> None:
    found = added([*[SURE] * STABLE, *[DOUBTFUL] * 20])

    assert found[-1] == Stable(Reading("42"), STABLE + 20)


def test_what_is_never_accepted_is_told_after_twice_as_many_frames() -> None:
    found = added([DOUBTFUL] * 2 * STABLE)

    assert found == [None] * (2 * STABLE - 1) + [Stable(DOUBTFUL, 2 * STABLE)]
    assert added([NOTHING] * 2 * STABLE)[-1] == Stable(NOTHING, 2 * STABLE)


def test_frames_that_never_agree_are_told() -> None:
    found = added([SURE, OTHER] * 3 * STABLE)

    assert found[: 5 * STABLE - 1] == [None] * (5 * STABLE - 1)
    assert found[5 * STABLE - 1] == Stable(Reading("", reason=UNSTEADY), 5 * STABLE)


def test_another_number_of_frames() -> None:
    stability = Stability(2)

    assert [stability.add(SURE), stability.add(SURE)] == [None, Stable(SURE, 2)]
