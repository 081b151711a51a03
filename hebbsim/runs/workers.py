"""Runs the tasks of a run in this process, in several processes, or on Dask workers.

`DaskWorkers` implements `hebbsim.models.sharded.Workers` for many machines. `run_all` runs
independent jobs, such as the runs of a sweep, in any of the three ways.

If a Dask worker dies, its tasks and their dependencies are computed again on another worker;
nothing is scattered, because Dask cannot recompute scattered data. Dask transfers functions and
arguments by pickle, so use only a scheduler that you trust.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hebbsim._version import __version__
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.models.summaries import merge_all

if TYPE_CHECKING:
    from distributed import Client, Future

#: Seconds to wait for a scheduler, and for its first worker.
PATIENCE = 10.0, 60.0
#: Number of summaries that one task merges, all of which are in memory.
_FAN_IN = 2
#: Number of workers that may die on a task before the run fails.
_DEATHS = 10

Job = TypeVar("Job")
Result = TypeVar("Result")


class _Call:
    """A function with its arguments; the values of futures among them are passed to the call.

    It is opaque to Dask, which would otherwise search every list of words for futures.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any]) -> None:
        from distributed import Future

        self.function = function
        self.held = [isinstance(arg, Future) for arg in args]
        self.args = [None if held else arg for arg, held in zip(args, self.held, strict=True)]

    def __call__(self, *values: Any) -> Any:
        found = iter(values)
        pairs = zip(self.args, self.held, strict=True)
        return self.function(*(next(found) if held else arg for arg, held in pairs))


class DaskWorkers:
    """Runs tasks on a Dask cluster; see `hebbsim.models.sharded.Workers`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def hold(self, function: Callable[..., Any], *args: Any) -> Future:
        from distributed import Future

        held = [arg for arg in args if isinstance(arg, Future)]
        name = getattr(function, "func", function).__name__.strip("_")  # of a partial, too
        return self._submit(name, _Call(function, args), *held)

    def value(self, held: Future) -> Any:
        from distributed import KilledWorker

        try:
            return held.result()
        except KilledWorker as error:
            raise HebbsimError(
                f"task {error.task} ended {_DEATHS} workers one after another, perhaps for "
                "lack of memory: start workers with more memory (dask worker --memory-limit)"
            ) from None

    def merged(self, held: Sequence[Future]) -> Any:
        parts = list(held)
        while len(parts) > 1:
            parts = [
                self._submit("merge", _merge, *parts[i : i + _FAN_IN])
                for i in range(0, len(parts), _FAN_IN)
            ]
        return self.value(parts[0])

    def _submit(self, name: str, call: Callable[..., Any], *held: Future) -> Future:
        with warnings.catch_warnings():
            # The words of a shard are part of its task, from which they can be sent again.
            warnings.filterwarnings("ignore", "Sending large graph")
            # With an explicit key, Dask does not hash all arguments.
            return self.client.submit(call, *held, key=f"{name}-{uuid.uuid4().hex}", pure=False)


def _merge(*parts: Any) -> Any:
    return merge_all(parts)


@contextlib.contextmanager
def open_dask(scheduler: str | None = None, n_workers: int | None = None) -> Iterator[Client]:
    """Connect to a Dask cluster, or start one, until the end of the block.

    `scheduler` is an address such as ``tcp://host:8786``, or a scheduler file (``*.json``). None or
    ``local`` starts a cluster of `n_workers` processes on this machine (default: its cores).

    Raises BadInputError if Dask is not installed, the scheduler cannot be reached, or its workers
    have another version of hebbsim.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise BadInputError(
            "Dask is not installed: pip install 'hebbsim[cluster]', or leave out --shards and "
            "--scheduler"
        ) from None
    settings = {
        "distributed.scheduler.allowed-failures": _DEATHS,
        "distributed.worker.daemon": False,  # an experiment may start processes
    }
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        if scheduler in (None, "local"):
            cluster = stack.enter_context(
                LocalCluster(
                    n_workers=n_workers or os.cpu_count() or 1,
                    threads_per_worker=1,
                    dashboard_address=":0",
                    memory_limit=0,
                    silence_logs=50,
                )
            )
            client = stack.enter_context(Client(cluster))
        else:
            assert scheduler is not None
            client = stack.enter_context(_connect(scheduler))
        _check_workers(client)
        yield client


def _connect(scheduler: str) -> Client:
    from distributed import Client

    try:
        if scheduler.endswith(".json"):
            if not Path(scheduler).is_file():
                raise BadInputError(f"--scheduler {scheduler}: no such scheduler file")
            return Client(scheduler_file=scheduler, timeout=PATIENCE[0])
        return Client(scheduler, timeout=PATIENCE[0])
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, BadInputError):
            raise
        raise BadInputError(
            f"--scheduler {scheduler}: no Dask scheduler there ({type(error).__name__}); give an "
            "address such as tcp://host:8786, or leave it out for a cluster on this machine"
        ) from None


def on_workers(client: Client, name: str, function: Callable[[], Any]) -> None:
    """Call a function on all workers, including those that join later."""
    from distributed.diagnostics.plugin import WorkerPlugin

    class Plugin(WorkerPlugin):
        def setup(self, worker: Any) -> None:
            function()

    client.register_plugin(Plugin(), name)


def _one_thread() -> None:
    """Limit BLAS to one thread, because more of them would change the order of sums."""
    import scipy.linalg  # noqa: F401  # its BLAS is not numpy's
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def _check_workers(client: Client) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE[1])
    except TimeoutError:
        raise BadInputError(
            f"the Dask scheduler {client.scheduler_info()['address']} has no workers; start some "
            "with `dask worker ADDRESS`"
        ) from None
    try:
        found = client.run(_version)
    except Exception as error:  # a worker without hebbsim may raise anything
        raise BadInputError(
            f"a Dask worker cannot import hebbsim ({error}); install it there"
        ) from None
    other = {address: v for address, v in found.items() if v != __version__}
    if other:
        address, theirs = next(iter(other.items()))
        raise BadInputError(
            f"Dask worker {address} has hebbsim {theirs}, not {__version__}: install one version"
        )
    on_workers(client, "hebbsim-one-thread", _one_thread)


def _version() -> str:
    return __version__


def run_all(
    work: Callable[[Job], Result], jobs: list[Job], *, workers: int, scheduler: str | None = None
) -> Iterator[tuple[int, Result | Exception]]:
    """Run independent jobs; yield the number of each with its result or error, as they end.

    `work` must be defined at module level. With one worker, jobs run in this process; with a
    `scheduler` (see `open_dask`), on Dask.
    """
    if scheduler is not None:
        yield from _run_dask(work, jobs, scheduler, workers)
    elif workers == 1:
        for number, job in enumerate(jobs):
            yield number, _caught(work, job)
    else:
        yield from _run_processes(work, jobs, workers)


def _caught(function: Callable[[Job], Result], job: Job) -> Result | Exception:
    try:
        return function(job)
    except Exception as error:
        return error


def _run_processes(
    function: Callable[[Job], Result], jobs: Sequence[Job], workers: int
) -> Iterator[tuple[int, Result | Exception]]:
    # Unlike forked processes, spawned ones inherit no compiled code and threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context)
    try:
        futures = {pool.submit(function, job): number for number, job in enumerate(jobs)}
        for future in as_completed(futures):
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                error = HebbsimError("a process ended early, perhaps for lack of memory")
            if error is not None and not isinstance(error, Exception):
                raise error
            yield futures[future], future.result() if error is None else error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _run_dask(
    function: Callable[[Job], Result], jobs: Sequence[Job], scheduler: str, workers: int
) -> Iterator[tuple[int, Result | Exception]]:
    from distributed import as_completed as ended

    with open_dask(scheduler, workers) as client:
        dask = DaskWorkers(client)
        futures = {dask.hold(function, job): number for number, job in enumerate(jobs)}
        for future in ended(futures, raise_errors=False):
            yield futures[future], _caught(dask.value, future)
