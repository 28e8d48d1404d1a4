"""What the page keeps to train with: in memory as a ZIP, and in the inbox of the device that serves it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.service import page as page_module
from numpy.typing import NDArray

from .conftest import Running
from .test_page import DIGITS, axe_finds_nothing, channel, draw, png, scribble

START = 1_800_000_000


def seen(page: Any) -> NDArray[np.uint8]:
    """Return the image that the network saw."""
    return channel(page, "seen", 28, 0)


def kept(page: Any, words: str) -> None:
    page.locator("#kept", has_text=words).wait_for()


def test_a_page_of_its_own_collects_and_gives_a_zip(browser: Any, tmp_path: Path) -> None:
    """Of drawings the very pixels that were read, of pictures the file."""
    (file := tmp_path / "net.html").write_text(page_module.finished(is_served=False), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("#verdict", has_text="passed").wait_for()
    yes, no = (page.get_by_role("button", name=name) for name in ("Right, keep it", "No, it is …"))
    assert yes.is_disabled()
    assert no.is_disabled()
    draw(page, DIGITS[3])
    yes.click()
    kept(page, "Kept as 3 in this page, until you close it: 1 picture.")
    images = {"3": seen(page)}
    page.click("#clear")
    assert yes.is_disabled()
    draw(page, DIGITS[7])
    no.click()
    assert page.evaluate("document.activeElement.textContent") == "0"
    axe_finds_nothing(page, "classes to choose from")
    page.locator("#classes").get_by_role("button", name="1", exact=True).click()
    kept(page, "Kept as 1 in this page, until you close it: 2 pictures.")
    no.click()
    page.fill("#classes input", "../etc")
    page.keyboard.press("Enter")
    kept(page, "The name of a class is letters and digits.")
    page.fill("#classes input", "kreuz ä")
    page.keyboard.press("Enter")
    kept(page, "Kept as kreuz ä in this page, until you close it: 2 pictures.")  # the same picture under another class
    images["kreuz ä"] = seen(page)
    page.click("#clear")
    draw(page, DIGITS[5])
    yes.click()
    kept(page, "Kept as 5 in this page, until you close it: 3 pictures.")
    page.get_by_role("button", name="Do not keep it").click()
    kept(page, "It is no longer kept.")
    digit = to_picture(images["3"])
    page.set_input_files("#file", files=[{"name": "a.png", "mimeType": "image/png", "buffer": png(255 - digit)}])
    page.locator("#label", has_text="3").wait_for()
    no.click()
    page.locator("#classes").get_by_role("button", name="8", exact=True).click()
    kept(page, "Kept as 8")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Download 3 pictures (.zip)").click()
    with zipfile.ZipFile(waited.value.path()) as archive:
        assert archive.testzip() is None
        files = {name.partition("/")[0]: archive.read(name) for name in archive.namelist()}
        assert all(name.endswith(".png") for name in archive.namelist())
    assert files.pop("8") == png(255 - digit)
    for name, data in files.items():
        pixels = load_picture(BytesIO(data))
        assert pixels.shape == (448, 448)
        np.testing.assert_array_equal(to_mnist(pixels), images.pop(name))
    assert not images
    context.close()


def test_a_device_with_an_inbox_keeps(browser: Any, start: Callable[..., Running], tmp_path: Path) -> None:
    box = tmp_path / "box"
    device = start("--network", "small", "--inbox", box)
    assert f"inbox {box}: 0 pictures, 0 of them unsure; 2,000 pictures and 50 MB at most" in device.told
    context = browser.new_context()
    page = context.new_page()
    page.clock.install(time=START)
    page.goto(device.url)
    page.locator("#keep .hint", has_text="in the inbox of this device, to train with. So is, by itself").wait_for()
    draw(page, DIGITS[3])
    page.get_by_role("button", name="No, it is …").click()
    page.locator("#classes").get_by_role("button", name="7", exact=True).click()
    kept(page, "Kept as 7 in the inbox of this device: 1 picture.")
    (stored,) = box.glob("*/*.png")
    assert stored.parent.name == "7"
    np.testing.assert_array_equal(to_mnist(load_picture(stored)), seen(page))
    page.get_by_role("button", name="Do not keep it").click()
    kept(page, "It is no longer kept.")
    assert [path.name for path in box.iterdir()] == ["unsure"]

    scribble(page)
    page.clock.fast_forward(2_000)
    kept(page, "Kept as unsure in the inbox of this device: 1 picture. You can still say what it is.")
    (stored,) = box.glob("unsure/*.png")
    np.testing.assert_array_equal(to_mnist(load_picture(stored)), seen(page))
    page.get_by_role("button", name="No, it is …").click()
    page.fill("#classes input", "scribble")
    page.get_by_role("button", name="Keep", exact=True).click()
    kept(page, "Kept as scribble in the inbox of this device: 1 picture.")
    assert [path.parent.name for path in box.glob("*/*.png")] == ["scribble"]

    scribble(page)
    page.clock.fast_forward(2_000)
    kept(page, "Kept as unsure in the inbox of this device: 2 pictures.")
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        draw(page, ["10,10 90,90"])  # it was not finished
    assert not [*box.glob("unsure/*.png")]
    context.close()
