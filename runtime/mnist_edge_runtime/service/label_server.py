"""Show the page on which pictures are sorted, on loopback alone, with Python's own HTTP server."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..classifier import Classifier
from ..command_line import print_error
from ..errors import InputError, MnistEdgeError, describe
from ..preprocessing.image_io import load_picture
from ..preprocessing.mnist import to_mnist
from ..preprocessing.png_writer import png_bytes
from ..preprocessing.reduction import block_means, block_sides
from . import page
from .access import Access
from .labelling import Labelling
from .limits import content_length
from .refusal import RefusalError

__all__ = ["LabelServer"]

_ENOUGH = 640  # pixels of the longer side of a picture on the page
_MOST_BYTES = 1_000  # of the body of a request
_SECONDS = 10  # for a request to arrive
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LabelServer(ThreadingHTTPServer):
    """The server of one folder, at a port that is free.

    Attributes:
        ended: set when the page says that its person has finished.
    """

    daemon_threads = True

    def __init__(self, labelling: Labelling, classifier: Classifier, token: str) -> None:
        self.labelling, self.classifier, self.ended = labelling, classifier, threading.Event()
        self.access = Access(token)
        self.in_turn = threading.Lock()  # pictures may be large
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/#token={token}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong in this program; a connection that ended or was reset is its browser's affair."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception) and not isinstance(error, OSError):
            print_error(describe(error)[0])

    def answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            RefusalError: it is none that is answered.
            MnistEdgeError: what it asks for cannot be done, nor OSError.
        """
        if method == "GET":
            if path == "/v1/state":
                return self.labelling.state()
            name = path.removeprefix("/v1/pictures/")
            if name != path and name.isascii() and name.isdecimal() and len(name) < 10:
                return self._picture(int(name))
        actions: dict[str, Callable[[dict[str, Any]], object]] = {
            "/v1/move": lambda asked: self.labelling.move(asked["number"], asked["class"]),
            "/v1/undo": lambda asked: self.labelling.undo(),
            "/v1/end": lambda asked: self.ended.set(),
        }
        if method == "POST" and path in actions:
            actions[path](_asked(body, path))
            return self.labelling.state()
        raise RefusalError(404, "there is nothing at this address")

    def _picture(self, number: int) -> dict[str, Any]:
        path = self.labelling.path(number)
        with self.in_turn:
            try:
                pixels = load_picture(path)
                shown = {"name": path.name, "png": base64.b64encode(png_bytes(_small(pixels))).decode()}
            except InputError as error:
                return {"name": path.name, "png": None, "suggestions": [], "remark": f"It cannot be read: {error}."}
            try:
                prediction = self.classifier.classify(to_mnist(pixels))
            except InputError as error:
                return {**shown, "suggestions": [], "remark": f"The network sees nothing: {error}."}
        order = np.argsort(-prediction.probabilities, kind="stable")
        labels = self.classifier.contract.labels
        ranked = [{"label": labels[place], "share": float(prediction.probabilities[place])} for place in order]
        return {**shown, "suggestions": ranked, "remark": None}


def _asked(body: bytes, path: str) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if path == "/v1/move":
        fields = {"number": int, "class": str}
        if not isinstance(asked, dict) or {name: type(value) for name, value in asked.items()} != fields:
            raise RefusalError(400, 'expected {"number": 0, "class": "7"}')
        return asked
    return {}


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return block_means(pixels, *block_sides(pixels.shape, _ENOUGH))


class _Handler(BaseHTTPRequestHandler):
    server: LabelServer
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def _answer(self) -> None:
        status, kind, headers = 200, "application/json", dict(_HEADERS)
        closes, self.close_connection = self.close_connection, True  # as long as there may be more of the request
        try:
            sent = {name.lower(): value for name, value in self.headers.items()}
            self.server.access.check(self.command, self.path, sent)
            body = self._body(sent)
            self.close_connection = closes
            if self.command == "GET" and self.path == "/":
                text = page.labelling()
                content, kind = text.encode(), "text/html; charset=utf-8"
                headers["Content-Security-Policy"] = page.policy(text)
            else:
                content = json.dumps(self.server.answer(self.command, self.path, body), allow_nan=False).encode()
        except RefusalError as refusal:
            status, content = refusal.status, _error(refusal.sentence)
            headers |= refusal.headers
        except Exception as error:
            known = isinstance(error, MnistEdgeError | OSError)
            told = describe(error)[0]
            status, content = (409 if known else 500), _error(told)
            if not known:
                print_error(told)
        with suppress(OSError):  # the browser went away
            self.send_response(status)
            if self.close_connection:
                headers["Connection"] = "close"
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def _body(self, sent: Mapping[str, str]) -> bytes:
        if "transfer-encoding" in sent:
            raise RefusalError(411, "the length of the body is missing")
        length = content_length(sent.get("content-length", "0"), _MOST_BYTES)
        if length > _MOST_BYTES:
            raise RefusalError(413, f"the body has more than {_MOST_BYTES:,} bytes")
        try:
            body = self.rfile.read(length)
        except TimeoutError:
            raise RefusalError(408, f"the body did not arrive within {_SECONDS} seconds") from None
        if len(body) < length:
            raise RefusalError(400, "the connection ended before the body")
        return body


def _error(sentence: str) -> bytes:
    return json.dumps({"error": sentence}).encode()
