"""Handling of SIGINT and SIGTERM: both stop a run, but not within an atomic block."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; it is handled like Ctrl-C."""


class Interruption(Exception):
    """Message and exit status of an interrupted command."""

    def __init__(self, cause: KeyboardInterrupt) -> None:
        super().__init__(f"interrupted; {getattr(cause, 'hint', 'nothing was written')}")
        number = signal.SIGTERM if isinstance(cause, Terminated) else signal.SIGINT
        self.status = 128 + number


@contextlib.contextmanager
def _handling(handler: Callable[[int, FrameType | None], None], *numbers: int) -> Iterator[None]:
    """Handle signals within the block, if this is the main thread: no other may."""
    before: dict[int, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in numbers:
                before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextlib.contextmanager
def terminating() -> Iterator[list[int]]:
    """Raise `Terminated` at SIGTERM within the block, as SIGINT raises KeyboardInterrupt.

    Yields a list that receives the number of the signal.
    """
    arrived: list[int] = []

    def terminate(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        raise Terminated

    with _handling(terminate, signal.SIGTERM):
        yield arrived


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Defer SIGINT and SIGTERM to the end of the block.

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
    arrived: list[int] = []
    try:
        with _handling(lambda number, _: arrived.append(number), signal.SIGINT, signal.SIGTERM):
            yield
    finally:
        if arrived:
            signal.raise_signal(arrived[0])
