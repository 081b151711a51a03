"""SIGINT and SIGTERM: both stop a run in the same way, but not within an atomic block."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

__all__ = ["Interruption", "Terminated", "defer_signals", "terminating"]


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; it is handled like Ctrl-C."""


class Interruption(Exception):
    """The line that an interrupted command prints, and its exit status."""

    def __init__(self, cause: KeyboardInterrupt) -> None:
        super().__init__(f"interrupted; {getattr(cause, 'hint', 'nothing was written')}")
        number = signal.SIGTERM if isinstance(cause, Terminated) else signal.SIGINT
        self.status = 128 + number


@contextlib.contextmanager
def terminating() -> Iterator[list[int]]:
    """A block in which SIGTERM raises `Terminated`, as SIGINT raises KeyboardInterrupt.

    Yields a list that receives the number of the signal.
    """
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield arrived
        return

    def terminate(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield arrived
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """A block that signals do not interrupt: they take effect when it ends.

    Examples
    --------
    >>> done = []
    >>> try:
    ...     with defer_signals():
    ...         signal.raise_signal(signal.SIGINT)
    ...         done.append("whole")
    ... except KeyboardInterrupt:
    ...     done.append("then interrupted")
    >>> done
    ['whole', 'then interrupted']
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    before: dict[signal.Signals, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, note)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])
