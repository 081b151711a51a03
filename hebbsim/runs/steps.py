"""Progress of a run whose steps take different amounts of time."""

import threading
from collections.abc import Iterable

from hebbsim.runs.results import Progress


class Steps:
    """The weighted steps of a run by name; thread-safe.

    With every report, `progress` receives the completed weight, rounded down, and the total.

    >>> steps = Steps(lambda line, done, total: print(line, done, total))
    >>> steps.plan(10, ["learn"])
    >>> steps.plan(1, ["score", "compare"])
    >>> steps.reach("learn", 0.55)
    None 5 12
    >>> steps.reach("learn", line="learned")
    learned 10 12
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._weights: dict[str, int] = {}
        self._shares: dict[str, float] = {}
        self._lock = threading.Lock()

    def plan(self, weight: int, names: Iterable[str]) -> None:
        """Add steps of the same weight."""
        self._weights |= dict.fromkeys(names, weight)

    def drop(self, names: Iterable[str]) -> None:
        """Remove steps that are not needed."""
        for name in names:
            self._weights.pop(name, None)

    def reach(self, name: str, share: float = 1.0, *, line: str | None = None) -> None:
        """Report the completed share of a step, which never decreases."""
        with self._lock:
            self._shares[name] = max(share, self._shares.get(name, 0.0))
            self._tell(line)

    def say(self, line: str | None = None) -> None:
        """Report a line, or only the progress."""
        with self._lock:
            self._tell(line)

    def _tell(self, line: str | None) -> None:
        done = sum(self._shares.get(name, 0.0) * w for name, w in self._weights.items())
        self._progress(line, int(done + 1e-9), sum(self._weights.values()))
