"""The page, opened from disk in Chromium, as a person uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.c_source.project import golden_images
from mnist_edge_exporters.integer.network import Network
from mnist_edge_exporters.javascript.project import Project
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from PIL import Image

Make = Callable[..., tuple[Project, Network]]

# Of the paper's side: a 7. And the label where there is no answer.
NONE = "\N{EN DASH}"
SEVEN = ((0.3, 0.25), (0.7, 0.25), (0.5, 0.8))


@pytest.fixture(scope="module")
def file(make: Make, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "net.html"
    file.write_text(make()[0].files["net.html"], encoding="utf-8")
    return file


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, browser: Any, file: Path) -> Iterator[Any]:
    """Return the page, opened; it asks for nothing but itself, and says nothing on the console."""
    phone = {"viewport": {"width": 360, "height": 640}, "is_mobile": True, "has_touch": True}
    context = browser.new_context(**(phone if request.param == "phone" else {"color_scheme": request.param}))
    opened, requests, said = context.new_page(), [], []
    opened.on("request", lambda each: requests.append(each.url))
    opened.on("console", lambda each: said.append(each.text))
    opened.on("pageerror", lambda each: said.append(str(each)))
    opened.goto(file.as_uri())
    opened.wait_for_selector("#facts dd", state="attached")
    yield opened
    assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    assert said == []
    context.close()


def _draw(page: Any, points: tuple[tuple[float, float], ...]) -> None:
    box = page.locator("#paper").bounding_box()
    (x, y), *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=5)
    page.mouse.up()


def test_a_digit_is_drawn_and_answered(page: Any) -> None:
    assert page.inner_text("#verdict") == "The self-test passed: 100 of 100 logits are those of net.tflite, to the bit."
    assert page.inner_text("#words") == "Nothing is drawn yet."
    _draw(page, SEVEN)
    assert page.inner_text("#label") == "7"
    assert "% sure." in page.inner_text("#words")
    page.click("#clear")
    assert (page.inner_text("#label"), page.inner_text("#words")) == (NONE, "Nothing is drawn yet.")


def test_nothing_is_wider_than_the_page(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_axe_finds_nothing(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    _draw(page, SEVEN)
    page.click("summary")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_a_picture_is_opened_and_answered_as_by_the_runtime(page: Any, bundled: SealedModel, tmp_path: Path) -> None:
    picture = to_picture(bundled.golden.images[0])
    Image.fromarray(picture).save(tmp_path / "digit.png")
    page.set_input_files("#file", tmp_path / "digit.png")
    page.locator("#words", has_text="sure").wait_for()  # the page forbids what other waits evaluate
    seen = page.evaluate(
        "[...document.querySelector('#seen').getContext('2d').getImageData(0, 0, 28, 28).data]"
        ".filter((_, i) => i % 4 === 0)"
    )
    expected = to_mnist(picture)
    assert np.array_equal(np.array(seen).reshape(28, 28), expected)
    with Classifier(bundled) as classifier:
        assert page.inner_text("#label") == classifier.classify(expected).label


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_what_cannot_be_read_is_told(page: Any, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    page.set_input_files("#file", tmp_path / "text.png")
    page.locator("#words", has_text="no picture").wait_for()  # the page forbids what other waits evaluate
    Image.new("L", (60, 50), 255).save(tmp_path / "white.png")
    page.set_input_files("#file", tmp_path / "white.png")
    page.locator("#words", has_text="no digit to be seen").wait_for()  # the page forbids what other waits evaluate


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_an_example_is_chosen_with_the_keyboard(page: Any, bundled: SealedModel) -> None:
    page.focus("#examples button:nth-child(4)")
    page.keyboard.press("Enter")
    with Classifier(bundled) as classifier:
        assert page.inner_text("#label") == classifier.classify(golden_images(bundled)[3]).label


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_scribble_is_unsure(page: Any) -> None:
    words = set()
    for turn in range(6):
        page.click("#clear")
        points = ((0.5 + 0.4 * np.cos((9 + turn) * k), 0.5 + 0.4 * np.sin((7 + turn) * k)) for k in range(12))
        _draw(page, tuple(points))
        words.add(page.inner_text("#words")[:16])
    assert "Unsure: perhaps " in words


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_finger_draws_and_does_not_scroll(page: Any) -> None:
    assert page.evaluate("getComputedStyle(document.querySelector('#paper')).touchAction") == "none"


def test_a_self_test_that_fails_says_so(browser: Any, file: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(
        file.read_text(encoding="utf-8").replace("const SIDE = 28;", "const SIDE = 28; Math.fround = Math.trunc;")
    )
    page = browser.new_page()
    page.goto(broken.as_uri())
    page.wait_for_selector("#facts dd", state="attached")
    assert "The self-test failed: " in page.inner_text("#verdict")
    page.close()
