"""What the page keeps to train with: in memory as a ZIP, and in the inbox of the device that serves it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.class_names import LEAST_OF_NEW
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.service import page as page_module
from mnist_edge_runtime.service.class_folders import class_folder
from numpy.typing import NDArray

from .conftest import Running
from .test_page import DIGITS, axe_finds_nothing, channel, draw, png, scribble

START = 1_800_000_000


def seen(page: Any) -> NDArray[np.uint8]:
    """Return the image that the network saw."""
    return channel(page, "seen", 28, 0)


def kept(page: Any, words: str) -> None:
    page.locator("#kept", has_text=words).wait_for()


def name_it(page: Any, name: str) -> None:
    """Type a class that is none of the buttons."""
    if page.locator("#classes").is_hidden():
        page.get_by_role("button", name="No, it is …").click()
    page.fill("#classes input", name)
    page.get_by_role("button", name="Keep", exact=True).click()


def is_left_unasked(page: Any) -> bool:
    """Return whether the page is closed without a question."""
    return bool(page.evaluate("dispatchEvent(new Event('beforeunload', { cancelable: true }))"))


@pytest.mark.long
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
    assert is_left_unasked(page)
    yes.click()
    kept(page, "Kept as 3 in this page, until you close it: 1 picture.")
    images = {"3": seen(page)}
    assert not is_left_unasked(page)
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
    told = "Kept as kreuz ä in this page, until you close it: 2 pictures. It was under 1 before."  # the same picture
    kept(page, f"{told} The network does not know kreuz ä yet: to learn it, it needs 5 pictures of it, 4 more.")
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
    assert is_left_unasked(page)
    with zipfile.ZipFile(waited.value.path()) as archive:
        assert archive.testzip() is None
        stored = {name.partition("/")[0]: archive.read(name) for name in archive.namelist()}
        assert all(name.endswith(".png") for name in archive.namelist())
    assert stored.pop("8") == png(255 - digit)
    for name, data in stored.items():
        pixels = load_picture(BytesIO(data))
        assert pixels.shape == (448, 448)
        np.testing.assert_array_equal(to_mnist(pixels), images.pop(name))
    assert not images
    context.close()


@pytest.mark.long
def test_a_page_with_nothing_that_is_not_saved_is_left_unasked(browser: Any, tmp_path: Path) -> None:
    """What was kept and taken back, or kept twice, is nothing to lose or to download twice."""
    (file := tmp_path / "net.html").write_text(page_module.finished(is_served=False), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    page.goto(file.as_uri())
    page.locator("#verdict", has_text="passed").wait_for()
    draw(page, DIGITS[3])
    page.get_by_role("button", name="Right, keep it").click()
    kept(page, "Kept as 3 in this page, until you close it: 1 picture.")
    page.get_by_role("button", name="Do not keep it").click()
    kept(page, "It is no longer kept.")
    assert is_left_unasked(page)
    page.get_by_role("button", name="Right, keep it").click()
    page.get_by_role("button", name="Right, keep it").click()
    kept(page, "Kept as 3 in this page, until you close it: 1 picture.")
    for strokes in (DIGITS[4], DIGITS[3]):  # the same drawing again
        page.click("#clear")
        draw(page, strokes)
    name_it(page, "Tick")
    kept(page, "Kept as Tick in this page, until you close it: 1 picture. It was under 3 before.")
    for name, other in (("seven", "7"), ("07", "7"), ("\u0667", "7"), ("ti-ck", "Tick")):
        name_it(page, name)
        kept(page, f"{name} is nearly the same name as {other}: take that class, or another name.")
    for name in ("unsure", "Discarded", "..", "a/b"):
        name_it(page, name)
        kept(page, "The name of a class is letters and digits.")
    name_it(page, "TICK")
    kept(page, "Kept as Tick in this page, until you close it: 1 picture.")
    context.close()


def test_the_page_compares_names_as_a_training_does(browser: Any) -> None:
    labels, others = tuple("0123456789A"), ["Tick", "H\u00e4kchen", "Stra\u00dfe", "\u03bf\u03b4\u03cc\u03c2"]
    names = [
        *(
            "7",
            "07",
            "seven",
            "Seven",
            "SE VEN",
            "\u0667",
            "\uff17",
            "\u0967",
            "\u06f7\u06f0",
            "70",
            "\U0001d7d8",
            "10",
        ),
        *("tick", "TICK", "t-ick", "ti ck", "ticks", "h\u00e4kchen", "hakchen", "STRASSE", "strasse", "stra\u00dfe"),
        *(
            "\u039f\u0394\u038c\u03a3",
            "a",
            "A",
            "\u00c5",
            "\u00bd",
            "x",
            "unsure",
            "DISCARDED",
            "",
            " ",
            "a/b",
            "a" * 41,
        ),
        *("\U0001d7ff", "\u1a89\u1a90", "\u2166", "\u00b2", "no_name", "no__name", "\u4e03", "zero", "nine0"),
    ]
    script = files(page_module.__package__).joinpath("page", "class_names.js").read_text(encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    found = page.evaluate(
        f"""([names, others, labels]) => {{
          {script}
          const tried = name => {{ try {{ return classNamed(name, others, labels); }} catch {{ return null; }} }};
          return names.map(name => tried(name));
        }}""",
        [names, others, [*labels]],
    )
    context.close()

    def tried(name: str) -> str | None:
        try:
            return class_folder(name, labels, others)
        except InputError:
            return None

    assert dict(zip(names, found, strict=True)) == {name: tried(name) for name in names}
    assert found.count(None) == 20
    keep = files(page_module.__package__).joinpath("page", "keep.js").read_text(encoding="utf-8")
    assert f"const LEAST = {LEAST_OF_NEW};" in keep


@pytest.mark.long
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
    kept(page, "It is kept as scribble already.")
    scribble(page, first=6)
    page.clock.fast_forward(2_000)
    kept(page, "Kept as unsure in the inbox of this device: 2 pictures.")
    with page.expect_response(lambda response: response.request.method == "DELETE"):
        draw(page, ["10,10 90,90"])  # it was not finished
    assert not [*box.glob("unsure/*.png")]
    context.close()


@pytest.mark.long
def test_a_drawing_is_in_the_inbox_once(browser: Any, start: Callable[..., Running], tmp_path: Path) -> None:
    """Wherever it was sorted as its person looked at it, and also if the device was started again."""
    box = tmp_path / "box"
    device = start("--network", "small", "--inbox", box)
    context = browser.new_context()
    page = context.new_page()
    page.clock.install(time=START)
    page.goto(device.url)
    page.locator("#keep .hint", has_text="So is, by itself").wait_for()
    scribble(page)
    page.clock.fast_forward(2_000)
    kept(page, "Kept as unsure in the inbox of this device: 1 picture.")
    (stored,) = box.glob("unsure/*.png")
    (box / "1").mkdir()
    stored.rename(box / "1" / stored.name)  # as `label` does
    name_it(page, "tick")
    kept(page, "Kept as tick in the inbox of this device: 1 picture. It was under 1 before. The network does not know")
    assert [path.relative_to(box) for path in box.glob("*/*")] == [Path("tick", stored.name)]
    name_it(page, "cross")
    kept(page, "Kept as cross in the inbox of this device: 1 picture. It was under tick before.")
    assert [path.relative_to(box) for path in box.glob("*/*")] == [Path("cross", stored.name)]
    device.process.kill()
    device.process.wait()
    start("--network", "small", "--inbox", box, "--port", str(device.port))
    page.get_by_role("button", name="Do not keep it").click()
    kept(
        page, "The device can no longer take it back: it was sorted or removed there, or the device was started again."
    )
    name_it(page, "tick")
    kept(page, "Kept as tick in the inbox of this device: 1 picture. It was under cross before.")
    assert [path.relative_to(box) for path in box.glob("*/*")] == [Path("tick", stored.name)]
    page.get_by_role("button", name="Do not keep it").click()
    kept(page, "The device can no longer take it back")  # it was there before the device was started
    assert [path.relative_to(box) for path in box.glob("*/*")] == [Path("tick", stored.name)]
    context.close()
