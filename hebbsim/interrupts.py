"""Handling of SIGINT, SIGTERM and SIGHUP: all stop a run, but not within an atomic block."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived, the argument; it is handled like Ctrl-C."""


class Interruption(Exception):
    """Message and exit status of an interrupted command."""

    def __init__(self, cause: KeyboardInterrupt) -> None:
        super().__init__(f"interrupted; {getattr(cause, 'hint', 'nothing was written')}")
        number = cause.args[0] if isinstance(cause, Terminated) else signal.SIGINT
        self.status = 128 + number


def _stopping() -> list[int]:
    """SIGTERM, and SIGHUP unless it is ignored, as under nohup."""
    hangup: list[int] = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []  # Windows has none
    return [signal.SIGTERM, *(n for n in hangup if signal.getsignal(n) is not signal.SIG_IGN)]


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
    """Raise `Terminated` at SIGTERM or SIGHUP within the block, as SIGINT raises KeyboardInterrupt.

    Yields a list that receives the number of the signal.
    """
    arrived: list[int] = []

    def terminate(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        raise Terminated(number)

    with _handling(terminate, *_stopping()):
        yield arrived


@contextlib.contextmanager
def defer_signals() -> Iterator[None]:
    """Defer SIGINT, SIGTERM and SIGHUP to the end of the block.

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
        with _handling(lambda number, _: arrived.append(number), signal.SIGINT, *_stopping()):
            yield
    finally:
        if arrived:
            signal.raise_signal(arrived[0])
