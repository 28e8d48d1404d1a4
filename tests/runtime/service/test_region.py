from __future__ import annotations

import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service.region import Region


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10,20,300,100", (10, 20, 310, 120)),
        ("0,0,640,480", (0, 0, 640, 480)),
        ("0,0,1,1", (0, 0, 640, 480)),
        ("0.25,0.5,0.5,0.25", (160, 240, 480, 360)),
        (" 0.25 , 0 , 0.75 , 1 ", (160, 0, 640, 480)),
    ],
)
def test_pixels_and_shares(text: str, expected: tuple[int, int, int, int]) -> None:
    assert Region.parse(text).within(640, 480) == expected


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "-1,0,10,10", "0,0,0,10", "0,0,nan,1", "0,0,inf,10", "0.5,0,10,10"]
)
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"X,Y,W,H|at least 0|mixes"):
        Region.parse(text)


@pytest.mark.parametrize("text", ["600,0,41,10", "0,479,10,2", "700,0,10,10", "0.5,0,0.6,1", "0.5,0.5,0.0001,0.5"])
def test_outside_of_the_frame_its_size_is_told(text: str) -> None:
    with pytest.raises(InputError, match=rf"region {text} is not inside the frame, which has 640 x 480 pixels"):
        Region.parse(text).within(640, 480)
