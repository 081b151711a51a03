"""What a step of a run costs: processor time, and memory at its highest."""

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
    """What a model took to learn with one seed."""

    #: As of `hebbsim.runs.results.Score`.
    model: str
    condition: str
    seed: int
    #: Processor time of the process.
    seconds: float
    #: Bytes by which the process grew at most; None where the system does not tell.
    memory: int | None


class Meter:
    """Measures the process while nothing else runs in it.

    Examples
    --------
    >>> with Meter() as meter:
    ...     table = bytearray(50_000_000)
    ...     with meter.aside():
    ...         pass  # not measured
    >>> meter.seconds < 10, meter.memory is None or meter.memory > 10_000_000
    (True, True)
    """

    def __enter__(self) -> Meter:
        _give_back()
        self._before = resident()
        self._most = 0
        self._reset = _forget_most()
        self._began = time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds = time.process_time() - self._began
        self._note()
        self.memory = max(self._most - self._before, 0) if self._reset else None

    def _note(self) -> None:
        if self._reset:
            self._most = max(self._most, _status("VmHWM"))

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """What is done in this context is not measured."""
        self._note()
        began = time.process_time()
        yield
        self._began += time.process_time() - began
        self._reset = self._reset and _forget_most()


def _status(name: str) -> int:
    """A line of the process's status, in bytes; 0 where there is none."""
    with contextlib.suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return 1024 * int(line.split()[1])
    return 0


def resident() -> int:
    """Bytes of memory that the process holds; 0 where the system does not tell."""
    return _status("VmRSS")


def _give_back() -> None:
    """Return freed memory to the system (glibc), or what comes next would seem to need none."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_most() -> bool:
    """Have the system forget how large the process once was (Linux)."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True
