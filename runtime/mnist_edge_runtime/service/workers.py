"""Answer requests in a few threads, with a queue of limited length before them."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from time import monotonic
from types import TracebackType
from typing import Any

from ..host import cores
from ..time_limit import Limit, model_limit
from .limits import Limits
from .refusal import RefusalError

__all__ = ["Workers", "threads_for"]

_MOST_THREADS = 4
_AGAIN = {"Retry-After": "1"}  # seconds


def threads_for(processors: int) -> int:
    """Return in how many threads requests are answered on a machine with so many processors."""
    return max(1, min(processors, _MOST_THREADS))


class Workers:
    """Threads that run jobs, one at a time each.

    An engine that never returns cannot be stopped: after the limit on the time of an answer the process ends, as the
    command line does.

    Attributes:
        taken: the jobs that run or wait.
        threads: the number of threads.
    """

    def __init__(self, model: object, limits: Limits, threads: int | None = None) -> None:
        self.threads = threads or threads_for(cores())
        self.taken = 0
        self._limits = limits
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="answer")
        self._watchers: queue.SimpleQueue[Limit] = queue.SimpleQueue()
        self._model, self._stack = model, ExitStack()

    def __enter__(self) -> Workers:
        for _ in range(self.threads):
            watcher = self._stack.enter_context(model_limit(self._model, "answer a picture"))
            watcher.pause()
            self._watchers.put(watcher)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    @property
    def waiting(self) -> int:
        """The number of jobs that wait for a thread."""
        return max(0, self.taken - self.threads)

    async def run(self, job: Callable[[float], Any]) -> Any:
        """Return what a job returns; it gets the time, of `monotonic`, at which nobody waits for it any longer.

        Raises:
            RefusalError: too many jobs wait, or this one takes too long.
        """
        if self.taken >= self.threads + self._limits.waiting:
            raise RefusalError(429, "too many requests wait for an answer; send it again later", _AGAIN)
        deadline = monotonic() + self._limits.seconds
        loop = asyncio.get_running_loop()
        self.taken += 1

        def done(future: Future[Any]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._release)

        future = self._pool.submit(self._watched, job, deadline)
        future.add_done_callback(done)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._limits.seconds)
        except asyncio.TimeoutError:  # noqa: UP041  # another class in Python 3.10
            seconds = f"{self._limits.seconds:g} seconds"
            raise RefusalError(503, f"no answer within {seconds}; send fewer or smaller pictures", _AGAIN) from None

    def _watched(self, job: Callable[[float], Any], deadline: float) -> Any:
        watcher = self._watchers.get()
        watcher.again()
        try:
            return job(deadline)
        finally:
            watcher.pause()
            self._watchers.put(watcher)

    def _release(self) -> None:
        self.taken -= 1
