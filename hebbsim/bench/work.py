"""What a work is: its contenders, and how their rounds are timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hebbsim.bench.harness import Clock, Contender, Timing

if TYPE_CHECKING:
    from hebbsim.runs.results import Row

__all__ = ["TIMESCALES", "Work", "slug"]

#: Of every work that has traces.
TIMESCALES = (2.0, 8.0, 32.0)


@dataclass(frozen=True)
class Work:
    """A work and those who do it.

    Attributes
    ----------
    name, title : str
    corpus : str
        What the tokens are from.
    contenders : sequence of Contender
        The first that has a result gives the one that the others must equal.
    size : dict
        The numbers that describe the work, ready for JSON.
    clock : callable
    rounds : int, optional
        At most so many; without, as many as the run was asked for.
    rehearsed : bool
        Whether contenders run once before they are timed.
    bounded : bool
        Whether the limits of the machine are measured beside it.
    tabulate : callable, optional
        ``tabulate(work, timings)`` gives the rows of the results, where they are not rates
        and ratios.
    notes : sequence of str
        What a reader of the results must know.
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
