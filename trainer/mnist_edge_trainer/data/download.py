"""Download MNIST from the first mirror that answers, and check it against the published hashes.

Every mirror is asked in a thread of its own, so that all of them together have five seconds to answer: no timeout of a
socket or an HTTP library ends a name look-up that hangs, or headers that arrive byte by byte.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import os
import queue
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from typing import Any

from mnist_edge_runtime.errors import InputError

from ..progress import progress_bar
from . import idx, npz

__all__ = ["MIRRORS", "mirrors", "mnist"]

# URLs of mnist.npz, or of a folder (with a slash at its end) of the four gzipped IDX files.
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
PATIENCE = 5.0  # seconds for all mirrors together to answer
_STALL = 10.0  # seconds without a byte before a download is aborted
_MAX_BYTES = 64 << 20  # bytes of a file; the largest is 11.5 MB
_CHUNK = 1 << 16  # bytes read between two updates of the progress bar
_CERTIFICATE = (
    "if your network puts a certificate of its own in place of the mirror's, name the PEM file of its authority with "
    "the environment variable SSL_CERT_FILE; or "
)
_ERRORS = (OSError, http.client.HTTPException, InputError, ValueError)


def mirrors() -> tuple[str, ...]:
    """Return the mirrors in $MNIST_EDGE_MIRRORS, separated by spaces, else the public ones."""
    return tuple(os.environ.get("MNIST_EDGE_MIRRORS", "").split()) or MIRRORS


def mnist(urls: Sequence[str], patience: float = PATIENCE) -> tuple[idx.Arrays, str]:
    """Download MNIST and return its arrays and their URL.

    All mirrors are asked simultaneously; the first that answers and delivers the right bytes wins.

    Args:
        urls: mirrors; https, or plain http on this machine.
        patience: seconds for all mirrors together to answer.

    Raises:
        InputError: no mirror delivered; the message gives the reason of each.
    """
    answers: queue.Queue[tuple[str, Any]] = queue.Queue()
    for url in urls:
        # Daemons: a name look-up that hangs cannot be interrupted and must not keep the program alive.
        threading.Thread(target=_open_into, args=(url, answers), daemon=True).start()
    deadline = time.monotonic() + patience
    silent = list(urls)
    problems: list[str] = []
    advice = ""
    while silent:
        try:
            url, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            problems.extend(f"{url}: no answer within {patience:g} seconds" for url in silent)
            break
        silent.remove(url)
        try:
            if isinstance(answer, Exception):
                raise answer
            return _fetch(url, answer), url
        except _ERRORS as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, ssl.SSLCertVerificationError):
                reason, advice = f"its certificate is not trusted: {reason.verify_message}", _CERTIFICATE
            problems.append(f"{url}: {reason}")
    raise InputError(
        f"MNIST could not be downloaded ({'; '.join(problems)}); {advice}put its four IDX files or mnist.npz into a "
        "folder and name it with --data FOLDER or MNIST_EDGE_DATA; --data digits needs no download"
    )


def _open_into(url: str, answers: queue.Queue[tuple[str, Any]]) -> None:
    try:
        answers.put((url, _open(urllib.parse.urljoin(url, _names(url)[0]))))
    except Exception as error:
        answers.put((url, error))


def _names(url: str) -> list[str]:
    """Return the files to fetch, relative to the mirror's URL."""
    return [f"{name}.gz" for name in idx.FILES] if url.endswith("/") else [""]


def _open(url: str) -> Any:
    _check_scheme(url)
    return urllib.request.build_opener(_CheckedRedirects).open(url, timeout=_STALL)


def _check_scheme(url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise InputError(f"{url} is refused: only https is fetched, and http from this machine")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Applies the rule for the first URL to every redirect."""

    def redirect_request(self, *arguments: Any) -> urllib.request.Request | None:
        _check_scheme(arguments[-1])
        return super().redirect_request(*arguments)


def _fetch(url: str, first: Any) -> idx.Arrays:
    """Read the response that is open already, then the mirror's other files, and decode them."""
    bodies: list[bytes] = []
    for name in _names(url):
        response = _open(urllib.parse.urljoin(url, name)) if bodies else first
        with response:
            bodies.append(_body(response))
    if len(bodies) == 1:
        parts = npz.read(io.BytesIO(bodies[0]), url)
        arrays = idx.Arrays(*parts.train, *(parts.test or parts.train))
    else:
        arrays = idx.check([idx.parse(body, url + name) for body, name in zip(bodies, idx.FILES, strict=True)], url)
    if not idx.is_mnist(arrays):
        raise InputError("the download is not MNIST: its SHA-256 differs")
    return arrays


def _body(response: Any) -> bytes:
    """Read the body of a response, at most `_MAX_BYTES`, with progress on stderr."""
    total = int(response.headers.get("Content-Length") or 0)
    body = bytearray()
    with progress_bar(f"downloading {response.url.rsplit('/', 1)[-1]}", total or None) as advance:
        while chunk := response.read(_CHUNK):
            body += chunk
            advance(len(chunk))
            if len(body) > _MAX_BYTES or total > _MAX_BYTES:
                raise InputError(f"the file is larger than {_MAX_BYTES >> 20} MiB")
    if total and len(body) != total:
        raise InputError(f"the download ended after {len(body):,} of {total:,} bytes")
    return bytes(body)
