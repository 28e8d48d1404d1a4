"""What the runtime's tests share: the exported files, resealed files, pictures, child processes."""

from __future__ import annotations

import hashlib
import io
import json
import queue
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from mnist_edge_runtime import Contract
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Payload
from mnist_edge_runtime.model_file.golden import Golden
from mnist_edge_runtime.preprocessing.mnist import to_picture
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from paho.mqtt.client import Client

VARIANTS = ("tflite-none", "tflite-int8", "onnx-none", "onnx-int8")


@pytest.fixture(params=VARIANTS)
def model_file(request: pytest.FixtureRequest, files: Mapping[str, Path]) -> Path:
    return files[request.param]


@pytest.fixture(params=[variant for variant in VARIANTS if variant.endswith("int8")])
def int8_file(request: pytest.FixtureRequest, files: Mapping[str, Path]) -> Path:
    return files[request.param]


@pytest.fixture
def tflite_file(files: Mapping[str, Path]) -> Path:
    return files["tflite-int8"]


@pytest.fixture
def reseal(tmp_path: Path) -> Callable[..., Path]:
    """Return the function that seals a copy of a file with parts of it changed; its digests are all valid."""

    def reseal(
        file: Path,
        *,
        contract: Callable[[Contract], Contract] = lambda contract: contract,
        golden: Callable[[Golden], Golden] = lambda golden: golden,
        payload: Callable[[bytes], bytes] = lambda payload: payload,
    ) -> Path:
        sealed = sealed_model.read(file)
        changed = payload(sealed.payload)
        described = replace(sealed.contract, payload=Payload(len(changed), hashlib.sha256(changed).hexdigest()))
        target = tmp_path / f"resealed-{file.name}"
        target.write_bytes(sealed_model.seal(changed, contract(described), golden(sealed.golden)))
        return target

    return reseal


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Return the function that writes a PGM of a digit that the model file is sure to read, and gives its label."""

    def picture(file: Path, name: str = "digit.pgm") -> tuple[Path, str]:
        golden = sealed_model.read(file).golden
        drawn = to_picture(golden.images[golden.picture])
        height, width = drawn.shape
        target = tmp_path / name
        target.write_bytes(f"P5 {width} {height} 255\n".encode() + drawn.tobytes())
        return target, str(golden.predicted[golden.picture])

    return picture


@pytest.fixture
def number_frame() -> Callable[..., NDArray[np.uint8]]:
    """Return the function that draws a camera's frame, uint8 (H, W): a number on paper in uneven light."""

    def number_frame(
        text: str, *, size: int = 120, shape: tuple[int, int] = (480, 640), left: int = 60, top: int = 150
    ) -> NDArray[np.uint8]:
        paper = np.linspace(235, 190, shape[1]) + np.random.default_rng(0).normal(0, 2, shape)
        for place, digit in enumerate(text):
            start = left + int(place * 0.8 * size)
            seen = paper[top : top + size, start : start + size]
            drawn = draw(digit, size=size)[: seen.shape[0], : seen.shape[1]]
            seen *= np.clip(drawn / 245, 0, 1)
        return np.clip(paper, 0, 255).astype(np.uint8)

    return number_frame


@pytest.fixture
def number_jpeg(number_frame: Callable[..., NDArray[np.uint8]]) -> Callable[..., bytes]:
    """Return the function that gives `number_frame` as a JPEG."""

    def number_jpeg(text: str, **options: Any) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(number_frame(text, **options)).save(stream, "JPEG", quality=85)
        return stream.getvalue()

    return number_jpeg


@pytest.fixture
def device() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return the function that runs `python -m mnist_edge_runtime` in a process of its own."""

    def device(*arguments: str | Path | bytes, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mnist_edge_runtime", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)

    return device


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Return the function that runs a command in this process, and gives its exit code, stdout and stderr."""

    def invoke(*arguments: str | Path, **options: Any) -> tuple[int, str, str]:
        try:
            code = main([str(argument) for argument in arguments], **options)
        except SystemExit as ending:  # argparse ends so, after --help and on what it cannot parse
            code = int(ending.code or 0)
        return code, *capsys.readouterr()

    return invoke


@pytest.fixture
def refused() -> Callable[[tuple[int, str, str], int], str]:
    """Return the function that checks that a command failed with a code and one line on stderr, and gives that line."""

    def refused(result: tuple[int, str, str], code: int) -> str:
        found, out, err = result
        assert (found, out) == (code, "")
        assert "Traceback" not in err
        assert err.startswith("error: ")
        assert err.count("\n") == 1
        return err

    return refused


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    file = tmp_path / "blank.pgm"
    file.write_bytes(b"P5 28 28 255\n" + bytes(784))
    return file


@pytest.fixture
def cut_short(tmp_path: Path) -> Path:
    file = tmp_path / "cut_short.pgm"
    file.write_bytes(b"P5 28 28 255\n" + bytes(600))
    return file


@pytest.fixture
def mislabelled(tflite_file: Path, reseal: Callable[..., Path]) -> Path:
    """A file that loads and fails its self-test."""
    return reseal(tflite_file, contract=lambda contract: replace(contract, labels=("1", "0", *contract.labels[2:])))


class Message(NamedTuple):
    """What a broker passed on."""

    topic: str
    payload: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Subscriber:
    """A client that the broker remembers, also through its own restarts."""

    def __init__(self, client: Client) -> None:
        self.came: queue.Queue[Message] = queue.Queue()
        client.on_message = lambda client, data, message: self.came.put(Message(message.topic, message.payload))

    def until(self, is_last: Callable[[Message], bool]) -> list[Message]:
        """Return the messages that come, to the one that is asked for."""
        messages = [self.came.get(timeout=30)]
        while not is_last(messages[-1]):
            messages.append(self.came.get(timeout=30))
        return messages


class Broker:
    """A mosquitto of our own, with TLS and a login unless it is a plain one."""

    USER, PASSWORD = "reader", "pass word"

    def __init__(self, folder: Path, certificates: Path | None, *lines: str) -> None:
        self._folder = folder
        self.certificates = certificates
        with socket.socket() as free:  # to be the same after a restart
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        settings = [f"listener {self.port} 127.0.0.1", "user root", "log_type all", f"persistence_location {folder}/"]
        settings += ["persistence true", *lines]
        if certificates:
            settings += [f"certfile {certificates}/server.pem", f"keyfile {certificates}/server.key"]
            settings += ["allow_anonymous false", f"password_file {folder}/users"]
            login = [str(folder / "users"), self.USER, self.PASSWORD]
            subprocess.run(["mosquitto_passwd", "-c", "-b", *login], check=True, capture_output=True)
        else:
            settings += ["allow_anonymous true"]
        (folder / "mosquitto.conf").write_text("\n".join([*settings, ""]))
        self._clients: list[Client] = []
        self._process: subprocess.Popen[str] | None = None
        self.log: list[str] = []

    @property
    def url(self) -> str:
        return f"mqtt{'s' if self.certificates else ''}://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [_mosquitto(), "-c", str(self._folder / "mosquitto.conf")]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line)
            if "running" in line:
                break
        threading.Thread(target=self.log.extend, args=(self._process.stderr,), daemon=True).start()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(timeout=30)

    def subscribe(self, topic: str) -> Subscriber:
        from paho.mqtt import client as mqtt  # few tests need it

        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "subscriber", clean_session=False)
        client.reconnect_delay_set(0.05, 0.2)
        if self.certificates:
            client.tls_set(str(self.certificates / "authority.pem"))
            client.username_pw_set(self.USER, self.PASSWORD)
        subscriber, subscribed = Subscriber(client), threading.Event()
        client.on_connect = lambda client, *_: client.subscribe(topic, qos=1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        self._clients.append(client)
        assert subscribed.wait(30)
        return subscriber

    def close(self) -> None:
        for client in self._clients:
            client.disconnect()
            client.loop_stop()
        self.stop()


def _mosquitto() -> str:
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin:/usr/bin")
    return found or pytest.skip("mosquitto is not installed")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with an authority.pem, and server.pem and server.key that it signed for 127.0.0.1."""
    _mosquitto()
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str, *options: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"]
        command = [
            "openssl",
            "req",
            "-x509",
            *key,
            "-out",
            f"{name}.pem",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            *options,
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    make("authority")
    of_authority = ("-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "basicConstraints=CA:FALSE")
    make("server", *of_authority, "-addext", "subjectAltName=IP:127.0.0.1")
    make("stranger")
    return folder


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[Callable[..., Broker]]:
    """Return the function that makes and starts a broker, given the folder of certificates, or None, and settings."""
    _mosquitto()
    made: list[Broker] = []

    def start(certificates: Path | None = None, *lines: str) -> Broker:
        folder = tmp_path / f"broker{len(made)}"
        folder.mkdir()
        made.append(Broker(folder, certificates, *lines))
        made[-1].start()
        return made[-1]

    yield start
    for broker in made:
        broker.close()
