"""A learner that starts from nothing and learns from the corpus while the class watches."""

from __future__ import annotations

from hebbsim.demo.room import Named, Room
from hebbsim.models import RoleNetwork

__all__ = ["LiveLearner"]

#: Sentences learned at a time.
STRETCH = 100
CLUSTERS = 300
#: Layers begin after so few tokens that a class does not wait; English needs more.
SOON = (
    "first.settle=500",
    "second.start=500",
    "second.settle=500",
    "tokens.start=1000",
    "tokens.settle=600",
)


class LiveLearner:
    """The network of the roles, token by token, every sentence once.

    After each stretch its clusters, once they have begun, are named on dev and scored on test,
    as those of any learner: no label reaches what it learns.

    Parameters
    ----------
    room : Room

    Attributes
    ----------
    n_clusters : int
    n_words : int
        Read so far.
    curve : list of (int, float)
        Words read, and the accuracy on test then.
    named : Named or None
        The learner as it is; None before there are clusters.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.curve: list[tuple[int, float]] = []
        self.named: Named | None = None
        self._sentences = room.train.sentences()
        self._at = 0
        self.n_words = 0
        self.n_clusters = min(CLUSTERS, room.train.n_tokens)
        self._learner = RoleNetwork(n_clusters=self.n_clusters, settings=SOON)

    @property
    def done(self) -> bool:
        """Whether the corpus is at its end."""
        return self._at >= len(self._sentences)

    def step(self) -> None:
        """Learn the next stretch, and look at what it has brought."""
        stretch = self._sentences[self._at : self._at + STRETCH]
        self._at += len(stretch)
        self.n_words += sum(map(len, stretch))
        network = self._learner.partial_fit(stretch).network_
        if self.done:
            network.finish()
        if not network.settled:
            return
        room = self.room
        self.named = named = room.name(self._learner)
        found = named.readout.predict(self._learner.predict(room.test.sentences()))
        score = float((found == room.test.layers[room.layer]).mean())
        self.curve.append((self.n_words, round(score, 4)))
