"""The page in Chromium, as a person uses it, opened from disk; test_page_device.py has the one that a device serves."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.service import page as page_module
from numpy.typing import NDArray
from PIL import Image

NONE = "\N{EN DASH}"  # the label where there is no answer
# Strokes of each digit, in hundredths of the paper's side.
DIGITS = [
    ["50,16 36,22 28,38 27,58 34,76 48,84 62,78 71,62 71,40 64,23 50,16"],
    ["52,17 50,84"],
    ["30,33 35,21 49,16 63,21 67,34 61,47 47,61 30,80 72,80"],
    ["31,23 44,16 59,18 66,29 60,42 45,48 60,51 69,62 66,76 52,84 36,82 28,74"],
    ["56,16 28,60 76,60", "59,40 59,85"],
    ["68,18 37,18 33,46 48,42 63,48 70,61 64,76 49,84 34,81 28,73"],
    ["62,16 45,28 33,47 29,66 37,80 52,84 66,76 68,62 58,52 43,54 31,66"],
    ["27,20 72,20 58,48 46,84"],
    ["62,24 50,16 36,21 35,33 48,45 63,57 67,71 57,83 41,83 32,72 37,58 51,46 64,34 62,24"],
    ["67,32 56,18 40,20 32,34 38,48 53,50 66,40 67,32 65,58 58,84"],
]
DEVICES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True},
}
RED, BLUE = 0, 2
CHANNEL = """
([id, side, channel]) => [...document.getElementById(id).getContext('2d').getImageData(0, 0, side, side).data]
  .filter((_, i) => i % 4 === channel)
"""
GIVE = """
([kind, text]) => {
  const data = new DataTransfer(), bytes = Uint8Array.from(atob(text), char => char.charCodeAt(0));
  data.items.add(new File([bytes], 'digit.png', { type: 'image/png' }));
  const event = kind === 'paste' ? new ClipboardEvent(kind, { clipboardData: data, bubbles: true })
    : new DragEvent(kind, { dataTransfer: data, bubbles: true });
  document.querySelector('#paper').dispatchEvent(event);
}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "net.html"
    file.write_text(page_module.finished(is_served=False), encoding="utf-8")
    return file


@pytest.fixture(params=["light"])
def page(request: pytest.FixtureRequest, browser: Any, file: Path) -> Iterator[Any]:
    """Return the page, opened; it asks for nothing but itself, and says nothing on the console."""
    context = browser.new_context(**DEVICES[request.param])
    opened, requests, said = context.new_page(), [], []
    opened.on("request", lambda each: requests.append(each.url))
    opened.on("console", lambda each: said.append(each.text))
    opened.on("pageerror", lambda each: said.append(str(each)))
    opened.goto(file.as_uri())
    opened.locator("#verdict", has_text="passed").wait_for()  # the page forbids what other waits evaluate
    yield opened
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert said == []
    context.close()


def draw(page: Any, strokes: list[str]) -> None:
    """Draw polylines with the mouse."""
    page.locator("#paper").scroll_into_view_if_needed()
    area = page.locator("#paper").bounding_box()
    for stroke in strokes:
        points = [tuple(map(float, point.split(","))) for point in stroke.split()]
        (x, y), *others = [
            (area["x"] + x * area["width"] / 100, area["y"] + y * area["height"] / 100) for x, y in points
        ]
        page.mouse.move(x, y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(x, y, steps=3)
        page.mouse.up()


def channel(page: Any, canvas: str, side: int, number: int) -> NDArray[np.uint8]:
    """Return what a square canvas shows, of red, green, blue one."""
    return np.array(page.evaluate(CHANNEL, [canvas, side, number]), np.uint8).reshape(side, side)


def scribble(page: Any, first: int = 0) -> None:
    """Draw what is no digit, until the network is unsure; each number of the `first` one has another drawing."""
    for turn in range(first, first + 6):
        page.click("#clear")
        points = (f"{50 + 40 * np.cos((9 + turn) * k)},{50 + 40 * np.sin((7 + turn) * k)}" for k in range(12))
        draw(page, [" ".join(points)])
        if page.locator("#answer").get_attribute("data-state") == "unsure":
            return
    raise AssertionError("no scribble is unsure")


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG file."""
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    """Return a picture of a digit."""
    (file,) = models.bundled_models("litert", "small")
    return to_picture(sealed_model.read(file).golden.images[0])


@pytest.mark.long
def test_each_digit_is_drawn_and_read(page: Any) -> None:
    """Those that the page draws itself as well; a digit may be unsure."""
    drawn, examples, badges = "", "", []
    for digit, strokes in enumerate(DIGITS, 1):
        page.click(f"#examples button:nth-child({digit})")
        examples += page.inner_text("#label").rstrip("?")
        badges.append(page.inner_text("#badge"))
        page.click("#clear")
        draw(page, strokes)
        drawn += page.inner_text("#label").rstrip("?")
        badges.append(page.inner_text("#badge"))
    assert drawn == examples == "0123456789"
    assert badges.count("Read") >= 18
    assert "sure." in page.inner_text("#words")
    assert page.locator("#chances .best th").inner_text() == "9"
    assert re.fullmatch(r"Answered by this browser in (less than 0\.1|[\d.]+) ms\.", page.inner_text("#timing"))


def test_what_was_done_is_undone(page: Any) -> None:
    """By the buttons and by the keys; also a clearing, and a picture."""

    def label() -> str:
        return str(page.inner_text("#label"))

    draw(page, DIGITS[7])
    draw(page, ["25,52 70,52"])
    page.keyboard.press("Control+z")
    assert label() == "7"
    page.keyboard.press("Escape")
    assert (label(), page.inner_text("#words")) == (NONE, "Nothing is drawn yet.")
    page.click("#undo")
    assert label() == "7"
    page.focus("#examples button:nth-child(4)")
    page.keyboard.press("Enter")
    assert label() == "3"
    page.keyboard.press("Delete")
    assert label() == NONE
    for _ in range(9):
        page.click("#undo")
    assert label() == NONE


def test_a_stroke_that_is_cleared_ends(page: Any) -> None:
    area = page.locator("#paper").bounding_box()
    page.mouse.move(area["x"] + 50, area["y"] + 50)
    page.mouse.down()
    page.keyboard.press("Escape")
    page.mouse.move(area["x"] + 90, area["y"] + 90, steps=3)
    page.mouse.up()
    assert page.inner_text("#words") == "Nothing is drawn yet."
    draw(page, DIGITS[7])
    assert page.inner_text("#label") == "7"


@pytest.mark.parametrize("way", ["choose", "photo", "paste", "drop"])
def test_a_picture_is_seen_and_answered_as_by_the_runtime(page: Any, picture: NDArray[np.uint8], way: str) -> None:
    data = png(picture)
    if way in ("choose", "photo"):
        selector = {"choose": "#file", "photo": "#photo"}[way]
        page.set_input_files(selector, {"name": "digit.png", "mimeType": "image/png", "buffer": data})
    else:
        page.evaluate(GIVE, [way, base64.b64encode(data).decode()])
    page.locator("#timing", has_text="Answered").wait_for()
    expected = to_mnist(picture)
    assert np.array_equal(channel(page, "seen", 28, RED), expected)
    with Classifier.load("small") as classifier:
        assert page.inner_text("#label").rstrip("?") == classifier.classify(expected).label


def test_what_cannot_be_read_is_told(page: Any) -> None:
    def give(data: bytes) -> None:
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": data})

    give(b"no picture")
    page.locator("#words", has_text="This is no picture").wait_for()
    assert page.inner_text("#badge") == "No answer"
    give(png(np.full((50, 60), 255, np.uint8)))
    page.locator("#words", has_text="no digit to be seen").wait_for()
    assert page.inner_text("#badge") == "Blank"


def test_a_tap_is_a_dot_and_no_digit(page: Any) -> None:
    """Python reads the picture of a dot as 0, as it is enlarged to the size of a digit."""
    draw(page, ["50,50"])
    assert page.inner_text("#badge") == "Blank"
    assert page.inner_text("#words") == "That is only a dot: draw a whole digit."
    side = int(page.evaluate("document.getElementById('paper').width"))
    painted = channel(page, "paper", side, 3) > 128
    assert painted.sum() == pytest.approx(np.pi * (14 / 448 * side) ** 2, rel=0.1)
    draw(page, ["50,16 50,84"])
    assert page.inner_text("#label").rstrip("?") == "1"


def test_several_digits_are_pointed_out(page: Any) -> None:
    draw(page, ["25,30 25,70", "70,30 70,70"])
    assert page.inner_text("#words").endswith("Several digits? This page reads one at a time.")
    page.click("#clear")
    draw(page, DIGITS[4])
    assert "Several" not in page.inner_text("#words")


def test_what_is_no_picture_leaves_no_other_beside_its_error(page: Any) -> None:
    draw(page, DIGITS[7])
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    page.locator("#words", has_text="This is no picture that the browser can open. Undo brings back").wait_for()
    assert page.is_visible("#invitation")
    page.click("#undo")
    assert page.inner_text("#label") == "7"


def test_paper_buttons_and_answer_are_seen_together(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    draw(page, DIGITS[2])
    assert page.evaluate("scrollY") == 0
    for place in ("#paper", "#clear", "label[for=photo]", "#answer", "#keep", "#chances"):
        box = page.locator(place).bounding_box()
        assert box["y"] + box["height"] <= 720, place


def test_numbers_need_a_device_and_the_page_says_so(page: Any) -> None:
    assert page.is_disabled("#number")
    assert "Numbers are read by a device" in page.inner_text("#number-hint")
    assert not page.is_visible("#device")


def test_a_look_inside_shows_layers_and_pixels(page: Any) -> None:
    page.click("#inside summary")
    assert "Draw something first" in page.inner_text("#inside-hint")
    draw(page, DIGITS[5])
    page.locator("#heat-words", has_text="from the answer 5").wait_for()
    assert page.locator(".layer").count() > 3
    assert re.search("most: \N{MINUS SIGN}" r"\d+\.\d of its logit", page.inner_text("#heat-most"))
    heat = channel(page, "heat", 280, BLUE)[5::10, 5::10]
    seen = channel(page, "seen", 28, RED)
    assert heat[seen > 128].mean() > 3 * heat[seen == 0].mean()
    page.click("#clear")
    page.locator("#inside-hint", has_text="Draw something first").wait_for()
    assert not page.is_visible("#inside-body")


def axe_finds_nothing(page: Any, state: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, f"{state}: {found.generate_report()}"


@pytest.mark.long
@pytest.mark.parametrize("page", ["dark", "phone"], indirect=True)
def test_axe_finds_nothing(page: Any, picture: NDArray[np.uint8]) -> None:
    """The phone is in the light theme."""
    axe_finds_nothing(page, "empty")
    page.click("#about summary")
    page.set_input_files("#file", {"name": "digit.png", "mimeType": "image/png", "buffer": png(picture)})
    page.locator("#timing", has_text="Answered").wait_for()
    page.click("#inside summary")
    page.locator("#heat-words", has_text="patch").wait_for()
    axe_finds_nothing(page, "picture and look inside")
    scribble(page)
    axe_finds_nothing(page, "unsure")
    page.set_input_files(
        "#file", {"name": "a.png", "mimeType": "image/png", "buffer": png(np.full((50, 60), 255, np.uint8))}
    )
    page.locator("#answer[data-state=blank]").wait_for()
    axe_finds_nothing(page, "blank")


@pytest.mark.parametrize("width", [360, 390, 820, 850, 900, 959, 960, 1280, 1920])
def test_nothing_is_wider_than_the_page(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    draw(page, DIGITS[2])
    page.click("#inside summary")
    page.locator("#heat-words", has_text="patch").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_finger_draws_and_does_not_scroll(page: Any) -> None:
    """Touches are sent as the browser gets them from the screen."""
    page.locator("#paper").scroll_into_view_if_needed()
    before, area = page.evaluate("scrollY"), page.locator("#paper").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    def at(share: float) -> tuple[float, float]:
        return area["x"] + area["width"] / 2, area["y"] + area["height"] * share

    touch("touchStart", at(0.2))
    for share in np.linspace(0.2, 0.8, 12):
        touch("touchMove", at(share))
    touch("touchEnd")
    assert page.inner_text("#label") == "1"
    assert page.evaluate("scrollY") == before


def test_a_self_test_that_fails_says_so(browser: Any, tmp_path: Path) -> None:
    module = models.bundled_module().replace("const SIDE = 28;", "const SIDE = 28; Math.fround = Math.trunc;")
    (tmp_path / "broken.html").write_text(page_module.finished(module, is_served=False), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "broken.html").as_uri())
    assert "The self-test failed: " in page.inner_text("#verdict")
    page.close()


def test_names_of_classes_cannot_break_it(browser: Any, tmp_path: Path) -> None:
    names = ["<b>T-shirt", "Ankle boot & more", *"CDEFGHIJ"]
    labels = ",".join(json.dumps(name).replace("<", "\\u003c") for name in names)
    module = models.bundled_module().replace(",".join(f'"{digit}"' for digit in range(10)), labels, 1)
    (tmp_path / "net.html").write_text(page_module.finished(module, is_served=False), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "net.html").as_uri())
    assert page.inner_text("h1") == "Draw, and the network reads"
    assert "reads <b>T-shirt, Ankle boot & more, C" in page.inner_text("#intro")
    assert page.inner_text("#chances tr:first-child th") == "<b>T-shirt"
    assert not page.is_visible("#samples")
    page.close()


def test_it_is_small_and_has_all_parts() -> None:
    text = page_module.finished()
    assert len(text.encode()) <= 150_000
    assert not re.search(r"@[a-z]+@", text)
    sources = Path(page_module.__file__).with_name("page")
    for source in sources.iterdir():
        if source.suffix in (".js", ".css"):
            page = page_module.labelling() if source.stem == "label" else text
            assert source.read_text(encoding="utf-8").rstrip() in page, source.name
    assert not re.search(r"(?:src|href|action)=\"(?!data:)|@import|url\(", text)


@pytest.mark.parametrize("is_served", [False, True])
def test_its_policy_names_its_script_and_style(is_served: bool) -> None:
    text = page_module.finished(is_served=is_served)
    policy = page_module.policy(text)
    for tag, opening in (("script", '<script type="module">'), ("style", "<style>")):
        inside = text.split(opening)[1].split(f"</{tag}>")[0]
        assert f"'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'" in policy
    assert f"connect-src '{'self' if is_served else 'none'}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; frame-ancestors 'none'")


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(ValueError, match="export const contract"):
        page_module.finished("const a = 1;")
