"""A work: a task of the benchmark, its contenders, and how they are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hebbsim.bench.harness import Clock, Contender, Timing, quartiles
from hebbsim.runs.results import Row

#: Timescales of every work with traces.
TIMESCALES = (2.0, 8.0, 32.0)


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

    Examples
    --------
    >>> slug("to DRAM")
    'to-DRAM'
    """
    return "-".join(name.replace(",", "").replace("=", "-").split())
