"""Measures the processor time and the peak memory of a step of a run."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Cost:
    """The cost of training a model with one seed."""

    #: As in `hebbsim.runs.results.Score`.
    model: str
    condition: str
    seed: int
    #: Processor time of the process.
    seconds: float
    #: Peak growth of the process in bytes; None if unknown.
    memory: int | None


class Meter:
    """A context that measures the process, in which nothing else should run.

    >>> with Meter() as meter:
    ...     table = bytearray(50_000_000)
    ...     with meter.aside():
    ...         pass  # not measured
    >>> meter.seconds < 10, meter.memory is None or meter.memory > 10_000_000
    (True, True)
    """

    def __enter__(self) -> Meter:
        with contextlib.suppress(OSError, AttributeError):
            # Return freed memory to the system (glibc), so that its reuse counts as growth.
            ctypes.CDLL(None).malloc_trim(0)
        self._before = resident()
        self._peak = 0
        self._reset = _reset_peak()
        self._began = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.process_time() - self._began
        self._update_peak()
        self.memory = max(self._peak - self._before, 0) if self._reset else None

    def _update_peak(self) -> None:
        if self._reset:
            self._peak = max(self._peak, _status("VmHWM"))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """A context that is not measured."""
        self._update_peak()
        began = time.process_time()
        yield
        self._began += time.process_time() - began
        self._reset = self._reset and _reset_peak()


def _status(name: str) -> int:
    """An entry of /proc/self/status in bytes; 0 if it does not exist."""
    with contextlib.suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return 0


def resident() -> int:
    """Resident memory of the process in bytes; 0 if unknown."""
    return _status("VmRSS")


def _reset_peak() -> bool:
    """Reset the peak memory of the process (Linux); whether that was possible."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True
