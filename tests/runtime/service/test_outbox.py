from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service.outbox import Outbox

WRITER = """
import sys
from pathlib import Path
from mnist_edge_runtime.service.outbox import Outbox
outbox = Outbox(Path(sys.argv[1]))
number = int(sys.argv[2])
while True:
    outbox.put({"text": str(number), "accepted": True})
    print(number, flush=True)
    number += 1
"""


def reading(text: str, *, accepted: bool = True) -> Mapping[str, Any]:
    return {"text": text, "accepted": accepted}


def take(outbox: Outbox) -> list[dict[str, Any]]:
    """Return all messages, and acknowledge them."""
    messages = []
    while message := outbox.oldest():
        messages.append(json.loads(message.payload))
        outbox.acknowledge(message)
    return messages


def test_readings_wait_in_order_with_an_id_and_the_newest_accepted_value(tmp_path: Path) -> None:
    file = tmp_path / "state" / "meter.outbox"
    outbox = Outbox(file)
    assert outbox.oldest() is None
    outbox.put(reading("", accepted=False))
    outbox.put(reading("42"))
    outbox.put(reading("41", accepted=False))
    name = outbox.name
    outbox.close()

    outbox = Outbox(file)

    assert len(outbox) == 3
    assert outbox.oldest() == outbox.oldest()
    assert [tuple(each.values()) for each in take(outbox)] == [
        (f"{name}-1", "", False, None, 0),
        (f"{name}-2", "42", True, "42", 0),
        (f"{name}-3", "41", False, "42", 0),
    ]
    assert len(outbox) == 0
    outbox.put(reading("43", accepted=False))
    assert [(each["id"], each["value"]) for each in take(outbox)] == [(f"{name}-4", "42")]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("limit", [{"most_messages": 3}, {"most_bytes": 3 * 72}])
def test_the_oldest_are_dropped_and_counted_but_not_the_one_under_way(tmp_path: Path, limit: dict[str, int]) -> None:
    outbox = Outbox(tmp_path / "a", **limit)
    outbox.put(reading("1"))
    under_way = outbox.oldest()
    assert under_way

    for number in range(2, 8):
        outbox.put(reading(str(number)))

    assert outbox.dropped == 4
    assert [(each["text"], each["dropped"]) for each in take(outbox)] == [("1", 4), ("6", 4), ("7", 4)]
    outbox.close()
    assert Outbox(tmp_path / "a").dropped == 4


def test_a_full_disk_is_told_and_what_it_costs_is_counted(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "a")
    outbox.put(reading("1"))
    (pages,) = outbox._connection.execute("PRAGMA page_count").fetchone()
    outbox._connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(InputError, match=r"a: database or disk is full; readings cannot be kept there"):
        _put_many(outbox, 1_000)
    saved = len(outbox)
    assert outbox.dropped == 1

    outbox._connection.execute(f"PRAGMA max_page_count = {pages + 100}")
    outbox.put(reading("3"))
    messages = take(outbox)
    assert len(messages) == saved + 1
    assert messages[-1] == {"id": f"{outbox.name}-{saved + 1}", **reading("3"), "value": "3", "dropped": 1}


def test_a_file_has_one_owner(tmp_path: Path) -> None:
    first = Outbox(tmp_path / "a")

    with pytest.raises(InputError, match="a is used by another process; give each one a file of its own"):
        Outbox(tmp_path / "a")

    first.close()
    Outbox(tmp_path / "a")


def test_a_damaged_file_is_set_aside_and_told(tmp_path: Path) -> None:
    file, told = tmp_path / "a", list[str]()
    outbox = Outbox(file)
    _put_many(outbox, 200)
    outbox.close()
    damaged = bytearray(file.read_bytes())
    damaged[4096:12288] = os.urandom(8192)
    file.write_bytes(damaged)

    outbox = Outbox(file, tell=told.append)

    assert told == [f"{file} is damaged: readings that waited in it are not sent; it is now {file}.damaged"]
    assert (tmp_path / "a.damaged").read_bytes() == damaged
    outbox.put(reading("1"))
    assert [each["text"] for each in take(outbox)] == ["1"]


@pytest.mark.parametrize("settings", ["user_version = 0", "application_id = 7", "user_version = 1"])
def test_a_database_of_others_is_refused_and_left_alone(tmp_path: Path, settings: str) -> None:
    connection = sqlite3.connect(tmp_path / "a")
    connection.execute("CREATE TABLE waiting (number)")
    connection.execute(f"PRAGMA {settings}")
    connection.close()
    before = (tmp_path / "a").read_bytes()

    with pytest.raises(InputError, match="a is no outbox, or one of another version; name another file"):
        Outbox(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == before


@pytest.mark.parametrize("content", [b"GIF89a", b"SQLite format 3\0" + bytes(5000)])
def test_a_file_of_others_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(InputError, match="a is no outbox, or one of another version; name another file"):
        Outbox(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content


def test_no_folder_to_write_in_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a'"):
        Outbox(tmp_path / "a")


def test_what_was_put_survives_the_kill_of_its_process(tmp_path: Path) -> None:
    said = 0
    for _ in range(3):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "a"), str(said + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout
            for _ in range(20):
                said = int(child.stdout.readline())
            child.kill()
            said = max([said, *map(int, child.stdout.read().split())])
        outbox = Outbox(tmp_path / "a")
        kept = [json.loads(row[0])["text"] for row in outbox._connection.execute("SELECT message FROM waiting")]
        outbox.close()
        # The last one may be on the disk and not yet said.
        assert kept in ([str(number) for number in range(1, last + 1)] for last in (said, said + 1))
        said = len(kept)


def _put_many(outbox: Outbox, number: int) -> None:
    for _ in range(number):
        outbox.put(reading("2"))
