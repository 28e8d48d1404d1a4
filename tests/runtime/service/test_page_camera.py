"""The live picture in the page that `serve --camera` gives out; a stand-in for a Pi's camera shows 7 for ever."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .conftest import Running
from .test_camera_stream import with_camera
from .test_page import axe_finds_nothing

__all__ = ["with_camera"]  # a fixture

# The size of the picture, and how many of its pixels have the accent's colour, as the box around a digit has.
SEEN = """
() => {
  const live = document.getElementById('live'), context = live.getContext('2d');
  const pixels = context.getImageData(0, 0, live.width, live.height).data;
  let blue = 0;
  for (let at = 0; at < pixels.length; at += 4) blue += pixels[at + 2] > pixels[at] + 80;
  return [live.width, live.height, blue];
}
"""


@pytest.mark.long
def test_the_live_picture_with_boxes_and_the_reading(
    browser: Any, with_camera: Callable[..., Running], tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("of-the-file-itself\n")
    running = with_camera("--token-file", tmp_path / "token")
    page = browser.new_page()
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(f"http://127.0.0.1:{running.port}/#token=of-the-file-itself")
    page.wait_for_selector("#camera-status[data-state=read]")

    assert page.inner_text("#camera-label") == "7"
    assert page.inner_text("#camera-words") == "The frames agree, and each digit is sure."
    assert page.get_attribute("#live", "aria-label") == "Live picture of the camera: 7"
    width, height, blue = page.evaluate(SEEN)
    assert (width, height) == (640, 480)
    assert blue > 500
    axe_finds_nothing(page, "camera")
    page.click("#pause")
    assert page.inner_text("#pause") == "Go on"
    assert page.inner_text("#camera-words").startswith("Paused: the picture stands still. The last reading: the frames")
    page.click("#pause")
    assert page.inner_text("#pause") == "Pause"
    assert told == []

    running.process.terminate()
    assert running.ended()[0] == 0  # though the page looks on
    page.wait_for_selector("#camera-status[data-state=failed]")

    assert "asked" in page.inner_text("#camera-words")
    page.close()


def test_a_camera_that_has_ended_is_asked_no_more(browser: Any, running: Running) -> None:
    """The last part of the stream says so; until it ends, the parts of a device's stream come one by one."""
    page, asked = browser.new_page(), []
    picture = BytesIO()
    Image.new("L", (64, 48), 200).save(picture, "JPEG")

    def model(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(json={**answer.json(), "camera": True})

    def camera(route: Any) -> None:
        asked.append(route.request.url)
        stable = {"text": "407", "accepted": True, "reason": None}
        reading = {"frame": 1, "text": "", "accepted": False, "reason": None, "digits": [], "stable": stable}
        body = b""
        for ended in (None, "film.avi: there are no more frames"):
            head = f"--b\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.getvalue())}\r\n"
            head += f"X-Reading: {json.dumps({**reading, 'ended': ended})}\r\n\r\n"
            body += head.encode() + picture.getvalue() + b"\r\n"
        route.fulfill(body=body + b"--b--\r\n", content_type="multipart/x-mixed-replace; boundary=b")

    page.route("**/v1/model", model)
    page.route("**/v1/camera", camera)
    page.clock.install()
    page.goto(f"http://127.0.0.1:{running.port}/")
    page.locator("#camera-words", has_text="The camera has ended (film.avi: there are no more frames).").wait_for()
    assert page.inner_text("#camera-label") == "407"
    assert page.inner_text("#camera-words").endswith("The last reading: the frames agree, and each digit is sure.")
    assert page.is_hidden("#pause")
    page.clock.fast_forward(60_000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert len(asked) == 1
    page.close()


def test_a_page_without_a_camera_shows_none(browser: Any, running: Running) -> None:
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{running.port}/")
    # Not wait_for_function: where its condition does not hold at once, the page's content policy refuses to look again.
    page.locator("#device-hint", has_text=re.compile(r"^\s*The device runs")).wait_for(state="attached")

    assert page.is_hidden("#camera")
    page.close()
