"""Where a list of signers is there, no file is loaded that none of them signed; without one nothing is started."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_runtime import Classifier, InputError, ModelError, models
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.model_file import signature

Sign = Callable[..., Path]


def _key(folder: Path, name: str) -> str:
    """Make a key and return its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return (folder / f"{name}.pub").read_text()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home without a list of signers, the process's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def signers(home: Path) -> Path:
    """Return the user's list of signers, which allows the key `key`."""
    folder = home / ".config/mnist-edge"
    folder.mkdir(parents=True)
    (folder / "allowed_signers").write_text(f'maker namespaces="mnist-edge" {_key(home, "key")}')
    return folder / "allowed_signers"


@pytest.fixture
def model(home: Path) -> Path:
    """Return a model file of one's own."""
    (bundled,) = models.bundled_models("litert", "small")
    file = home / "own.tflite"
    file.write_bytes(bundled.read_bytes())
    return file


def _sign(file: Path, key: Path, namespace: str = "mnist-edge") -> None:
    Path(f"{file}.sig").unlink(missing_ok=True)
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", key, file]
    subprocess.run(command, check=True, capture_output=True)


def test_without_a_list_no_process_is_started(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "_keygen", lambda *arguments, **more: pytest.fail("a process was started"))
    assert signature.allowed_signers() is None
    with Classifier.load(model) as classifier:
        assert classifier.file == model


def test_what_a_signer_signed_is_loaded(model: Path, signers: Path, home: Path) -> None:
    _sign(model, home / "key")
    assert signature.verify(model.read_bytes(), model, signers) == "maker"
    Classifier.load(model).close()


def test_networks_of_the_package_need_no_signature(signers: Path) -> None:
    Classifier.load("small").close()
    Classifier.load().close()


def test_what_is_unsigned_is_refused_with_what_to_do(model: Path, signers: Path) -> None:
    with pytest.raises(
        ModelError, match=r"own\.tflite: unsigned, and .*allowed_signers asks .*: mnist-edge sign .*own"
    ):
        Classifier.load(model)


def test_a_list_that_is_named_holds_without_the_users(
    model: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mine").write_text(f"me {_key(home, 'mine-key')}")
    options = ["selftest", str(model), "--allowed-signers", str(home / "mine")]
    assert main(options) == 4
    assert "own.tflite: unsigned" in capsys.readouterr().err
    _sign(model, home / "mine-key")
    assert main(options) == 0
    assert main([*options[:3], str(home / "missing")]) == 3
    assert "missing: no such file" in capsys.readouterr().err


def _altered(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)


def _altered_signature(file: Path) -> None:
    made = Path(f"{file}.sig")
    lines = made.read_text().splitlines()
    lines[3] = lines[3][:10] + ("A" if lines[3][10] != "A" else "B") + lines[3][11:]
    made.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("alter", [_altered, _altered_signature, lambda file: Path(f"{file}.sig").write_text("")])
def test_an_altered_byte_is_refused_before_an_engine_sees_it(
    alter: Callable[[Path], None], model: Path, signers: Path, home: Path
) -> None:
    _sign(model, home / "key")
    alter(model)
    with pytest.raises(ModelError, match="is not the signature of these bytes by a signer whom"):
        Classifier.load(model)


def test_a_stranger_is_refused(model: Path, signers: Path, home: Path) -> None:
    _key(home, "strange")
    _sign(model, home / "strange")
    with pytest.raises(ModelError, match="add the maker's key to that list"):
        Classifier.load(model)


def test_a_signature_for_another_purpose_is_none(model: Path, signers: Path, home: Path) -> None:
    _sign(model, home / "key", "git")
    with pytest.raises(ModelError, match="namespace"):
        Classifier.load(model)


@pytest.mark.parametrize("option", ['valid-before="20200101"', 'valid-after="29990101"', 'namespaces="git"'])
def test_the_options_of_the_list_hold(option: str, model: Path, signers: Path, home: Path) -> None:
    _sign(model, home / "key")
    signers.write_text(signers.read_text().replace('namespaces="mnist-edge"', option))
    with pytest.raises(ModelError, match="is not the signature of these bytes by a signer whom"):
        Classifier.load(model)


def test_an_empty_list_allows_nobody(model: Path, signers: Path, home: Path) -> None:
    _sign(model, home / "key")
    signers.write_text("# nobody\n")
    with pytest.raises(ModelError, match="is not the signature of these bytes by a signer whom"):
        Classifier.load(model)


def test_a_list_without_openssh_is_an_error_with_advice(
    model: Path, signers: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _sign(model, home / "key")
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(InputError, match=r"no ssh-keygen on this machine.*; install the package openssh-client"):
        Classifier.load(model)


def test_a_file_without_a_contract_is_no_way_around(
    model: Path, signers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", "--no-verify", "--model", str(model), str(model)]) == 4
    assert "unsigned" in capsys.readouterr().err


def test_a_list_that_is_a_pipe_is_not_waited_for(model: Path) -> None:
    os.mkfifo(pipe := model.with_name("pipe"))
    with pytest.raises(InputError, match="pipe: is no regular file; name the list of signers"):
        Classifier.load(model, allowed_signers=pipe)
