"""A learner that starts from nothing and learns from the corpus while the class watches."""

from __future__ import annotations

from hebbsim.demo.room import Named, Room
from hebbsim.models import HebbianRoleInducer

__all__ = ["LiveLearner"]

#: Sentences learned at a time.
STRETCH = 100
CLUSTERS = 150


class LiveLearner:
    """Learn roles from a stream, a stretch of sentences at a time, every word once.

    Its clusters are named on dev and scored on test after each stretch, as those of any
    learner: no label reaches what it learns.

    Parameters
    ----------
    room : Room

    Attributes
    ----------
    curve : list of (int, float)
        Words read so far, and the accuracy on test then.
    named : Named or None
        The learner as it is; None before the first stretch.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.curve: list[tuple[int, float]] = []
        self.named: Named | None = None
        self._sentences = room.train.sentences()
        self._at = 0
        self._n_words = 0
        self._learner: HebbianRoleInducer | None = None

    @property
    def done(self) -> bool:
        """Whether the corpus is at its end."""
        return self._at >= len(self._sentences)

    def step(self) -> tuple[int, float]:
        """Learn the next stretch; words read so far, and accuracy on test."""
        stretch = self._sentences[self._at : self._at + STRETCH]
        self._at += len(stretch)
        self._n_words += sum(map(len, stretch))
        if self._learner is None:
            self._learner = HebbianRoleInducer(n_clusters=min(CLUSTERS, self._n_words))
        self._learner.partial_fit(stretch)
        room = self.room
        self.named = named = room.name(self._learner)
        found = named.readout.predict(self._learner.predict(room.test.sentences()))
        score = float((found == room.test.layers[room.layer]).mean())
        self.curve.append((self._n_words, round(score, 4)))
        return self.curve[-1]
