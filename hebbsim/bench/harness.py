"""Works of the benchmark, and fair timing: in every round each contender runs once, on one core.

The speed of a shared or warming machine changes during a run. Contenders that take turns meet the
same conditions, so ratios are computed within rounds, and their median is reported. The clock
counts CPU seconds of the whole process: other programs do not count, and a second thread gains
nothing.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.runs.results import Row

Clock = Callable[[], float]
Floats = NDArray[np.float32]
Run = Callable[[], Any]
#: Timescales of every work with traces.
TIMESCALES = (2.0, 8.0, 32.0)
#: Tokens of the first run, whose result is compared with the reference.
FIRST = 128


@dataclass(frozen=True)
class Contender:
    """One implementation of a work."""

    name: str
    #: ``prepare(n)`` sets up the work on the first n tokens, untimed, and returns a function
    #: without arguments that does the work and returns its result.
    prepare: Callable[[int], Callable[[], Any]]
    #: Package that must be installed.
    package: str = "numpy"
    ours: bool = False
    #: Turns the return value into the array to compare, or its last rows, untimed. None: a
    #: different computation, which is not compared.
    result: Callable[[Any], NDArray[np.floating]] | None = None
    #: Largest allowed difference, as a share of the largest value.
    tolerance: float = 1e-4
    #: How the computation differs.
    note: str = ""
    #: Most tokens of one run.
    most: int = 2**16
    unit: str = "tokens"
    #: Amount of work, in `unit`, per token.
    scale: float = 1.0
    #: Operations, and bytes moved to or from the memory that `limit` names, per token.
    flops: float = 0.0
    bytes: float = 0.0
    #: The limit of the machine that bounds the work.
    limit: str = ""


class Ready(NamedTuple):
    """A contender, set up for the tokens of one run."""

    contender: Contender
    n_tokens: int
    run: Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """One run of one contender."""

    work: str
    contender: str
    round: int
    amount: float
    unit: str
    seconds: float

    @property
    def rate(self) -> float:
        return self.amount / self.seconds


class Quartiles(NamedTuple):
    """Median, lower and upper quartile."""

    median: float
    low: float
    high: float


def quartiles(values: Iterable[float]) -> Quartiles:
    """Median and quartiles of some values.

    >>> quartiles([1.0, 2.0, 3.0, 4.0, 50.0])
    Quartiles(median=3.0, low=2.0, high=4.0)
    """
    low, median, high = np.quantile(list(values), [0.25, 0.5, 0.75])
    return Quartiles(float(median), float(low), float(high))


@dataclass(frozen=True)
class Work:
    """A task, and the contenders that do it."""

    name: str
    title: str
    #: The first one with a result is the reference that the others must equal.
    contenders: Sequence[Contender]
    #: Source of the tokens.
    corpus: str = "synthetic"
    #: Numbers that describe the work, ready for JSON.
    size: dict[str, Any] = field(default_factory=dict)
    clock: Clock = time.process_time
    #: Most rounds (default: as many as requested).
    rounds: int | None = None
    #: Run contenders once before they are timed.
    rehearsed: bool = True
    #: Also measure the limits of the machine.
    bounded: bool = True
    #: ``tabulate(work, timings)`` makes the rows of the results, if they are not rates and ratios.
    tabulate: Callable[[Work, Sequence[Timing]], list[Row]] | None = None
    #: What a reader of the results should know.
    notes: Sequence[str] = ()

    def row(
        self, model: str, condition: str, metric: str, values: Sequence[float], unit: str
    ) -> Row:
        """Median of values over the rounds, with quartiles where there are several."""
        median, *spread = quartiles(values)
        low, high = spread if len(values) > 1 else (None, None)
        return Row(
            self.corpus, self.name, model, condition, metric, None, median, low, high,
            len(values), unit,
        )  # fmt: skip


def slug(name: str) -> str:
    """A name as one word of a condition.

    >>> slug("to DRAM")
    'to-DRAM'
    """
    return "-".join(name.replace(",", "").replace("=", "-").split())


def ratios(timings: Sequence[Timing], contender: str, other: str) -> list[float]:
    """Rate of one contender divided by that of another, round by round."""
    rates = {(t.contender, t.round): t.rate for t in timings}
    rounds = sorted({t.round for t in timings})
    return [rates[contender, r] / rates[other, r] for r in rounds]


def is_installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def gap(result: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Largest difference between two results, as a share of the largest value.

    >>> gap(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    0.5
    """
    a, b = np.asarray(result, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a - b).max(initial=0) / max(np.abs(b).max(initial=0), 1e-30))


def get_ready(
    contender: Contender,
    reference: NDArray[np.floating] | None,
    seconds: float,
    clock: Clock = time.process_time,
) -> tuple[Ready, NDArray[np.floating] | None]:
    """Compile, compare with the reference, and find the number of tokens for one run.

    A run takes `seconds`, within a factor of two, if there are enough tokens. The reference, and
    the contender's own result, which is returned too, are those on the first `FIRST` tokens.

    Raises ArithmeticError if they differ by more than the contender's tolerance.
    """
    n = min(FIRST, contender.most)
    run = contender.prepare(n)
    given = run()
    result = None
    if contender.result is not None:
        result = np.array(contender.result(given))
        if reference is not None:
            difference = gap(result, reference[len(reference) - len(result) :])
            if not difference <= contender.tolerance:
                raise ArithmeticError(
                    f"its result differs from the reference by {difference:.2g} of the largest "
                    f"value, more than {contender.tolerance:g}"
                )
    del given
    while n < contender.most:
        began = clock()
        run()
        elapsed = clock() - began
        if elapsed >= seconds / 2:
            break
        # The next power of two that fills the time, at most 64 times as many: the first
        # runs are mostly overhead.
        wanted = n * min(max(seconds / max(elapsed, 1e-9), 2.0), 64.0)
        n = min(2 ** int(np.log2(wanted)), contender.most)
        run = contender.prepare(n)
        run()
    return Ready(contender, n, run), result


def run_rounds(
    work: str,
    ready: Sequence[Ready],
    rounds: int,
    *,
    clock: Clock = time.process_time,
    after: Callable[[int], object] = lambda done: None,
) -> list[Timing]:
    """Run every contender once in each round, in the given order; `after` gets the rounds done."""
    timings = []
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            for contender, n_tokens, run in ready:
                began = clock()
                run()
                seconds = clock() - began
                amount = n_tokens * contender.scale
                timings.append(
                    Timing(work, contender.name, number, amount, contender.unit, seconds)
                )
            after(number + 1)
    finally:
        if collecting:
            gc.enable()
    return timings


@contextmanager
def one_core() -> Iterator[int | None]:
    """Use one core and one thread, also in child processes; yields the core, None if not pinned."""
    # The libraries read these variables when they are first loaded.
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    wanted = dict.fromkeys(names, "1")
    wanted["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    wanted["JAX_PLATFORMS"] = "cpu"
    before = {name: os.environ.get(name) for name in wanted}
    pinned = hasattr(os, "sched_setaffinity")
    cores = os.sched_getaffinity(0) if pinned else set()
    core = max(cores) if pinned else None
    os.environ.update(wanted)
    try:
        if core is not None:
            os.sched_setaffinity(0, {core})
        with threadpool_limits(1):
            yield core
    finally:
        if core is not None:
            os.sched_setaffinity(0, cores)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
