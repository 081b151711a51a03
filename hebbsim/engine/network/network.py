"""A network of trace layers that learns from a stream of sentences, token by token."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import fitting
from hebbsim.engine.network.shape import Spelling, shape_code
from hebbsim.engine.network.token_layer import TokenLayer
from hebbsim.engine.network.vocabulary import UNKNOWN, Vocabulary
from hebbsim.engine.network.word_layer import WordLayer
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.traces import decays
from hebbsim.engine.values import whole_number
from hebbsim.errors import BadInputError

#: Largest `context_words`: every word has a weight per context word, timescale and side.
LARGEST_CONTEXT = 100_000
#: Tokens per call of a kernel when reading, as a call is slow compared with a sentence.
READ_AT_A_TIME = 128


class Network:
    """Word layers, each over the codes of another, and a token layer on top.

    The network learns a sentence after reading all of it, because right traces start at its end.
    The layers learn in order, each token by token, and each begins after the number of tokens
    in its `start`. Results are bit-identical, however a stream is cut into calls.

    Words are added to the vocabulary as they occur. When it holds `max_words`, the rarest
    tenth is dropped with all that was learned about it (among equally rare words, the latest).

    A layer over ``"text"`` sees one-hot words. Each of the first `context_words` words to occur
    three times has a column of its own; all other words share one. The column of a dropped word
    is reused.

    Parameters
    ----------
    layers : sequence of WordLayer, and last a TokenLayer
    timescales : iterable of float, or str
        Timescales of the traces, in tokens, for layers without `timescales` of their own. The
        token layer uses all of them. Word layers use the shortest one: more would multiply their
        weights, and showed no gain.
    max_words : int
        Maximum vocabulary size, which bounds memory use.
    context_words : int
        Number of neighbouring words that a layer over the text distinguishes.
    random_state : int
        Random seed.

    Attributes
    ----------
    index : dict of str to int
        Row of every known word, from 1 on; all other words share row 0.
    counts : ndarray of int64
        Occurrences by row.
    spelling : Spelling
        Spelling of the words, by row.
    tokens : int
        Number of tokens learned.

    Examples
    --------
    >>> network = Network(
    ...     [WordLayer("first", "text", size=4), TokenLayer("tokens", "first", size=5)]
    ... )
    >>> network.learn([["the", "dog", "saw", "a", "cat"]]).tokens
    5
    """

    def __init__(
        self,
        layers: Sequence[WordLayer | TokenLayer],
        timescales: str | Iterable[float] = (2, 8, 32),
        *,
        max_words: int = 30_000,
        context_words: int = 500,
        random_state: int = 0,
    ) -> None:
        *words, top = layers or [WordLayer("none", "text")]
        if not isinstance(top, TokenLayer) or not all(isinstance(x, WordLayer) for x in words):
            raise BadInputError("a network has word layers and, last, one token layer")
        if not words:
            raise BadInputError("a network has at least one word layer beneath its token layer")
        self.words: list[WordLayer] = words  # type: ignore[assignment]
        self.top = top
        self.timescales = check_timescales(timescales).tolist()
        self.max_words = whole_number("max_words", max_words, 1)
        self.context_words = whole_number("context_words", context_words, 1, LARGEST_CONTEXT)
        random_state = whole_number("random_state", random_state, 0)
        self.rng = np.random.default_rng(random_state)
        self.tokens = 0
        weights = _drawing_weights(random_state)
        sizes = {"text": self.context_words + 1}
        for layer in layers:
            if layer.below not in sizes:
                raise BadInputError(
                    f"layer {layer.name} is over {layer.below!r}, which is no layer beneath it: "
                    f"choose {', '.join(sizes)}"
                )
            if layer.name == "text":
                raise BadInputError(
                    "a layer is named text, which is what the first layer is over: give it "
                    "another name"
                )
            if layer.name in sizes:
                raise BadInputError(
                    f"a layer is named {layer.name} as another is: give each a name of its own"
                )
            self._connect(layer, sizes[layer.below], weights)
            sizes[layer.name] = layer.size
        if top.below == "text":
            raise BadInputError(f"layer {top.name} must be over a word layer")
        self._below = {layer.name: layer for layer in self.words}
        self.vocabulary = Vocabulary(self.words, self.max_words, self.context_words, top.shape_size)
        self._by_count: NDArray[np.int64] | None = None  # cumulative counts
        self.frozen = False

    def _connect(
        self, layer: WordLayer | TokenLayer, below_size: int, rng: np.random.Generator
    ) -> None:
        tau = layer.timescales
        if tau is None:
            shortest = (min(self.timescales),)
            tau = self.timescales if isinstance(layer, TokenLayer) else shortest
        layer.connect(below_size, *decays(tau), rng)

    @property
    def layers(self) -> list[WordLayer | TokenLayer]:
        """All layers in order."""
        return [*self.words, self.top]

    @property
    def words_below(self) -> WordLayer:
        """The word layer beneath the token layer."""
        return self._below[self.top.below]

    # Words --------------------------------------------------------------------------------

    @property
    def index(self) -> dict[str, int]:
        """Row of every known word."""
        return self.vocabulary.index

    @property
    def counts(self) -> NDArray[np.int64]:
        """Occurrences by row."""
        return self.vocabulary.counts

    @property
    def spelling(self) -> Spelling:
        """Spelling and counts of all words, by row."""
        return self.vocabulary.spelling

    def take_vectors(
        self,
        index: Mapping[str, int],
        points: NDArray[np.float32],
        rng: np.random.Generator | None = None,
        **options: Any,
    ) -> None:
        """Give words added from now on the codes of their vectors in the first word layer.

        `index` maps a word to its row in `points`; see `WordLayer.take_vectors` for the rest.
        """
        self.words[0].take_vectors(points, rng, **options)
        self.vocabulary.given = index

    def words_by_row(self) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]:
        """The inputs of the token layer: counts, shapes and codes of all words."""
        return self.counts, self.vocabulary.shapes, self.codes(self.top.below)

    def only_tokens(
        self, counts: NDArray[np.int64], shapes: NDArray[np.int8], codes: NDArray[np.float32]
    ) -> Network:
        """Use `words_by_row` of another network; from now on, only the token layer learns."""
        self.vocabulary.take(counts, shapes)
        self._below[self.top.below].codes = codes
        self.frozen = True
        return self

    def codes(self, below: str) -> NDArray[np.float32]:
        """Codes of all words in the layer `below`, one-hot for the text, shape=(rows, C)."""
        return self._codes(below, np.arange(len(self.counts), dtype=np.int32))

    # Learning -----------------------------------------------------------------------------

    def learn(
        self, sentences: Iterable[Sequence[str]], *, again: bool = False, words_only: bool = False
    ) -> Network:
        """Learn sentences in order.

        Parameters
        ----------
        sentences : iterable of sequences of str
        again : bool
            Whether they are a repetition, which does not increase the counts of words.
        words_only : bool
            Whether only the word layers learn.
        """
        for sentence in sentences:
            check_sentence(sentence)
            if len(sentence):
                self._learn_sentence(sentence, again, words_only)
        return self

    def _learn_sentence(self, sentence: Sequence[str], again: bool, words_only: bool) -> None:
        words = self.vocabulary
        if self.frozen:
            self.learn_tokens(words.rows(sentence), self.rng.random((len(sentence), 2)))
            return
        words.count(sentence, again=again)
        # A word may have been dropped for a later one of its own sentence.
        ids = words.rows(sentence)
        draws = self.rng.random((len(ids), 2))
        for layer in self.words:
            if self.tokens < layer.start:
                break
            if not layer.settled and self.tokens >= layer.start + layer.settle:
                layer.begin(self.rng, self.spelling)
            layer.learn(self._codes(layer.below, ids), ids, draws[:, 0], self.spelling)
        if self.tokens >= self.top.start and not words_only:
            self.learn_tokens(ids, draws)
        self.tokens += len(ids)

    def learn_tokens(self, ids: NDArray[np.int32], draws: NDArray[np.float64]) -> None:
        """Learn one sentence of word rows `ids` in the token layer only; see `TokenLayer.learn`."""
        counts = self.counts[ids]
        codes = self._codes(self.top.below, ids)
        around = self._around(codes, self.rng)
        frequency = counts / max(self.vocabulary.n_counted, 1)  # 0 if every word is unknown
        shapes = self.vocabulary.shapes[ids]
        self.top.learn(codes, around, counts, shapes, frequency, draws, self.rng)

    def _around(self, codes: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Codes that the traces absorb: those of the sentence, or of random tokens."""
        if not self.top.shuffled:
            return codes
        if self._by_count is None or not self.frozen:  # counts still change
            self._by_count = np.cumsum(self.counts)
        drawn = rng.integers(self._by_count[-1], size=len(codes))
        ids = np.searchsorted(self._by_count, drawn, side="right").astype(np.int32)
        return self._codes(self.top.below, ids)

    def over(self, top: TokenLayer, *, random_state: int = 0) -> Network:
        """A network with another token layer over these word layers, shared and now frozen."""
        other = copy.copy(self)
        other.top = top
        other.frozen = True
        other.rng = np.random.default_rng([random_state, 1])
        self._connect(top, self._below[top.below].size, _drawing_weights(random_state))
        return other

    def _codes(self, below: str, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        if below == "text":
            rows = np.zeros((len(ids), self.context_words + 1), dtype=np.float32)
            rows[np.arange(len(ids)), self.vocabulary.columns[ids]] = 1
            return rows
        return self._below[below].codes[ids]

    def finish(self) -> None:
        """Initialize the layers that have not begun, at the end of learning."""
        for layer in self.words:
            if not layer.settled:
                layer.begin(self.rng, self.spelling)
            elif layer.pieces:  # they have changed since rare words got their codes
                layer.encode(np.flatnonzero(layer.counts), self.spelling)
        if not self.top.settled:
            self.top.begin(self.rng)

    # Reading ------------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether the network has clusters yet."""
        return self.top.settled

    def vectors(self, sentences: Iterable[Sequence[str]]) -> NDArray[np.float32]:
        """Vectors of all tokens in the token layer, shape=(T, D); nothing is learned."""
        found = [np.zeros((0, self.top.n_inputs), dtype=np.float32)]
        rng = np.random.default_rng(0)  # for shuffled traces: the same at every call
        words: list[str] = []
        ends: list[int] = []
        for sentence in sentences:
            check_sentence(sentence)
            words.extend(sentence)
            ends.append(len(words))
            if len(words) >= READ_AT_A_TIME:
                found.append(self._vectors(words, ends, rng))
                words, ends = [], []
        if words:
            found.append(self._vectors(words, ends, rng))
        return np.concatenate(found)

    def _vectors(
        self, words: list[str], ends: list[int], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Vectors of the sentences in `words`, which end at `ends`."""
        ids = self.vocabulary.rows(words)
        shapes = self.vocabulary.shapes[ids]
        for i in np.flatnonzero(ids == UNKNOWN).tolist():
            shapes[i] = shape_code(words[i], self.top.shape_size)
        codes = self.word_codes(words)
        around = self._around(codes, rng)
        bounds = np.array(ends, dtype=np.int64)
        return self.top.vectors(codes, around, self.counts[ids], shapes, bounds)

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words in the layer beneath the token layer, shape=(n, C)."""
        ids = self.vocabulary.rows(words)
        codes = self._codes(self.top.below, ids)
        unknown = np.flatnonzero(ids == UNKNOWN)
        if self.vocabulary.n_pieces and len(unknown):
            spelled = self.vocabulary.spelled([words[i] for i in unknown.tolist()])
            layer = self.words_below
            codes[unknown] = layer.codes_of_unknown(Spelling(*spelled, np.zeros_like(unknown)))
        return codes

    # Files --------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """All learned state: arrays by name, and a JSON-compatible document."""
        arrays = {
            f"{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.arrays().items()
        }
        arrays |= self.vocabulary.arrays()
        first, given = self.words[0], None
        if first.points is not None:
            arrays |= {"points": first.points, "groups": first.groups, "held": first.held}
            given = {"index": dict(self.vocabulary.given), "learns_on": bool(first.learns_on)}
        return arrays, {
            "given": given,
            "words": list(self.index),
            "tokens": self.tokens,
            "frozen": self.frozen,
            "settled": [layer.settled for layer in self.layers],
            "top_tokens": self.top.tokens,
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]) -> Network:
        """Restore what `state` returned, of a network of the same description.

        Raises one of `hebbsim.engine.checkpoint.MISFITS` if it does not fit.
        """
        self.vocabulary.restore(arrays, [str(word) for word in document["words"]])
        self.tokens = whole_number("tokens", document["tokens"], 0)
        self.frozen = bool(document["frozen"])
        self.rng.bit_generator.state = document["rng"]
        self.top.tokens = whole_number("top_tokens", document["top_tokens"], 0)
        for number, (layer, settled) in enumerate(
            zip(self.layers, document["settled"], strict=True)
        ):
            layer.settled = bool(settled)
            for name, array in layer.arrays().items():
                if name != "waiting":
                    found = arrays[f"{number}.{name}"]
                    array[...] = fitting(name, found, array.shape, array.dtype)
        self.top.restore_waiting(arrays[f"{len(self.words)}.waiting"])
        if document["given"] is not None:
            self._restore_given(arrays, document["given"])
        return self

    def _restore_given(
        self, arrays: Mapping[str, NDArray[Any]], document: Mapping[str, Any]
    ) -> None:
        first, points = self.words[0], arrays["points"]
        index = {str(word): int(at) for word, at in document["index"].items()}
        if points.ndim != 2 or not all(0 <= at < len(points) for at in index.values()):
            raise ValueError("the vectors of its words do not fit")
        points = fitting("points", points, points.shape, np.float32)
        size = (first.size, points.shape[1])
        groups = fitting("groups", arrays["groups"], size, np.float32)
        self.take_vectors(index, points, learns_on=bool(document["learns_on"]), groups=groups)
        first.held[:] = fitting("held", arrays["held"], first.held.shape, np.bool_)


def _drawing_weights(random_state: int) -> np.random.Generator:
    """A generator for initial weights, separate from that of the network."""
    return np.random.default_rng([random_state, 4])


def check_sentence(sentence: Any) -> None:
    """Refuse anything but a sequence of words."""
    if isinstance(sentence, str):
        raise BadInputError(
            f"a sentence is the text {sentence[:40]!r}: give a list of words for each sentence"
        )
    try:
        kinds = set(map(type, sentence))
    except TypeError:
        raise BadInputError(
            f"a sentence is {reprlib.repr(sentence)}: give a list of words for each sentence"
        ) from None
    if not all(issubclass(kind, str) for kind in kinds):
        word = next(word for word in sentence if not isinstance(word, str))
        raise BadInputError(
            f"a word is {reprlib.repr(word)}, of type {type(word).__name__}: words are text (str)"
        )
