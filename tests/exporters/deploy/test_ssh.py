"""The connection to a host, with a program in place of OpenSSH; test_rollout.py has a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.hosts import Host
from mnist_edge_exporters.deploy.ssh import Channel


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Channel]]:
    """Return the function that opens a connection through an `ssh` which is this shell script."""
    opened = []

    def ssh(script: str) -> Channel:
        program = tmp_path / "ssh"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
        opened.append(Channel(Host("pi", "pi"), {}, tmp_path / "config"))
        return opened[-1]

    yield ssh
    for channel in opened:
        channel.close()


def test_only_marked_lines_are_answers(ssh: Callable[[str], Channel]) -> None:
    channel = ssh("""echo Welcome; echo 'mnist-edge: {"step": 1}'; echo 'mnist-edge: {"st'; echo '{"step": 2}'""")

    assert list(channel.answers()) == [{"step": 1}]


def test_ssh_is_given_the_configuration_and_may_not_ask(ssh: Callable[[str], Channel], tmp_path: Path) -> None:
    channel = ssh(f'printf "%s\\n" "$@" > {tmp_path}/words')
    list(channel.answers())
    channel.why()
    words = (tmp_path / "words").read_text().splitlines()

    assert words[:3] == ["-F", f"{tmp_path}/config", "-T"]
    assert "BatchMode=yes" in words
    assert words[words.index("--") + 1] == "pi"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'REMOTE HOST IDENTIFICATION HAS CHANGED!' >&2; exit 255", "its host key is not the one that is known"),
        ("echo 'Host key verification failed.' >&2; exit 255", "its host key is not known; log in once"),
        ("echo 'pi: Permission denied (publickey).' >&2; exit 255", "give it one: ssh-copy-id -F {config} pi"),
        ("exit 127", "there is no python3 on it"),
        ("echo No route to host >&2; exit 255", "No route to host; try by hand: ssh -F {config} pi"),
        (
            "echo 'mnist-edge: {}'; echo Broken pipe >&2; exit 255",
            "the connection was lost (Broken pipe); repeat the command",
        ),
        ("exit 9", "ssh ended with exit code 9"),
    ],
)
def test_why_it_ended(ssh: Callable[[str], Channel], script: str, reason: str, tmp_path: Path) -> None:
    channel = ssh(script)
    list(channel.answers())

    assert reason.replace("{config}", str(tmp_path / "config")) in channel.why()


def test_to_stop_ends_the_input_of_the_host(ssh: Callable[[str], Channel]) -> None:
    channel = ssh("""cat > /dev/null; echo 'mnist-edge: {"rolled": "back"}'""")
    channel.stop()

    assert list(channel.answers()) == [{"rolled": "back"}]


def test_to_stop_immediately_waits_for_nothing(ssh: Callable[[str], Channel]) -> None:
    channel = ssh("exec sleep 600")
    channel.stop(immediately=True)

    assert list(channel.answers()) == []
    assert channel.why() == "ssh ended with exit code -9"
