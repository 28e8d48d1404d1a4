from __future__ import annotations

import gzip
import io
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets, download, idx
from mnist_edge_trainer.data.idx import Arrays

Answer = Callable[[BaseHTTPRequestHandler], None]
Serve = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("_direct")


def status(code: int, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()

    return answer


def sent(body: bytes, length: int | None = None) -> Answer:
    """Promise `length` bytes, or nothing about the length, and send `body`."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        if length is not None:
            request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(body)

    return answer


def later(body: bytes, seconds: float = 0.2) -> Answer:
    """Answer only when the other mirror has answered."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        sent(body, len(body))(request)

    return answer


def npz(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
    return buffer.getvalue()


@pytest.fixture
def silent_ports() -> Iterator[list[int]]:
    """Two ports that accept a connection and never answer."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    yield [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()


@pytest.fixture
def idx_replies(letters: Arrays, idx_bytes: Callable[[Any], bytes]) -> dict[str, bytes]:
    """A folder of small IDX files that are not MNIST's."""
    return {
        f"/mnist/{name}.gz": gzip.compress(idx_bytes(array)) for name, array in zip(idx.FILES, letters, strict=True)
    }


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[str, Path, dict[str, bytes]]]:
    """A server with a certificate of its own: its URL, the certificate, and the bodies that it sends, by path."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    bodies: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent(bodies[self.path], len(bodies[self.path]))(self)

        def log_message(self, *unused: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *unused: None  # type: ignore[method-assign]
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_address[1]}/", certificate, bodies
        server.shutdown()


def test_a_certificate_that_is_not_trusted_is_told_with_the_variable_that_names_its_authority(
    https: tuple[str, Path, dict[str, bytes]], letters: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, certificate, bodies = https
    bodies["/mnist.npz"] = npz(letters)
    with pytest.raises(InputError) as refused:
        download.mnist([f"{url}mnist.npz"])
    assert f"({url}mnist.npz: its certificate is not trusted: self-signed certificate)" in str(refused.value)
    assert "name the PEM file of its authority with the environment variable SSL_CERT_FILE; or put its" in str(
        refused.value
    )

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(InputError, match="the download is not MNIST: its SHA-256 differs") as read:
        download.mnist([f"{url}mnist.npz"])
    assert "SSL_CERT_FILE" not in str(read.value)


class TestMnist:
    """With the real data, served from this machine."""

    def test_one_npz(self, mnist_npz: Path, mnist_arrays: Arrays, serve: Serve) -> None:
        url = serve({"/some/mnist.npz": mnist_npz.read_bytes()}).url + "some/mnist.npz"
        arrays, source = download.mnist([url])
        assert source == url
        for array, expected in zip(arrays, mnist_arrays, strict=True):
            np.testing.assert_array_equal(array, expected)

    def test_a_folder_of_idx_files(self, mnist_folder: Path, mnist_arrays: Arrays, serve: Serve) -> None:
        mirror = serve({f"/mnist/{name}.gz": (mnist_folder / f"{name}.gz").read_bytes() for name in idx.FILES})
        arrays, source = download.mnist([f"{mirror.url}mnist/"])
        assert source == f"{mirror.url}mnist/"
        assert mirror.requests == [f"/mnist/{name}.gz" for name in idx.FILES]
        for array, expected in zip(arrays, mnist_arrays, strict=True):
            np.testing.assert_array_equal(array, expected)

    @pytest.mark.parametrize("first", ["closed", "silent", "error", "short", "damaged", "other", "part/"])
    def test_the_second_mirror_is_used_when_the_first_fails(
        self,
        mnist_npz: Path,
        letters: Arrays,
        idx_replies: dict[str, bytes],
        serve: Serve,
        closed_port: int,
        silent_ports: list[int],
        first: str,
    ) -> None:
        body = mnist_npz.read_bytes()
        part = next(iter(idx_replies))
        mirror = serve(
            {
                "/error": status(500),
                "/short": sent(body[:-1], len(body)),
                "/damaged": body[:1000] + bytes([body[1000] ^ 1]) + body[1001:],
                "/other": npz(letters),
                f"/part/{part.rsplit('/', 1)[-1]}": idx_replies[part],
                "/mnist.npz": later(body),
            }
        )
        ports = {"closed": closed_port, "silent": silent_ports[0]}
        url = f"http://127.0.0.1:{ports[first]}/" if first in ports else mirror.url + first
        assert download.mnist([url, f"{mirror.url}mnist.npz"])[1] == f"{mirror.url}mnist.npz"
        assert first in ports or len(mirror.requests) > 1

    def test_a_download_that_stalls_is_aborted(
        self, mnist_npz: Path, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(download, "_STALL", 0.5)
        body, done = mnist_npz.read_bytes(), threading.Event()

        def stalling(request: BaseHTTPRequestHandler) -> None:
            sent(body[:100_000], len(body))(request)
            request.wfile.flush()
            done.wait(20)

        mirror = serve({"/stalling": stalling, "/mnist.npz": later(body)})
        started = time.monotonic()
        try:
            assert download.mnist([f"{mirror.url}stalling", f"{mirror.url}mnist.npz"])[1] == f"{mirror.url}mnist.npz"
        finally:
            done.set()
        assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status(500), "Internal Server Error"),
        (status(404), "Not Found"),
        (b"", "not an .npz file"),
        (b"<html>the library's log-in page</html>", "not an .npz file"),
        (sent(b"x" * 50, 100), "after 50 of 100 bytes"),
        (sent(b"x" * 50, 10**12), "larger than 64 MiB"),
        (status(200, Content_Length="many"), "many"),
        (lambda request: request.wfile.write(b"not HTTP\r\n\r\n"), "not HTTP"),
    ],
    ids=["500", "404", "empty", "a page", "cut short", "promised too large", "no number", "no HTTP"],
)
def test_the_reason_is_told(serve: Serve, answer: Any, reason: str) -> None:
    url = serve({"/mnist.npz": answer}).url + "mnist.npz"
    with pytest.raises(InputError, match="MNIST could not be downloaded") as caught:
        download.mnist([url])
    assert f"{url}: " in str(caught.value)
    assert reason in str(caught.value)


def test_other_data_is_refused(serve: Serve, letters: Arrays, idx_replies: dict[str, bytes]) -> None:
    mirror = serve({"/mnist.npz": npz(letters), **idx_replies})
    with pytest.raises(InputError) as caught:
        download.mnist([f"{mirror.url}mnist.npz", f"{mirror.url}mnist/"])
    assert str(caught.value).count("is not MNIST") == 2
    assert sorted(mirror.requests) == sorted(["/mnist.npz", *idx_replies])


@pytest.mark.parametrize("number", range(4))
def test_a_folder_that_lacks_a_file_is_refused(serve: Serve, idx_replies: dict[str, bytes], number: int) -> None:
    del idx_replies[list(idx_replies)[number]]
    mirror = serve(idx_replies)
    with pytest.raises(InputError, match=f"{mirror.url}mnist/: Not Found"):
        download.mnist([f"{mirror.url}mnist/"])


def test_every_mirror_is_named_with_its_reason(serve: Serve, closed_port: int, silent_ports: list[int]) -> None:
    mirror = serve({"/mnist.npz": status(503)})
    urls = [
        f"{mirror.url}mnist.npz",
        f"http://127.0.0.1:{closed_port}/mnist.npz",
        f"http://127.0.0.1:{silent_ports[0]}/mnist/",
        f"http://127.0.0.1:{silent_ports[1]}/mnist.npz",
    ]
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        download.mnist(urls, patience=0.5)
    assert time.monotonic() - started < 5
    message = str(caught.value)
    assert all(f"{url}: " in message for url in urls)
    assert "Service Unavailable" in message
    assert "Connection refused" in message
    assert message.count("no answer within 0.5 seconds") == 2
    assert "--data FOLDER" in message


def test_without_a_network_there_is_no_waiting(closed_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(InputError):
        download.mnist([f"http://127.0.0.1:{closed_port}/a", f"http://127.0.0.1:{closed_port}/b/"], patience=60)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("length", [5000, None], ids=["promised", "not promised"])
def test_a_body_above_the_cap_is_refused(serve: Serve, monkeypatch: pytest.MonkeyPatch, length: int | None) -> None:
    monkeypatch.setattr(download, "_MAX_BYTES", 1000)
    url = serve({"/mnist.npz": sent(b"x" * 5000, length)}).url + "mnist.npz"
    with pytest.raises(InputError, match="the file is larger than"):
        download.mnist([url])


def test_a_body_without_end_is_not_read_to_the_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_MAX_BYTES", 1 << 20)
    amount = 0

    def endless(request: BaseHTTPRequestHandler) -> None:
        nonlocal amount
        sent(b"")(request)
        while amount < 1 << 30:
            amount += request.wfile.write(bytes(1 << 16))

    with pytest.raises(InputError, match="the file is larger than 1 MiB"):
        download.mnist([serve({"/mnist.npz": endless}).url + "mnist.npz"])
    assert amount < 100 << 20


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "127.0.0.1@0.0.0.0", "localhost:x@0.0.0.0"], ids=["address", "user", "password"]
)
def test_plain_http_to_another_host_is_refused_unasked(serve: Serve, letters: Arrays, host: str) -> None:
    """The address 0.0.0.0 is not of this machine by name, but would reach the server if it were asked."""
    mirror = serve({"/mnist.npz": npz(letters)})
    with pytest.raises(InputError, match="is refused: only https is fetched"):
        download.mnist([f"http://{host}:{mirror.port}/mnist.npz"])
    assert mirror.requests == []


@pytest.mark.parametrize("host", ["127.example.invalid", "127.0.0.1.example.invalid", "localhost.example.invalid"])
def test_a_host_that_only_begins_like_this_machine_is_refused(host: str) -> None:
    with pytest.raises(InputError, match="is refused: only https is fetched"):
        download.mnist([f"http://{host}/mnist.npz"])


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_plain_http_to_this_machine_is_asked(serve: Serve, letters: Arrays, name: str) -> None:
    mirror = serve({"/mnist.npz": npz(letters)})
    with pytest.raises(InputError, match="is not MNIST"):
        download.mnist([f"http://{name}:{mirror.port}/mnist.npz"])
    assert mirror.requests == ["/mnist.npz"]


def test_a_redirect_is_followed_on_this_machine(serve: Serve, letters: Arrays) -> None:
    mirror = serve({"/mnist.npz": status(302, Location="/moved.npz"), "/moved.npz": npz(letters)})
    with pytest.raises(InputError, match="is not MNIST"):
        download.mnist([f"{mirror.url}mnist.npz"])
    assert mirror.requests == ["/mnist.npz", "/moved.npz"]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_plain_http_elsewhere_is_refused(serve: Serve, letters: Arrays, code: int) -> None:
    target = serve({"/mnist.npz": npz(letters)})
    mirror = serve({"/mnist.npz": status(code, Location=f"http://0.0.0.0:{target.port}/mnist.npz")})
    with pytest.raises(InputError, match=f"http://0.0.0.0:{target.port}/mnist.npz is refused"):
        download.mnist([f"{mirror.url}mnist.npz"])
    assert mirror.requests == ["/mnist.npz"]
    assert target.requests == []


def test_a_redirect_of_a_later_file_is_refused_too(serve: Serve, idx_replies: dict[str, Any]) -> None:
    target = serve({})
    idx_replies["/mnist/t10k-images-idx3-ubyte.gz"] = status(302, Location=f"http://0.0.0.0:{target.port}/x")
    mirror = serve(idx_replies)
    with pytest.raises(InputError, match="is refused"):
        download.mnist([f"{mirror.url}mnist/"])
    assert target.requests == []


def test_a_redirect_in_a_circle_ends(serve: Serve) -> None:
    mirror = serve({"/a": status(302, Location="/b"), "/b": status(302, Location="/a")})
    with pytest.raises(InputError, match="MNIST could not be downloaded"):
        download.mnist([f"{mirror.url}a"])
    assert len(mirror.requests) < 50


def test_a_redirect_to_a_file_is_refused(serve: Serve, tmp_path: Path, letters: Arrays) -> None:
    (tmp_path / "mnist.npz").write_bytes(npz(letters))
    mirror = serve({"/mnist.npz": status(302, Location=(tmp_path / "mnist.npz").as_uri())})
    with pytest.raises(InputError, match="MNIST could not be downloaded") as caught:
        download.mnist([f"{mirror.url}mnist.npz"])
    assert "is not MNIST" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["ftp://127.0.0.1", "file://", "data:", "gopher://127.0.0.1", ""])
def test_other_schemes_are_refused(tmp_path: Path, letters: Arrays, scheme: str) -> None:
    (tmp_path / "mnist.npz").write_bytes(npz(letters))
    with pytest.raises(InputError, match="is refused: only https is fetched"):
        download.mnist([f"{scheme}{tmp_path / 'mnist.npz'}"])


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999/", "http://127.0.0.1:port/", "http://[::1/", "https://", "https:///mnist.npz", "http://"],
)
def test_what_is_no_url_is_the_persons_error(url: str) -> None:
    with pytest.raises(InputError, match="MNIST could not be downloaded") as caught:
        download.mnist([url])
    assert f"{url}: " in str(caught.value)


@pytest.mark.parametrize("kind", ["short", "other", "part"])
def test_a_failure_leaves_the_cache_empty(
    serve: Serve,
    letters: Arrays,
    idx_replies: dict[str, bytes],
    offline: Any,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    body = npz(letters)
    mirror = serve({"/short": sent(body[:-100], len(body)), "/other": body, **dict(list(idx_replies.items())[:3])})
    monkeypatch.setenv("MNIST_EDGE_MIRRORS", mirror.url + ("mnist/" if kind == "part" else kind))
    with pytest.raises(InputError, match="MNIST could not be downloaded"):
        datasets.load("mnist")
    assert mirror.requests
    root = offline.cache.parent.parent
    assert not root.exists() or not [path for path in root.rglob("*") if path.is_file()]


def test_mirrors_come_from_the_environment_or_are_the_public_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_EDGE_MIRRORS", " https://a.example/mnist/  https://b.example/mnist.npz ")
    assert download.mirrors() == ("https://a.example/mnist/", "https://b.example/mnist.npz")
    for empty in ("", "  "):
        monkeypatch.setenv("MNIST_EDGE_MIRRORS", empty)
        assert download.mirrors() == download.MIRRORS
    monkeypatch.delenv("MNIST_EDGE_MIRRORS")
    assert download.mirrors() == download.MIRRORS
    assert len(download.MIRRORS) >= 2
    assert all(url.startswith("https://") for url in download.MIRRORS)


def test_nothing_is_printed_on_a_pipe(serve: Serve, letters: Arrays, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError):
        download.mnist([serve({"/mnist.npz": npz(letters)}).url + "mnist.npz"])
    assert capfd.readouterr() == ("", "")
