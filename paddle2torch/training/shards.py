"""Who computes the shards of a data set: this process, a pool of local ones, or Ray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from convert.errors import Paddle2TorchError
from paddle2torch.cluster import RETRIES, connected
from paddle2torch.training.agree import Compute, Job, Judge, Row
from paddle2torch.training.errors import TrainingError
from paddle2torch.training.pipeline import leave_ctrl_c, processes

__all__ = ["Cluster", "Compute", "Pool", "here"]


def here(job: Job, numbers: list[int]) -> Iterator[tuple[int, list[Row]]]:
    """In this process, one after the other."""
    judge = Judge(job)
    for number in numbers:
        yield number, judge.rows(number)


_judge: Judge | None = None  # of a worker process


def _start(job: Job) -> None:
    global _judge  # noqa: PLW0603 - the networks are built once a process
    leave_ctrl_c()
    _judge = Judge(job)


def _rows(number: int) -> tuple[int, list[Row]]:
    assert _judge is not None
    try:
        return number, _judge.rows(number)
    except Paddle2TorchError as error:
        raise TrainingError(str(error)) from None  # what others hold may not travel


class Pool:
    """Local processes, each with both networks and one thread."""

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __call__(self, job: Job, numbers: list[int]) -> Iterator[tuple[int, list[Row]]]:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when a framework is imported, in the processes
        with ProcessPoolExecutor(min(self.workers, len(numbers)), processes(), _start, (job,)) as pool:
            rest = iter(numbers)
            running = {pool.submit(_rows, number) for number in islice(rest, 2 * self.workers)}
            try:
                while running:
                    ready, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in ready:
                        yield future.result()
                        running |= {pool.submit(_rows, number) for number in islice(rest, 1)}
            except BrokenProcessPool:
                raise TrainingError(
                    "a process was ended from outside, or could not start (out of memory?); what is done is kept: run the same "
                    "command again, perhaps with fewer --workers"
                ) from None
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


class Cluster:
    """Ray actors, each with both networks; Ray starts those anew that die, and asks them again."""

    def __init__(self, address: str, workers: int) -> None:
        self.address, self.workers = address, workers

    def __call__(self, job: Job, numbers: list[int]) -> Iterator[tuple[int, list[Row]]]:
        with connected(self.address, self.workers) as ray:
            kind: Any = ray.remote(max_restarts=-1, max_task_retries=RETRIES, num_cpus=1)(Judge)
            actors: list[Any] = [kind.remote(job) for _ in range(min(self.workers, len(numbers)))]
            rest = iter(numbers)
            running = {
                actor.rows.remote(number): (actor, number)
                for actor, number in zip(actors, rest, strict=False)
            }
            while running:
                (ready, *_), _ = ray.wait(list(running), num_returns=1)
                actor, number = running.pop(ready)
                for following in islice(rest, 1):
                    running[actor.rows.remote(following)] = (actor, following)
                yield number, _result(ray, ready)


def _result(ray: Any, ready: Any) -> list[Row]:
    try:
        found: list[Row] = ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, Paddle2TorchError):
            raise error.cause from None
        raise
    return found
