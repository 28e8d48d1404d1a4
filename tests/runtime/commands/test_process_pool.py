from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mnist_edge_runtime import EngineError, InputError
from mnist_edge_runtime.commands import process_pool

# Other processes import the task by its name.
OBEDIENT = """
import os, signal, time
from contextlib import contextmanager
from dataclasses import dataclass
from mnist_edge_runtime import EngineError

@dataclass(frozen=True)
class Item:
    name: str
    order: str = ""

@dataclass(frozen=True)
class Task:
    order: str = ""

    def load(self):
        exec(self.order)

    @contextmanager
    def run(self):
        yield answer

def answer(item):
    exec(item.order)
    return item.name, os.getpid()
"""


@pytest.fixture
def obedient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of a task and items that do what they say."""
    (tmp_path / "obedient.py").write_text(OBEDIENT)
    monkeypatch.syspath_prepend(tmp_path)
    import obedient  # type: ignore[import-not-found]

    yield obedient
    del sys.modules["obedient"]
    assert multiprocessing.active_children() == []


def test_answers_come_in_order_from_all_processes(obedient: ModuleType) -> None:
    orders = {0: "time.sleep(0.3)", 130: "time.sleep(0.2)"}
    items = [obedient.Item(f"{number}.png", orders.get(number, "")) for number in range(2000)]

    found = list(process_pool.answers(obedient.Task(), items, 3))

    assert [item for item, _ in found] == items
    assert [name for _, (name, _) in found] == [item.name for item in items]
    processes = {process for _, (_, process) in found}
    assert len(processes) > 1
    assert os.getpid() not in processes


def test_the_last_slow_ones_are_shared(obedient: ModuleType) -> None:
    items = [obedient.Item(str(number), "time.sleep(0.1)") for number in range(30)]

    processes = [process for _, (_, process) in process_pool.answers(obedient.Task(), items, 2)]

    assert 5 <= processes.count(processes[0]) <= 25


@pytest.mark.parametrize("count", [0, 1])
def test_few_items(obedient: ModuleType, count: int) -> None:
    items = [obedient.Item("a.png")] * count
    assert [item for item, _ in process_pool.answers(obedient.Task(), items, 2)] == items


def test_items_are_taken_as_they_are_needed(obedient: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_pool, "_AHEAD", 50)
    taken = 0

    def items() -> Iterator[Any]:
        nonlocal taken
        for number in range(5000):
            taken += 1
            yield obedient.Item(str(number), "" if number else "time.sleep(1)")

    found = process_pool.answers(obedient.Task(), items(), 2)
    next(found)
    assert taken < 2 * 50 + 2 * 32
    assert sum(1 for _ in found) == taken - 1 == 4999


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(
    ("order", "ended"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed (SIGSEGV)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "crashed (SIGKILL); the machine may be out of memory"),
        ("os._exit(9)", "ended with exit code 9"),
    ],
)
def test_an_item_at_which_a_process_dies_is_named_and_the_others_are_answered(
    obedient: ModuleType, order: str, ended: str
) -> None:
    items = [obedient.Item(f"{number}.png", order if number in (7, 150, 299) else "") for number in range(300)]

    found = list(process_pool.answers(obedient.Task(), items, 2))

    assert [item for item, _ in found] == items
    for number in (7, 150, 299):
        error = found.pop(number - 300 + len(found) if number == 299 else number - (number > 7))[1]
        assert isinstance(error, InputError)
        assert str(error) == f"{number}.png: the process that read it {ended}"
    assert all(item.name == name for item, (name, _) in found)


def test_what_killed_a_process_once_alone_is_tried_again(obedient: ModuleType, tmp_path: Path) -> None:
    mark = str(tmp_path / "mark")
    order = f"if not os.path.exists({mark!r}): open({mark!r}, 'w').close(); os._exit(9)"
    items = [obedient.Item(str(number), order if number == 3 else "") for number in range(40)]

    assert [answer[0] for _, answer in process_pool.answers(obedient.Task(), items, 2)] == [i.name for i in items]


def test_a_process_that_ends_at_the_limit_on_its_time_ends_the_command(obedient: ModuleType) -> None:
    """It has printed the message."""
    items = [obedient.Item(str(number), "os._exit(4)" if number == 100 else "") for number in range(300)]

    with pytest.raises(SystemExit) as ended:
        list(process_pool.answers(obedient.Task(), items, 2))
    assert ended.value.code == 4


def test_a_process_that_cannot_start_is_an_error(obedient: ModuleType) -> None:
    items = [obedient.Item("a.png")]

    with pytest.raises(InputError, match=r"a process of --jobs ended with exit code 9 before it was ready; --jobs 1"):
        list(process_pool.answers(obedient.Task("os._exit(9)"), items, 2))
    with pytest.raises(EngineError, match="no engine here"):
        list(process_pool.answers(obedient.Task("raise EngineError('no engine here')"), items, 2))


def test_processes_end_with_the_one_who_asked(obedient: ModuleType) -> None:
    items = [obedient.Item(str(number), "time.sleep(0.01)") for number in range(500)]

    found = process_pool.answers(obedient.Task(), items, 2)
    next(found)
    assert len(multiprocessing.active_children()) == 2
    started = time.monotonic()
    found.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_processes_end_with_a_parent_that_is_killed(obedient: ModuleType, tmp_path: Path) -> None:
    code = """
from obedient import Item, Task
from mnist_edge_runtime.commands import process_pool
items = [Item(str(number), "time.sleep(60)" if number > 100 else "") for number in range(500)]
for _, (_, process) in process_pool.answers(Task(), items, 2):
    print(process, flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout
        parent.stdout.readline()
        parent.kill()
        assert parent.stdout.read().count("\n") < 102  # to its end: nobody else has it open any more


def test_neither_the_program_nor_a_file_in_the_current_folder_is_imported(obedient: ModuleType, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (here / "random.py").write_text("raise SystemExit('somebody else')")
    program = here / "bin" / "program.py"
    program.parent.mkdir()
    program.write_text("""
from obedient import Item, Task
from mnist_edge_runtime.commands import process_pool
print("begins")
print(len([*process_pool.answers(Task(), [Item("a")] * 300, 2)]))
""")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, program], cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "begins\n300\n", "")
