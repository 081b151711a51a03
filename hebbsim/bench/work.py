"""A work: a task of the benchmark, its contenders, and how they are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hebbsim.bench.harness import Clock, Contender, Timing

if TYPE_CHECKING:
    from hebbsim.runs.results import Row

__all__ = ["TIMESCALES", "Work", "slug"]

#: Timescales of every work with traces.
TIMESCALES = (2.0, 8.0, 32.0)


@dataclass(frozen=True)
class Work:
    """A task, and the contenders that do it.

    Attributes
    ----------
    corpus : str
        Source of the tokens.
    contenders : sequence of Contender
        The first one with a result is the reference that the others must equal.
    size : dict
        Numbers that describe the work, ready for JSON.
    rounds : int, optional
        Most rounds (default: as many as requested).
    rehearsed : bool
        Run contenders once before they are timed.
    bounded : bool
        Also measure the limits of the machine.
    tabulate : callable, optional
        ``tabulate(work, timings)`` makes the rows of the results, if they are not rates and
        ratios.
    notes : sequence of str
        What a reader of the results should know.
    """

    name: str
    title: str
    contenders: Sequence[Contender]
    corpus: str = "synthetic"
    size: dict[str, Any] = field(default_factory=dict)
    clock: Clock = time.process_time
    rounds: int | None = None
    rehearsed: bool = True
    bounded: bool = True
    tabulate: Callable[[Work, Sequence[Timing]], list[Row]] | None = None
    notes: Sequence[str] = ()


def slug(name: str) -> str:
    """A name as one word of a condition.

    Examples
    --------
    >>> slug("to DRAM")
    'to-DRAM'
    """
    return "-".join(name.replace(",", "").replace("=", "-").split())
