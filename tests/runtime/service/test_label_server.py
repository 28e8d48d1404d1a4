"""The page on which pictures are sorted, as a person uses it, and its server, which answers nobody else."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.preprocessing.png_writer import png_bytes

from .test_page import axe_finds_nothing


@pytest.fixture
def folder(tmp_path: Path, classifier: Classifier) -> Path:
    """Return a folder with an unreadable picture, a blank one, and a 7, a 2 and a 1."""
    (tmp_path / "own" / "unsure").mkdir(parents=True)
    golden = sealed_model.read(str(classifier.file)).golden
    drawn = [to_picture(image) for image in golden.images]
    answers = [classifier.classify(to_mnist(pixels)) for pixels in drawn]
    surest = [
        max((found.confidence * (found.label == label), at) for at, found in enumerate(answers)) for label in "721"
    ]
    pictures = [png_bytes(drawn[at]) for _, at in surest]
    blank = png_bytes(np.full((40, 40), 255, np.uint8))
    for number, data in enumerate([b"\x89PNG\r\n\x1a\nbroken", blank, *pictures]):
        (tmp_path / "own" / "unsure" / f"{number}.png").write_bytes(data)
    return tmp_path / "own"


class Labelled:
    """`mnist-edge-runtime label` in a process of its own, once it says where its page is."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "mnist_edge_runtime", "label", str(folder), "--network", "small", "--no-open"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr
        self.told = self.process.stderr.readline()
        found = re.fullmatch(
            r"5 pictures to sort: (http://127\.0\.0\.1:(\d+)/#token=(\S+)) \(Ctrl-C ends it\)\n", self.told
        )
        assert found, self.told + self.process.stderr.read()
        self.url, self.port, self.token = found[1], int(found[2]), found[3]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


@pytest.fixture
def labelled(folder: Path) -> Iterator[Labelled]:
    labelled = Labelled(folder)
    yield labelled
    labelled.process.kill()
    labelled.process.communicate()


def test_pictures_are_sorted_with_keys(browser: Any, folder: Path, labelled: Labelled) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(labelled.url)

    def told(words: str) -> None:
        page.locator("#words", has_text=words).wait_for()

    told("Picture 1 of 5. It cannot be read: the picture is damaged")
    assert labelled.token not in page.url
    page.keyboard.press("7")  # it could not be trained on
    assert not page.is_visible("#sorting")
    page.keyboard.press("-")
    told("Moved to discarded. Picture 2 of 5. The network sees nothing: the picture is blank")
    page.keyboard.press("Delete")
    told("Moved to discarded. Picture 3 of 5. The network: 7, ")
    assert page.locator("#suggestions strong").first.inner_text() == "7"
    page.locator("#picture").wait_for()
    assert page.get_attribute("#picture", "alt") == "Picture 3 of 5"
    axe_finds_nothing(page, "a picture to sort")
    page.keyboard.press("ArrowRight")
    told("Left for later. Picture 3 of 5. The network: 2, ")
    page.keyboard.press("2")
    told("Moved to 2. Picture 4 of 5. The network: 1, ")
    page.keyboard.press("Backspace")
    told("Taken back from 2. Picture 3 of 5. The network: 2, ")
    page.uncheck("#keys")
    page.keyboard.press("5")
    page.fill("#other", "zwei")
    page.keyboard.press("Enter")
    told(
        "Moved to zwei. The network does not know zwei yet: to learn it, it needs 4 more. Picture 4 of 5. The network: "
    )
    page.get_by_role("button", name="zwei").wait_for()
    page.reload()
    told("Picture 4 of 5. The network: 7, ")
    page.locator("#suggestions button").first.click()
    told("Moved to 7. Picture 5 of 5. The network: 1, ")
    page.keyboard.press("1")
    told("Moved to 1. All 5 are sorted. The network does not know zwei yet: to learn it, it needs 4 more.")
    assert page.inner_text("#next") == f"mnist-edge train --from small --also {folder}"
    axe_finds_nothing(page, "all sorted")
    page.click("#end")
    told("The command has ended.")
    out, err = labelled.process.communicate(timeout=60)
    assert (labelled.process.returncode, err) == (0, f"{folder}: 5 sorted, 0 left\n")
    assert out == f"mnist-edge train --from small --also {folder}\n"
    places = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
    assert places == ["1/4.png", "7/2.png", "discarded/0.png", "discarded/1.png", "zwei/3.png"]
    context.close()


def test_a_new_class_lacks_pictures_until_it_has_enough(browser: Any, folder: Path, labelled: Labelled) -> None:
    """Under the name of its folder, whatever that means to JavaScript and however it was typed."""
    (folder / "constructor").mkdir()
    for number in range(3):
        (folder / "constructor" / f"{number}.png").touch()
    page = browser.new_page()
    page.goto(labelled.url)
    page.locator("#words", has_text="Picture 1 of 5").wait_for()
    page.keyboard.press("-")
    page.locator("#words", has_text="Picture 2 of 5").wait_for()
    page.keyboard.press("-")
    lack = " The network does not know constructor yet: to learn it, it needs 1 more."
    for number, told in ((3, lack), (4, "")):
        page.locator("#words", has_text=f"Picture {number} of 5. The network: ").wait_for()
        page.fill("#other", "Constructor")
        page.keyboard.press("Enter")
        page.locator("#words", has_text=f"Moved to constructor.{told} Picture {number + 1} of 5. ").wait_for()
    page.close()


def test_requests_that_break_off_or_lie_are_no_fault_of_the_command(folder: Path, labelled: Labelled) -> None:
    """Who may ask is decided before anything of a request is believed."""
    before = sorted(folder.rglob("*"))
    head = b"POST /v1/move HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    allowed = head + f"Authorization: Bearer {labelled.token}\r\n".encode()
    digits = b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n"
    for sent, status in (
        (head + digits, 401),
        (head + b"Content-Length: x\r\n\r\n", 401),
        (head + b"Content-Length: 20\r\n\r\nhalf", 401),
        (allowed + digits, 413),
        (allowed + b"Content-Length: x\r\n\r\n", 400),
        (allowed + b"Transfer-Encoding: chunked\r\n\r\n", 411),
        (allowed + b"Content-Length: 20\r\n\r\nhalf", 400),
    ):
        with socket.create_connection(("127.0.0.1", labelled.port), timeout=60) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))  # until it is closed
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.count(b"HTTP/1.1") == 1
    for sent in (b"", head[:10], allowed + b"Content-Length: 20\r\n\r\nhalf"):
        connection = socket.create_connection(("127.0.0.1", labelled.port), timeout=60)
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing it is a reset
        time.sleep(0.2)
        connection.close()
    assert labelled.ask("GET", "/v1/state")[0] == 200
    assert sorted(folder.rglob("*")) == before
    labelled.process.send_signal(signal.SIGINT)
    assert labelled.process.communicate(timeout=60) == ("", f"{folder}: 0 sorted, 5 left\n")


def test_nobody_else_is_answered_and_a_signal_ends_it(folder: Path, labelled: Labelled) -> None:
    before = sorted(folder.rglob("*"))
    assert labelled.ask("GET", "/v1/state")[1]["left"] == [0, 1, 2, 3, 4]
    assert labelled.ask("GET", "/v1/state", Authorization="Bearer other")[0] == 401
    move = b'{"number": 2, "class": "7"}'
    assert labelled.ask("POST", "/v1/move", move, Origin="http://stranger.example")[0] == 403
    for body in (b"", b"[]", b'{"number": "2", "class": "7"}', b'{"number": true, "class": "7"}', b"\xff"):
        assert labelled.ask("POST", "/v1/move", body) == (400, {"error": 'expected {"number": 0, "class": "7"}'})
    assert labelled.ask("POST", "/v1/move", b'{"number": 2, "class": "../7"}')[0] == 409
    assert labelled.ask("POST", "/v1/move", bytes(2_000))[0] == 413
    assert labelled.ask("GET", "/v1/pictures/../../etc/passwd")[0] == 404
    assert labelled.ask("GET", "/v1/pictures/99")[0] == 409
    assert sorted(folder.rglob("*")) == before
    labelled.process.send_signal(signal.SIGINT)
    out, err = labelled.process.communicate(timeout=60)
    assert (labelled.process.returncode, out, err) == (0, "", f"{folder}: 0 sorted, 5 left\n")
