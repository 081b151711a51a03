"""A thread for each window, so that neither learning nor one window holds up another."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from hebbsim.demo.room import Room
from hebbsim.demo.session import Message, Session

__all__ = ["WindowGone", "Worker"]

#: Seconds between two steps of the live learner, so that a class can follow.
PACE = 0.35


class WindowGone(Exception):
    """Raised where an answer is sent: the window has been closed."""


class Worker:
    """Run a `Session` in a thread of its own.

    Parameters
    ----------
    room : Room
        Need not be prepared yet.
    send : callable
        Given each answer, in that thread; may raise `WindowGone`.
    """

    def __init__(self, room: Room, send: Callable[[Message], None]) -> None:
        self.room = room
        self._send = send
        self._asked: queue.SimpleQueue[Mapping[str, Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask(self, message: Mapping[str, Any]) -> None:
        """Hand over a message of the page."""
        self._asked.put(message)

    def close(self) -> None:
        """End the thread after what it is at."""
        self._asked.put(None)

    def _run(self) -> None:
        with contextlib.suppress(WindowGone):
            try:
                self._serve()
            except WindowGone:
                raise
            except Exception as error:  # the page must not wait for ever
                traceback.print_exc()
                self._send({"kind": "broken", "text": f"{type(error).__name__}: {error}"})

    def _serve(self) -> None:
        room = self.room
        if not room.ready.is_set():
            self._send(
                {
                    "kind": "wait",
                    "text": f"Reading {room.train.n_sentences:,} sentences, without a label …",
                }
            )
        room.ready.wait()
        if room.failure is not None:
            self._send({"kind": "broken", "text": room.failure})
            return
        session = Session(room, later=True)
        self._send(session.hello())
        learning: threading.Thread | None = None
        had_bigru = room.bigru is not None
        due = 0.0
        while True:
            messages = self._next(0.5 if not session.learning else max(0.0, due - time.monotonic()))
            if None in messages:
                return
            for message in latest([m for m in messages if m is not None]):
                for answer in session.handle(message):
                    self._send(answer)
            # Meanwhile what needs no learning is answered at once, whatever else is asked.
            for answer in session.roles_due():
                self._send(answer)
            if session.wanted is not None and (learning is None or not learning.is_alive()):
                learning = threading.Thread(target=self._learn, args=[session.wanted], daemon=True)
                learning.start()
            if session.learning and time.monotonic() >= due:
                for answer in session.advance():
                    self._send(answer)
                due = time.monotonic() + PACE
            for answer in session.tally():
                self._send(answer)
            if room.bigru is not None and not had_bigru:
                had_bigru = True
                for answer in session.bigru_came():
                    self._send(answer)

    def _learn(self, timescales: tuple[float, ...]) -> None:
        """Have the room learn roles over these timescales; an empty message says that it has."""
        try:
            self.room.named(timescales)
        except Exception as error:  # the page must not wait for ever
            traceback.print_exc()
            with contextlib.suppress(WindowGone):
                self._send({"kind": "broken", "text": f"{type(error).__name__}: {error}"})
            self._asked.put(None)
        self._asked.put({"do": "look"})

    def _next(self, timeout: float) -> list[Mapping[str, Any] | None]:
        """All that has been asked, waiting a while for the first."""
        found: list[Mapping[str, Any] | None] = []
        try:
            found.append(self._asked.get(timeout=timeout) if timeout else self._asked.get_nowait())
            while True:
                found.append(self._asked.get_nowait())
        except queue.Empty:
            return found


def latest(messages: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Messages without those that a later one makes void: of many readings, the last.

    Examples
    --------
    >>> latest([{"do": "read", "id": 1}, {"do": "learn"}, {"do": "read", "id": 2}])
    [{'do': 'learn'}, {'do': 'read', 'id': 2}]
    """
    last = max((i for i, m in enumerate(messages) if m.get("do") == "read"), default=-1)
    return [m for i, m in enumerate(messages) if m.get("do") != "read" or i == last]
