from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest
from mnist_edge_runtime import host
from mnist_edge_runtime.commands import jobs

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "cores", lambda: 8)
    monkeypatch.setattr(host, "available_memory", lambda: 4 * 10**9)


def _parsed(*words: str) -> int | None:
    parser = argparse.ArgumentParser()
    jobs.add_option(parser)
    found: int | None = parser.parse_args(words).jobs
    return found


def test_the_option(capsys: Capture) -> None:
    assert (_parsed(), _parsed("--jobs", "1"), _parsed("--jobs", "60")) == (None, 1, 60)
    for wrong in ("0", "-1", "61", "two", "1.5", "\N{SUPERSCRIPT TWO}"):
        with pytest.raises(SystemExit):
            _parsed(f"--jobs={wrong}")
        assert f"argument --jobs: {wrong} is no number from 1 to 60" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "asked", "expected"), [(200, None, 1), (200, 4, 1), (201, None, 8), (201, 3, 3), (9999, 1, 1)]
)
def test_more_than_one_process_from_many_pictures_on(count: int, asked: int | None, expected: int) -> None:
    items, processes = jobs.choose(iter(range(count)), asked)

    assert processes == expected
    assert list(items) == list(range(count))


def test_no_more_pictures_are_looked_up_than_needed() -> None:
    taken = 0

    def pictures() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    jobs.choose(pictures(), 1)
    assert taken == 0
    jobs.choose(pictures(), None)
    assert taken == 201


@pytest.mark.parametrize(("asked", "said"), [(None, ""), (1, ""), (3, "--jobs 3: one process answers, since ")])
def test_little_memory_is_for_one_process(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, asked: int | None, said: str
) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: 999_000_000)
    _, processes = jobs.choose(range(1000), asked)

    assert processes == 1
    assert capsys.readouterr().err == (
        f"{said}999 MB of memory are available, and more processes need 1000\n" if said else ""
    )


@pytest.mark.parametrize(("memory", "expected"), [(10**9, 5), (10**12, 8), (None, 8)])
def test_no_more_processes_than_memory_is_for(
    monkeypatch: pytest.MonkeyPatch, memory: int | None, expected: int
) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: memory)
    assert jobs.choose(range(1000), None)[1] == expected
    assert jobs.choose(range(1000), 20)[1] == 20


def test_a_reason_for_one_process_is_said_to_who_asked_for_more(capsys: Capture) -> None:
    assert jobs.choose(range(1000), None, "stdin is a stream")[1] == 1
    assert jobs.choose(range(1000), 1, "stdin is a stream")[1] == 1
    assert capsys.readouterr().err == ""
    assert jobs.choose(range(1000), 2, "stdin is a stream")[1] == 1
    assert capsys.readouterr().err == "--jobs 2: one process answers, since stdin is a stream\n"
