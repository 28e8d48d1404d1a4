"""Answer pictures in several processes, in the order in which they are given.

The pools of Python's library say neither which picture ended a process nor with which signal, their processes outlive
a parent that is killed, and they need semaphores, which some systems do not have. Here each process has a pipe of its
own, and one that dies leaves no lock behind.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from time import monotonic
from types import ModuleType
from typing import Any, NamedTuple, Protocol, TypeVar

from ..child_process import how_it_ended, safe_path
from ..errors import EngineError, InputError, MnistEdgeError

__all__ = ["Item", "Task", "answers"]

_CHUNK = 32  # pictures that a process is sent together
_SECONDS = 0.05  # after which it gives back what it has not answered of them
_AHEAD = 1000  # pictures for each process that may be answered before an earlier one is


class Named(Protocol):
    """What is answered: something that can be pickled and has a name."""

    @property
    def name(self) -> str: ...


Item = TypeVar("Item", bound=Named)


class Task(Protocol):
    """What is done with each item; it is pickled for each process."""

    def load(self) -> None:
        """Make a copy ready in a process of its own."""

    def run(self) -> AbstractContextManager[Callable[[Any], Any]]:
        """Return the context of the function that answers an item and raises nothing; the answer can be pickled."""


def answers(task: Task, items: Iterable[Item], processes: int) -> Iterator[tuple[Item, Any]]:
    """Yield each item with its answer, in order.

    An item at which a process dies twice, once among others and once alone, has an InputError as its answer.

    Raises:
        MnistEdgeError: a process does not start.
    """
    with _pool(task, processes) as workers:
        yield from _Dispatcher(task, workers, iter(items)).answers()


class _Chunk(NamedTuple):
    """Items that follow each other, and the number of the first."""

    start: int
    items: Sequence[Any]


class _Worker:
    """A process and this end of its pipe."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")  # the engine and its threads cannot be inherited
        self.connection, other_end = context.Pipe()
        self.process = context.Process(target=_work, args=(other_end,), daemon=True)
        with _bare_start():
            self.process.start()
        other_end.close()
        self.chunk: _Chunk | None = None

    def send(self, message: object) -> None:
        """Send to a process that waits for it; one that has ended is noticed when its answer is awaited."""
        with suppress(OSError):
            self.connection.send(message)

    def receive(self) -> Any:
        """Return its message; raise EOFError where it has ended."""
        try:
            return self.connection.recv()
        except OSError:
            raise EOFError from None


@contextmanager
def _pool(task: Task, processes: int) -> Iterator[list[_Worker]]:
    """Start the processes together; end them however the block ends."""
    workers: list[_Worker] = []
    try:
        for _ in range(processes):
            workers.append(_Worker())  # each is known before the next one starts
        for worker in workers:
            worker.send(task)
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()
            worker.connection.close()


class _Dispatcher:
    """Which process answers what, and what waits for its turn."""

    def __init__(self, task: Task, workers: list[_Worker], items: Iterator[Any]) -> None:
        self._task, self._workers, self._items = task, workers, items
        self._starting = {worker.connection for worker in workers}
        self._again: deque[_Chunk] = deque()  # what came back without an answer
        self._answered: dict[int, tuple[Any, Any]] = {}
        self._taken = self._given = 0  # items so far, from where they come and to who asked
        self._is_last = False  # of the items taken

    def answers(self) -> Iterator[tuple[Any, Any]]:
        while True:
            for worker in self._workers:
                if worker.connection not in self._starting and not worker.chunk and (chunk := self._chunk()):
                    worker.chunk = chunk
                    worker.send(chunk.items)
            if self._given in self._answered:
                yield self._answered.pop(self._given)
                self._given += 1  # which makes room for more
            elif self._is_last and self._given == self._taken:
                return
            else:
                self._receive()

    def _chunk(self) -> _Chunk | None:
        """Return the next items for a process, None where there are none or too many are ahead."""
        if self._again:
            return self._again.popleft()
        if self._is_last or self._taken >= self._given + _AHEAD * len(self._workers):
            return None
        items = list(islice(self._items, _CHUNK))
        self._taken += len(items)
        self._is_last = len(items) < _CHUNK
        return _Chunk(self._taken - len(items), items) if items else None

    def _receive(self) -> None:
        """Wait for messages, and take them."""
        awaited = [worker for worker in self._workers if worker.chunk or worker.connection in self._starting]
        ready = set(wait([worker.connection for worker in awaited]))
        for worker in awaited:
            if worker.connection in ready:
                self._take(worker)

    def _take(self, worker: _Worker) -> None:
        try:
            found = worker.receive()
        except EOFError:
            self._replace(worker)
            return
        chunk, worker.chunk = worker.chunk, None
        if chunk is None:
            self._starting.remove(worker.connection)
            if found is not None:
                raise found
            return
        self._answered.update(enumerate(zip(chunk.items, found, strict=False), chunk.start))
        # Items that take long are sent in smaller parts, so that no process has all the last ones.
        for done in range(len(found), len(chunk.items), len(found)):
            self._again.append(_Chunk(chunk.start + done, chunk.items[done : done + len(found)]))

    def _replace(self, worker: _Worker) -> None:
        """Put another process in the place of one that has ended; its items are tried once more, one by one."""
        worker.process.join()
        code, chunk = worker.process.exitcode, worker.chunk
        if code == EngineError.exit_code:  # at the limit on its time, with a message
            raise SystemExit(code)
        ended = f"{how_it_ended(code)}{_HINTS.get(code or 0, '')}"
        if chunk is None:
            raise InputError(f"a process of --jobs {ended} before it was ready; --jobs 1 needs none")
        if len(chunk.items) > 1:
            self._again.extendleft(
                _Chunk(chunk.start + number, [item]) for number, item in reversed([*enumerate(chunk.items)])
            )
        else:
            (item,) = chunk.items
            self._answered[chunk.start] = item, InputError(f"{item.name}: the process that read it {ended}")
        worker.connection.close()
        fresh = _Worker()
        self._workers[self._workers.index(worker)] = fresh
        self._starting.add(fresh.connection)
        fresh.send(self._task)


_HINTS = {} if sys.platform == "win32" else {-signal.SIGKILL: "; the machine may be out of memory"}


@contextmanager
def _bare_start() -> Iterator[None]:
    """Let processes start without the program that called us, modules of the current folder, and Ctrl-C.

    Ctrl-C reaches all processes of a terminal; this one ends the others.
    """
    main = sys.modules["__main__"]
    with safe_path():
        if sys.platform != "win32":
            from multiprocessing import resource_tracker

            resource_tracker.ensure_running()  # its start would let Ctrl-C through
            mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        sys.modules["__main__"] = ModuleType("__main__")
        try:
            yield
        finally:
            sys.modules["__main__"] = main
            if sys.platform != "win32":
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _work(connection: Connection) -> None:
    """Answer what comes through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        task: Task = connection.recv()
        try:
            task.load()
        except MnistEdgeError as error:
            connection.send(error)
            return
        with task.run() as answer:
            connection.send(None)
            while True:
                items, found, started = connection.recv(), [], monotonic()
                for item in items:
                    found.append(answer(item))
                    if monotonic() - started > _SECONDS:
                        break
                connection.send(found)


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)
