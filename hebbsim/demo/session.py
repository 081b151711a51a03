"""One window of the page: messages from it in, messages to it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hebbsim.demo.live import LiveLearner
from hebbsim.demo.reading import (
    MOST_WORDS,
    Sentences,
    bigru_rows,
    cut_text,
    read_memory,
    read_roles,
    survival,
)
from hebbsim.demo.room import Named, Room
from hebbsim.demo.settings import Settings
from hebbsim.engine import get_rule, rule_names
from hebbsim.errors import BadInputError, HebbsimError

__all__ = ["Session"]

Message = dict[str, Any]


class Session:
    """The state of one window, which no other window shares.

    Parameters
    ----------
    room : Room
        Prepared.
    later : bool, default=False
        Roles over traces of timescales that have not been learned yet are left out: they are
        due in `roles_due`, once the room has learned them.

    Attributes
    ----------
    wanted : tuple of float or None
        The timescales that roles are waiting for.
    learning : bool
        Whether the class has started the live learner: then `advance` is due.
    """

    def __init__(self, room: Room, *, later: bool = False) -> None:
        self.room = room
        self.later = later
        self.wanted: tuple[float, ...] | None = None
        self.settings = Settings()
        self.sentences: Sentences = [room.examples[0]]
        self.live = LiveLearner(room)
        self.learning = False
        self._n_words = len(self.sentences[0])
        self._id: Any = None
        self._ballot_number = 0
        self._tally: list[int] = []

    def hello(self) -> Message:
        """What the page needs to know of the room."""
        room = self.room
        return {
            "kind": "hello",
            "corpus": room.corpus.name,
            "roles": room.roles,
            "examples": [" ".join(sentence) for sentence in room.examples],
            "references": room.references,
            "n_sentences": room.train.n_sentences,
            "n_words": room.train.n_tokens,
            "n_clusters": room.learner.n_clusters,
            "live_words": room.train.n_tokens,
            "live_clusters": self.live.n_clusters,
            "argument_roles": room.argument_roles,
            "ballot": {"url": room.ballot_url, "code": room.ballot_code}
            if room.ballot_url
            else None,
            "rules": [
                {
                    "name": rule.name,
                    "source": rule.source,
                    "equation": rule.equation,
                    "eta": rule.eta,
                }
                for rule in map(get_rule, rule_names())
            ],
        }

    def handle(self, message: Mapping[str, Any]) -> Iterator[Message]:
        """Answers to one message; what cannot be used is answered by one line of error."""
        try:
            do = message.get("do")
            if do == "read":
                yield from self._read(message)
            elif do == "aside":
                yield self._aside(message)
            elif do == "ballot":
                self._ask_class(message.get("options"))
            elif do == "look":  # whether roles are due
                pass
            elif do == "learn":
                yield from self._learn(str(message.get("what")))
            else:
                raise BadInputError(f"unknown message {do!r}")
        except HebbsimError as error:
            yield {"kind": "error", "id": message.get("id"), "text": str(error)}

    @staticmethod
    def _checked(message: Mapping[str, Any]) -> Settings:
        given = message.get("settings")
        return Settings.checked(given if isinstance(given, Mapping) else {})

    def _read(self, message: Mapping[str, Any]) -> Iterator[Message]:
        settings = self._checked(message)
        if "example" in message:
            examples = self.room.examples
            number = message["example"]
            if not isinstance(number, int) or not 0 <= number < len(examples):
                raise BadInputError(f"no example {number!r}")
            sentences, n_words = [examples[number]], len(examples[number])
        else:
            sentences, n_words = cut_text(str(message.get("text", "")))
        if not sentences:
            raise BadInputError("Type a sentence first: there are no words in the box.")
        self.settings, self.sentences, self._n_words = settings, sentences, n_words
        self._id = message.get("id")
        yield from self._answer(quick=message.get("quick") is True)

    def _answer(self, quick: bool) -> Iterator[Message]:
        settings = self.settings
        self.wanted = None
        if self.later and not settings.live and not self.room.has_named(settings.timescales):
            self.wanted = settings.timescales
        reading = {
            "kind": "reading",
            "id": self._id,
            "note": f"Only the first {MOST_WORDS} of {self._n_words:,} words are shown."
            if self._n_words > MOST_WORDS
            else None,
            **read_memory(self.room, self.sentences, settings),
        }
        if self.wanted is not None:
            if quick:  # a slider is being dragged, and will stand elsewhere soon
                self.wanted = None
            yield {**reading, "roles": None}
            return
        named = self._named()
        yield {**reading, **read_roles(self.room, named, self.sentences, settings)}
        if not quick:
            yield {"kind": "survival", "id": self._id, **self._survived(named)}

    def _aside(self, message: Mapping[str, Any]) -> Message:
        """Roles of a sentence that is held against the one on show; None where not learned yet."""
        settings = self._checked(message)
        text = str(message.get("text", ""))
        sentences, _ = cut_text(text)
        roles = None
        if not sentences:
            raise BadInputError("There are no words to compare.")
        if settings.live or self.room.has_named(settings.timescales):
            learner = self.live.named if settings.live else self.room.named(settings.timescales)
            roles = read_roles(self.room, learner, sentences, settings)["roles"][-1]
        return {"kind": "aside", "text": text, "roles": roles}

    def roles_due(self) -> Iterator[Message]:
        """Roles that were left out, if the room has learned them by now."""
        if self.wanted is None or not self.room.has_named(self.wanted):
            return
        self.wanted = None
        named = self._named()
        roles = read_roles(self.room, named, self.sentences, self.settings)
        yield {"kind": "roles", "id": self._id, **roles}
        yield {"kind": "survival", "id": self._id, **self._survived(named)}

    def _survived(self, named: Named | None) -> Message:
        # The rule and its rate have no part in what survives in the traces.
        settings = self.settings.model_copy(update={"rule": "delta", "eta": 0.01, "fresh": False})
        if settings.live:
            return survival(self.room, named, settings)
        return self.room.keep(settings, lambda: survival(self.room, named, settings))

    def _named(self) -> Named | None:
        """The learner that roles come from; None while the live one has no clusters yet."""
        if self.settings.live:
            return self.live.named
        return self.room.named(self.settings.timescales)

    def _learn(self, what: str) -> Iterator[Message]:
        if what == "start":
            self.learning = not self.live.done
        elif what == "pause":
            self.learning = False
        elif what == "reset":
            self.learning = False
            self.live = LiveLearner(self.room)
        else:
            raise BadInputError(f"the live learner knows start, pause and reset, not {what!r}")
        yield self._learned()

    def _learned(self) -> Message:
        return {
            "kind": "learning",
            "running": self.learning,
            "done": self.live.done,
            "words": self.live.n_words,
            "curve": self.live.curve,
        }

    def advance(self) -> Iterator[Message]:
        """Let the live learner take one more stretch of the corpus."""
        self.live.step()
        self.learning = self.learning and not self.live.done
        yield self._learned()
        if self.settings.live:
            roles = read_roles(self.room, self._named(), self.sentences, self.settings)
            yield {"kind": "roles", "id": self._id, **roles}

    def _ask_class(self, n_options: Any) -> None:
        """Open the ballot for so many options, or close it for none."""
        ballot = self.room.ballot
        if ballot is None:
            raise BadInputError("start the page by: hebbsim demo --class")
        if n_options is None:
            if ballot.number == self._ballot_number:
                ballot.close()
        elif isinstance(n_options, int):
            ballot.open(n_options)
            self._ballot_number, self._tally = ballot.number, []
        else:
            raise BadInputError(f"a ballot has a number of options, not {n_options!r}")

    def tally(self) -> Iterator[Message]:
        """What phones have said to the question of this window, if they have said more by now."""
        ballot = self.room.ballot
        if ballot is None or ballot.number != self._ballot_number:
            return
        counts = ballot.counts
        if counts != self._tally:
            self._tally = counts
            yield {"kind": "tally", "counts": counts, "addresses": ballot.n_addresses}

    def bigru_came(self) -> Iterator[Message]:
        """The supervised model is there now: its roles of the text on show."""
        yield {"kind": "bigru", "id": self._id, "bigru": bigru_rows(self.room, self.sentences)}
