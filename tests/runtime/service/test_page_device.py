"""The page that a device serves: with a stand-in for the device's answers, and with `serve` itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.answer_fields import blank_fields, prediction_fields
from mnist_edge_runtime.errors import BlankError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_runtime.service import page as page_module

from .conftest import Running
from .test_page import DIGITS, axe_finds_nothing, draw

ADDRESS = "http://device.test/"


class StandIn:
    """A device's interface, answered inside of the browser's connection; `refusal` is a status with its sentence."""

    def __init__(self, network: str) -> None:
        (self.file,) = models.bundled_models("litert", network)
        self.classifier = Classifier.load(self.file)
        self.refusal: tuple[int, str] | None = None
        self.is_gone = False
        self.asked: list[tuple[str, str | None]] = []

    def answer(self, route: Any) -> None:
        request = route.request
        path = request.url.removeprefix(ADDRESS)
        if path == "":
            text = page_module.finished()
            headers = {"Content-Security-Policy": page_module.policy(text), "Content-Type": "text/html"}
            return route.fulfill(body=text, headers=headers)
        self.asked.append((path, request.headers.get("authorization")))
        if self.is_gone:
            return route.abort()
        if self.refusal:
            return route.fulfill(status=self.refusal[0], json={"error": self.refusal[1]})
        return route.fulfill(json=self._found(path, request.post_data_buffer))

    def _found(self, path: str, body: bytes | None) -> dict[str, Any]:
        contract = self.classifier.contract
        if path == "v1/model":
            described = {"file": self.file.name, "engine": "litert", "payload_sha256": contract.payload.sha256}
            return {**described, "camera": False, "contract": json.loads(contract.to_json())}
        assert body
        header, pixels = body.split(b"\n", 1)
        _, width, height, _ = header.split()
        picture = np.frombuffer(pixels, np.uint8).reshape(int(height), int(width))
        times = {"milliseconds": {"prepare": 1.25, "engine": 0.5}}
        if path == "v1/read":
            digits = [
                {"label": "4", "confidence": 0.98, "box": [60, 70, 120, 300], "accepted": True, "reason": None},
                {"label": "2", "confidence": 0.41, "box": [240, 70, 120, 300], "accepted": False, "reason": "unsure"},
            ]
            lines = [{"text": "42", "digits": digits}] if picture.min() == 0 and picture[:, :180].min() == 0 else []
            return {"model": self.file.name, "readings": [{"lines": lines, "reason": None, **times}]}
        assert path == "v1/classify?image=1"
        try:
            image = to_mnist(picture)
        except BlankError as error:
            return {"predictions": [{**blank_fields(str(error)), **times}]}
        fields = prediction_fields(self.classifier.classify(image))
        return {"predictions": [{**fields, **times, "image": base64.b64encode(image.tobytes()).decode()}]}


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., tuple[Any, StandIn]]]:
    """Return the function that opens the page of a device with a network."""
    contexts: list[Any] = []

    def opened(network: str = "small", fragment: str = "", **changes: Any) -> tuple[Any, StandIn]:
        device = StandIn(network)
        for name, value in changes.items():
            setattr(device, name, value)
        contexts.append(browser.new_context(color_scheme="dark"))
        contexts[-1].route(f"{ADDRESS}**", device.answer)
        page = contexts[-1].new_page()
        page.goto(f"{ADDRESS}{fragment}")
        page.locator("#device-hint", has_not_text="Asking the device").wait_for()
        return page, device

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.long
def test_the_same_network_answers_in_the_page_and_on_request_on_the_device(opened: Any) -> None:
    page, device = opened()
    assert "The device runs the same network (small-int8.tflite, with litert)" in page.inner_text("#device-hint")
    assert "Numbers, and what you ask the device, are sent to it" in page.inner_text("#intro")
    draw(page, DIGITS[3])
    assert page.inner_text("#label") == "3"
    assert [path for path, _ in device.asked] == ["v1/model"]
    page.click("#ask")
    page.locator("#verdicts table").wait_for()
    assert page.inner_text("#verdicts p") == "Both say the same."
    here, there = page.locator("#verdicts tr").all_inner_texts()
    assert here.split("\t")[:2] == ["this browser", there.split("\t")[1]]
    assert there.startswith("the device\t3, ")
    assert "1.8 ms, in all" in there
    axe_finds_nothing(page, "both verdicts")
    page.click("#clear")
    assert page.inner_text("#verdicts") == ""
    assert not page.is_visible("#ask")


@pytest.mark.long
def test_another_network_answers_on_the_device(opened: Any) -> None:
    page, device = opened("base")
    assert "The device runs another network than this page holds: it answers" in page.inner_text("#device-hint")
    assert "is sent to it, and nowhere else" in page.inner_text("#intro")
    page.click("#inside summary")
    draw(page, DIGITS[6])
    page.locator("#timing", has_text="Answered by the device in 1.8 ms.").wait_for()
    assert page.inner_text("#label").rstrip("?") == "6"
    assert device.asked[-1][0] == "v1/classify?image=1"
    page.locator("#heat-words", has_text="from the answer 6").wait_for()
    note = page.inner_text("#inside-note")
    assert "The device answers with base-int8.tflite" in note
    assert "its own network small, looking at the same 28 \N{MULTIPLICATION SIGN} 28 pixels: it reads 6 (" in note
    page.click("#about summary")
    facts = page.inner_text("#facts")
    assert facts.index("the device") < facts.index("base-int8.tflite") < facts.index("small-int8.tflite")
    assert page.inner_text("#verdict").startswith(
        "The device answers with base-int8.tflite. The page's own network, sm"
    )
    axe_finds_nothing(page, "another network, all open")
    page.click("#clear")
    asked = len(device.asked)
    draw(page, ["50,50"])
    assert "only a dot" in page.inner_text("#words")
    assert len(device.asked) == asked


@pytest.mark.long
def test_a_number_is_read_by_the_device_with_boxes(opened: Any) -> None:
    page, _ = opened()
    draw(page, DIGITS[4])
    before = page.screenshot()
    page.check("#number", force=True)
    assert page.inner_text("h1") == "Draw a number"
    page.locator("#label", has_text="42?").wait_for()
    assert page.inner_text("#badge") == "Unsure"
    assert "2 digits, of which 1 marked with ? may be wrong" in page.inner_text("#words")
    assert page.locator("#chances th").all_inner_texts() == ["4", "2?"]
    assert page.screenshot() != before
    axe_finds_nothing(page, "number")
    page.click("#clear")
    draw(page, ["80,30 80,70"])
    page.locator("#words", has_text="There is no number to be seen").wait_for()
    page.check("#one", force=True)
    draw(page, ["20,30 20,70"])
    assert page.inner_text("#words").endswith(
        "Several digits? Choose \N{LEFT DOUBLE QUOTATION MARK}A number\N{RIGHT DOUBLE QUOTATION MARK} above the paper."
    )
    assert page.inner_text("#timing").startswith("Answered by this browser")


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "sentence", "told"),
    [
        (0, "", "The device does not answer. Is it switched on"),
        (401, "a token is needed", "The device asks for its token: open the whole address"),
        (413, "2 MB are more than 1 MB", "larger than the device takes: 2 MB are more than 1 MB."),
        (422, "the picture is too small", "The device cannot read this picture: the picture is too small."),
        (429, "too many", "The device is busy: too many pictures wait for it."),
        (503, "the service is stopping", "The device has no time for this: the service is stopping."),
        (500, "a fault", "The device answers with the error 500: a fault."),
    ],
)
def test_what_fails_on_the_device_is_told(opened: Any, status: int, sentence: str, told: str) -> None:
    page, device = opened("base")
    device.refusal, device.is_gone = (status, sentence), status == 0
    draw(page, DIGITS[1])
    page.locator("#words", has_text=told).wait_for()
    assert page.inner_text("#badge") == "No answer"


def test_a_device_that_does_not_say_what_it_runs_leaves_the_page_to_itself(opened: Any) -> None:
    page, _ = opened(refusal=(401, "a token is needed"))
    assert "asks for its token" in page.inner_text("#device-hint")
    assert "This page answers by itself" in page.inner_text("#device-hint")
    draw(page, DIGITS[7])
    assert page.inner_text("#label") == "7"
    assert page.is_disabled("#number")


@pytest.mark.long
def test_the_token_leaves_the_address_and_stays_in_the_tab(opened: Any) -> None:
    page, device = opened(fragment="#token=abc-123")
    assert page.url == ADDRESS
    assert device.asked == [("v1/model", "Bearer abc-123")]
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 1, ""]
    page.reload()
    page.locator("#device-hint", has_text="runs the same network").wait_for()
    assert device.asked[1:] == [("v1/model", "Bearer abc-123")]
    device.refusal = (401, "a token is needed")
    page.reload()
    page.locator("#device-hint", has_text="The device does not know this token").wait_for()
    device.refusal = None
    page.goto(f"{ADDRESS}#token=new-456")  # another fragment alone loads no page
    page.locator("#device-hint", has_text="runs the same network").wait_for()
    assert device.asked[-1] == ("v1/model", "Bearer new-456")


@pytest.mark.long
def test_with_serve_itself(browser: Any, running: Running, start: Callable[..., Running]) -> None:
    """It runs `small`, as the page does; another one runs `base`, and asks for a token."""
    page, said = browser.new_page(), []
    page.on("console", lambda each: said.append(each.text))
    page.goto(running.url)
    page.locator("#device-hint", has_text="runs the same network").wait_for()
    draw(page, DIGITS[5])
    page.click("#ask")
    page.locator("#verdicts p", has_text="Both say the same.").wait_for()
    page.check("#number", force=True)
    page.locator("#timing", has_text="Read by the device").wait_for()
    assert page.inner_text("#label").rstrip("?") == "5"
    other = start("--network", "base", environment={"MNIST_EDGE_TOKEN": "a-token-that-is-long-enough-for-it"})
    page.goto(f"http://127.0.0.1:{other.port}/#token=a-token-that-is-long-enough-for-it")
    page.locator("#device-hint", has_text="it answers, with base-int8.tflite").wait_for()
    draw(page, DIGITS[8])
    page.locator("#timing", has_text="Answered by the device").wait_for()
    assert page.inner_text("#label").rstrip("?") == "8"
    other.process.kill()
    other.process.wait()
    assert said == []
    draw(page, DIGITS[1])
    page.locator("#words", has_text="The device does not answer").wait_for()
    page.close()


def test_the_payload_of_the_page_is_that_of_small() -> None:
    (file,) = models.bundled_models("litert", "small")
    assert sealed_model.read(file).contract.payload.sha256 in page_module.finished()
