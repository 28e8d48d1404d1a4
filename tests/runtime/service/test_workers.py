"""A few threads, and a queue before them: what is one too many is refused, and what takes too long is given up."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from mnist_edge_runtime.service.limits import Limits
from mnist_edge_runtime.service.refusal import RefusalError
from mnist_edge_runtime.service.workers import Workers, threads_for


def test_the_threads_fit_the_cores() -> None:
    assert [threads_for(cores) for cores in (1, 2, 4, 64)] == [1, 2, 4, 4]


def test_jobs_run_and_one_too_many_is_refused() -> None:
    go = threading.Event()

    def job(deadline: float) -> str:
        assert go.wait(30)
        return threading.current_thread().name

    async def ask() -> tuple[list[Any], RefusalError, int]:
        tasks = [asyncio.ensure_future(workers.run(job)) for _ in range(5)]
        await asyncio.sleep(0)
        waiting = workers.waiting
        with pytest.raises(RefusalError) as refused:
            await workers.run(job)
        go.set()
        return await asyncio.gather(*tasks), refused.value, waiting

    with Workers("model", Limits(waiting=3), 2) as workers:
        names, refusal, waiting = asyncio.run(ask())
        assert (refusal.status, refusal.headers) == (429, {"Retry-After": "1"})
        assert waiting == 3
        assert len(names) == 5
        assert len(set(names)) <= 2


def test_a_job_that_is_late_is_given_up_and_keeps_its_thread_until_it_returns() -> None:
    go = threading.Event()

    async def ask() -> tuple[int, int, int, str]:
        with pytest.raises(RefusalError, match="no answer within 0") as refused:
            await workers.run(lambda deadline: go.wait(30))
        during = workers.taken
        go.set()
        while workers.taken:
            await asyncio.sleep(0)
        return refused.value.status, during, workers.taken, await workers.run(lambda deadline: "answered")

    with Workers("model", Limits(seconds=0.05), 1) as workers:
        assert asyncio.run(ask()) == (503, 1, 0, "answered")


def test_an_error_of_a_job_is_its_callers() -> None:
    def job(deadline: float) -> None:
        raise ValueError("of the job")

    async def ask() -> str:
        with pytest.raises(ValueError, match="of the job"):
            await workers.run(job)
        return str(await workers.run(lambda deadline: "answered"))

    with Workers("model", Limits(), 1) as workers:
        assert asyncio.run(ask()) == "answered"
