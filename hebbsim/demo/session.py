"""One window of the page: messages from it in, messages to it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hebbsim.demo.live import LiveLearner
from hebbsim.demo.reading import MOST_WORDS, Sentences, cut_text, read_text, survival
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

    Attributes
    ----------
    learning : bool
        Whether the class has started the live learner: then `advance` is due.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.settings = Settings()
        self.sentences: Sentences = [room.examples[0]]
        self.live = LiveLearner(room)
        self.learning = False
        self._n_words = len(self.sentences[0])

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
            elif do == "learn":
                yield from self._learn(str(message.get("what")))
            else:
                raise BadInputError(f"unknown message {do!r}")
        except HebbsimError as error:
            yield {"kind": "error", "id": message.get("id"), "text": str(error)}

    def _read(self, message: Mapping[str, Any]) -> Iterator[Message]:
        given = message.get("settings")
        settings = Settings.checked(given if isinstance(given, Mapping) else {})
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
        yield from self._answer(message.get("id"))

    def _answer(self, number: Any) -> Iterator[Message]:
        settings = self.settings
        if not settings.live and not self.room.has_named(settings.timescales):
            yield {"kind": "busy", "id": number, "text": "Learning roles with these timescales …"}
        named = self._named()
        reading = read_text(self.room, named, self.sentences, settings)
        yield {
            "kind": "reading",
            "id": number,
            "note": f"Only the first {MOST_WORDS} of {self._n_words:,} words are shown."
            if self._n_words > MOST_WORDS
            else None,
            **reading,
        }
        yield {"kind": "survival", "id": number, **self._survived(named)}

    def _survived(self, named: Named | None) -> Message:
        # The rule and its rate have no part in what survives in the traces.
        settings = self.settings.model_copy(update={"rule": "delta", "eta": 0.1, "fresh": False})
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
            named = self._named()
            reading = read_text(self.room, named, self.sentences, self.settings)
            yield {"kind": "reading", "id": None, "note": None, **reading}

    def bigru_came(self) -> Iterator[Message]:
        """The supervised model is there now: its roles of the text on show."""
        reading = read_text(self.room, self._named(), self.sentences, self.settings)
        yield {"kind": "bigru", "bigru": reading["bigru"], "words": reading["words"]}
