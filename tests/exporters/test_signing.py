"""A file is signed by ssh-keygen, with a key in a file or in an agent, and never by asking."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mnist_edge_exporters.signing import check_key, sign_file
from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.model_file.signature import verify


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return a private key without a passphrase, whose public half `signers` beside it allows."""
    return _make(tmp_path, "")


def _make(folder: Path, passphrase: str) -> Path:
    file = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", file], check=True)
    (folder / "signers").write_text(f"maker {Path(f'{file}.pub').read_text()}")
    return file


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start an agent of the test's own."""
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield
    process.terminate()
    process.wait()
    process.stdout.close()


def _file(folder: Path) -> Path:
    file = folder / "digits.tflite"
    file.write_bytes(b"some bytes")
    return file


def test_a_key_in_a_file_signs(key: Path, tmp_path: Path) -> None:
    file = _file(tmp_path)
    made = sign_file(file, key)
    assert made == tmp_path / "digits.tflite.sig"
    assert verify(file.read_bytes(), file, tmp_path / "signers") == "maker"
    first = made.read_bytes()
    assert sign_file(file, key).read_bytes() == first  # the same bytes again


def test_a_key_in_the_agent_signs_without_its_file(key: Path, agent: None, tmp_path: Path) -> None:
    subprocess.run(["ssh-add", "-q", key], check=True)
    key.unlink()
    file = _file(tmp_path)
    sign_file(file, Path(f"{key}.pub"))
    assert verify(file.read_bytes(), file, tmp_path / "signers") == "maker"


def test_a_public_key_that_no_agent_holds_signs_nothing(key: Path, agent: None, tmp_path: Path) -> None:
    key.unlink()
    with pytest.raises(InputError, match=r"key\.pub: cannot sign \(.*\); a key with a passphrase must be in the agent"):
        sign_file(_file(tmp_path), Path(f"{key}.pub"))
    assert not (tmp_path / "digits.tflite.sig").exists()


def test_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("SSH_ASKPASS", "/bin/cat")
    with pytest.raises(InputError, match="must be in the agent: ssh-add"):
        check_key(_make(tmp_path, "a secret"))


def test_what_cannot_be_signed_is_said(key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"no-key: no such key; name a private key"):
        sign_file(_file(tmp_path), tmp_path / "no-key")
    with pytest.raises(InputError, match=r"missing\.tflite: No such file"):
        sign_file(tmp_path / "missing.tflite", key)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="there is no ssh-keygen on this machine; install the package openssh-client"):
        sign_file(_file(tmp_path), key)


def test_the_command_signs_and_says_what(key: Path, tmp_path: Path) -> None:
    file = _file(tmp_path)
    command = [sys.executable, "-m", "mnist_edge.cli", "sign", str(file)]
    run = subprocess.run([*command, "--key", str(key)], capture_output=True, text=True, env=dict(os.environ))
    assert (run.returncode, run.stdout) == (0, f"{file}.sig: the signature of {file}\n")
    with pytest.raises(ModelError, match="unsigned"):
        verify(b"", tmp_path / "other", tmp_path / "signers")
    assert verify(b"some bytes", file, tmp_path / "signers") == "maker"
    without = subprocess.run(command, capture_output=True, text=True)
    assert without.returncode == 2
    assert "--key" in without.stderr
