"""Trains baselines and rivals in worker processes during a zero-label run.

Only the workers import torch. A job is a pure function of its fields, so results do not depend on
the number of workers or the order in which jobs end.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Hashable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from operator import methodcaller
from typing import Any, Generic, Protocol, TypeVar

from hebbsim.errors import HebbsimError

Key = TypeVar("Key", bound=Hashable)


class Job(Protocol):
    """A picklable training job."""

    def load(self) -> Any:
        """The result of an earlier run, or None."""

    def run(self) -> Any:
        """Train, and return the result."""


class BackgroundJobs(Generic[Key]):
    """A context in which jobs run in worker processes; an error or interruption stops them.

    At most `workers` processes start with the first job whose result is not cached. They have a
    low priority, so that they do not slow down the main process.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None
        self._cached: dict[Key, Any] = {}
        self._futures: dict[Future[Any], Key] = {}

    def __enter__(self) -> BackgroundJobs[Key]:
        self._others = set(multiprocessing.active_children())
        return self

    def submit(self, key: Key, job: Job) -> None:
        """Start a job, or take its result from the cache."""
        cached = job.load()
        if cached is not None:
            self._cached[key] = cached
            return
        if self._pool is None:
            # Unlike a forked worker, a spawned one inherits no compiled code and threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._workers, context, initializer=_begin)
        self._futures[self._pool.submit(methodcaller("run"), job)] = key

    def results(self) -> Iterator[tuple[Key, Any]]:
        """Every key with its result, cached ones first; HebbsimError if a worker ended early."""
        yield from self._cached.items()
        try:
            for future in as_completed(self._futures):
                yield self._futures[future], future.result()
        except BrokenProcessPool:
            raise HebbsimError(
                "a worker process ended early (out of memory, or a script that calls run_roles "
                "outside `if __name__ == '__main__':`); --baselines simple needs none"
            ) from None

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self._pool is None:
            return
        if kind is not None:
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
        self._pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """Leave Ctrl-C to the main process, which stops its workers, and lower the priority."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(10)
