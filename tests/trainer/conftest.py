"""What the trainer's tests share: small data in MNIST's shape, a quick training, mirrors on this machine."""

from __future__ import annotations

import gzip
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.idx import Arrays
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mnist_edge_trainer.runs.run import TrainedRun

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
Reply = bytes | Callable[[BaseHTTPRequestHandler], None]


def _encode(array: NDArray[Any]) -> bytes:
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


@pytest.fixture(scope="session")
def idx_bytes() -> Callable[[NDArray[Any]], bytes]:
    """Write an array of bytes as the IDX format's description has it, apart from the product's own code."""
    return _encode


@pytest.fixture(scope="session")
def write_folder() -> Callable[[Path, Arrays], Path]:
    """Write the four IDX files, plain, into a folder and return it."""

    def write(folder: Path, arrays: Arrays) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, array in zip(NAMES, arrays, strict=True):
            (folder / name).write_bytes(_encode(array))
        return folder

    return write


@pytest.fixture(scope="session")
def write_npz() -> Callable[[Path, Arrays], Path]:
    """Write the arrays under the names Keras gives them, and return the file."""

    def write(file: Path, arrays: Arrays) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
        return file

    return write


@pytest.fixture(scope="session")
def letters() -> Arrays:
    """Other data in MNIST's shape: 26 classes numbered from 1, as EMNIST's letters are."""
    random = np.random.default_rng(5)
    train, test = np.tile(np.arange(1, 27, dtype=np.uint8), 24), np.tile(np.arange(1, 27, dtype=np.uint8), 2)

    def images(count: int) -> NDArray[np.uint8]:
        """Noise within a black border."""
        return np.pad(random.integers(0, 256, (count, 20, 20), np.uint8), ((0, 0), (4, 4), (4, 4)))

    return Arrays(images(len(train)), train, images(len(test)), test)


@pytest.fixture(scope="session")
def mnist_arrays(mnist_folder: Path) -> Arrays:
    """Real MNIST, read apart from the product's own code."""

    def array(name: str) -> NDArray[np.uint8]:
        raw = gzip.decompress((mnist_folder / f"{name}.gz").read_bytes())
        shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)

    return Arrays(*(array(name) for name in NAMES))


@pytest.fixture(scope="session")
def mnist_npz(
    mnist_arrays: Arrays, write_npz: Callable[[Path, Arrays], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Real MNIST as the one file that Keras downloads."""
    return write_npz(tmp_path_factory.mktemp("mnist") / "mnist.npz", mnist_arrays)


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Home:
    """Caches of a test's own, both empty at first, and no network."""

    cache: Path
    keras: Path


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_port: int, _direct: None) -> Home:
    """Name no data, empty both caches and let the only mirror be a closed port."""
    monkeypatch.delenv("MNIST_EDGE_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("MNIST_EDGE_MIRRORS", f"http://127.0.0.1:{closed_port}/mnist.npz")
    return Home(tmp_path / "cache" / "mnist-edge" / "mnist.npz", tmp_path / "keras" / "datasets" / "mnist.npz")


@pytest.fixture
def _direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a proxy of the environment out of what this machine asks itself."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass
class Mirror:
    """A server of the test's own, and the paths that were asked of it."""

    url: str
    port: int
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def serve(_direct: None) -> Iterator[Callable[[Mapping[str, Reply]], Mirror]]:
    """Start a server on this machine that answers with a body, or as a function does; any other path is 404."""
    servers: list[ThreadingHTTPServer] = []

    def start(replies: Mapping[str, Reply]) -> Mirror:
        class Handler(BaseHTTPRequestHandler):
            timeout = 30

            def do_GET(self) -> None:
                mirror.requests.append(self.path)
                reply = replies.get(self.path)
                if reply is None:
                    self.send_error(404)
                elif isinstance(reply, bytes):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(reply)))
                    self.end_headers()
                    self.wfile.write(reply)
                else:
                    reply(self)

            def log_message(self, *_: Any) -> None:
                """Stay silent."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """Stay silent when the other side hangs up."""

        server = Server(("127.0.0.1", 0), Handler)
        mirror = Mirror(f"http://127.0.0.1:{server.server_port}/", server.server_port)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        return mirror

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def small(digits: Dataset) -> tuple[Dataset, Split]:
    """300 images to train on, 200 to validate, 100 to test: enough to learn something in a second."""
    dataset = replace(
        digits,
        train_images=digits.train_images[:500],
        train_labels=digits.train_labels[:500],
        test_images=digits.test_images[:100],
        test_labels=digits.test_labels[:100],
    )
    return dataset, datasets.split(dataset)


@pytest.fixture(scope="session")
def trained(small: tuple[Dataset, Split]) -> TrainedRun:
    """Two epochs with seed 3; what a test changes, it changes in a copy."""
    from mnist_edge_trainer.networks.config import TrainConfig
    from mnist_edge_trainer.training.fit import train

    return train(TrainConfig(parts={"epochs": 2, "batch_size": 50}, seed=3), *small)
