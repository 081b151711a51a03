"""A network of trace layers that learns a stream of sentences, token by token."""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import fitting
from hebbsim.engine.network.shape import (
    ENDING_SIZE,
    Spelling,
    ending_code,
    piece_rows,
    shape_code,
)
from hebbsim.engine.network.token_layer import TokenLayer
from hebbsim.engine.network.values import whole_number
from hebbsim.engine.network.word_layer import WordLayer, grown
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.traces import decays
from hebbsim.errors import BadInputError

__all__ = ["Network"]

#: The row of all words that the network does not know.
UNKNOWN = 0
#: Most context words: every word has a weight for each of them, at each timescale and side.
LARGEST_CONTEXT = 100_000
#: Share of the words that are given up when there is no more room.
GIVEN_UP = 0.1
#: Sentences are read together until there are so many tokens: a call takes long beside one.
READ_AT_A_TIME = 128
#: A word is told apart from this occurrence on, while there are columns.
TOLD_APART_FROM = 3


class Network:
    """Word layers, each over the codes of another, and a token layer on top.

    A sentence is learned when it has been read to its end, as right traces begin there: first
    layer first, and within a layer token by token. Layers begin one after another, at the
    tokens that they name, and from then on all learn at every sentence. How a stream is cut
    into calls does not matter, to the last bit.

    Words are admitted as they come. Once there are `max_words`, the tenth of them that
    occurred least (of equals, those that came last) is given up, with all that is known of it.

    A layer over ``"text"`` sees words themselves, one-hot: each of the first `context_words`
    that occur three times has a column of its own, and all others share one. The column of a
    word that is given up goes to the next.

    Parameters
    ----------
    layers : sequence of WordLayer, and last a TokenLayer
    timescales : iterable of float, or str
        Of the traces, in tokens. The token layer has all of them. A word layer, whose weights
        grow by the number of words, has the shortest: more of them gain nothing there. A layer
        that names its own has those.
    max_words : int
        Bounds the memory.
    context_words : int
        Words told apart around a word by a layer over the text.
    random_state : int

    Attributes
    ----------
    index : dict of str to int
        Row of every known word, from 1 on; row 0 stands for all others.
    counts : ndarray of int64
        Occurrences by row.
    spelling : Spelling
        How words are written, by row.
    tokens : int
        Tokens learned.

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
        self.index: dict[str, int] = {}
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
        self.counts = np.zeros(0, dtype=np.int64)
        self._columns = np.zeros(0, dtype=np.int32)  # 0 is that of all others
        self._free_columns = list(range(self.context_words, 0, -1))
        self._shapes = np.zeros((0, top.shape_size), dtype=np.int8)
        self._ending_size = ENDING_SIZE if any(x.ending_weight for x in self.words) else 0
        self._n_pieces = max(layer.pieces for layer in self.words)
        self._endings, self._pieces = self._spelled([])
        self._free: list[int] = []
        self._n_counted = 0
        self._by_count: NDArray[np.int64] | None = None
        self._given: Mapping[str, int] = {}
        self.frozen = False
        self._grow(1024)

    def _connect(
        self, layer: WordLayer | TokenLayer, below_size: int, rng: np.random.Generator
    ) -> None:
        tau = layer.timescales
        if tau is None:
            shortest = (min(self.timescales),)
            tau = self.timescales if isinstance(layer, TokenLayer) else shortest
        layer.connect(below_size, *decays(check_timescales(tau)), rng)

    @property
    def layers(self) -> list[WordLayer | TokenLayer]:
        """All layers, from the first on."""
        return [*self.words, self.top]

    @property
    def words_below(self) -> WordLayer:
        """The word layer beneath the tokens."""
        return self._below[self.top.below]

    # Words --------------------------------------------------------------------------------

    def _grow(self, n_rows: int) -> None:
        before = max(len(self.counts), 1)
        self.counts = grown(self.counts, n_rows, 0)
        self._columns = grown(self._columns, n_rows, 0)
        self._shapes = grown(self._shapes, n_rows, 0)
        self._endings = grown(self._endings, n_rows, 0)
        self._pieces = grown(self._pieces, n_rows, -1)
        for layer in self.words:
            layer.grow(n_rows)
        self._free.extend(range(n_rows - 1, before - 1, -1))

    def _admit(self, word: str) -> int:
        if len(self.index) >= self.max_words:
            self._give_up()
        if not self._free:
            self._grow(min(2 * len(self.counts), self.max_words + 1))
        row = self.index[word] = self._free.pop()
        self._spell(row, word)
        if (at := self._given.get(word)) is not None:
            self.words[0].hold(row, at)
        return row

    def _spell(self, row: int, word: str) -> None:
        self._shapes[row] = shape_code(word, self.top.shape_size)
        endings, pieces = self._spelled([word])
        self._endings[row], self._pieces[row] = endings[0], pieces[0]

    def _spelled(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Codes of endings, and rows of pieces, of some words; of no columns if unheeded."""
        endings = np.zeros((len(words), self._ending_size), dtype=np.float32)
        if self._ending_size:
            endings[:] = [ending_code(word) for word in words] or endings
        if not self._n_pieces:
            return endings, np.full((len(words), 0), -1, dtype=np.int32)
        return endings, piece_rows(words, self._n_pieces)

    @property
    def spelling(self) -> Spelling:
        """How words are written, and how often they are, by row."""
        return Spelling(self._endings, self._pieces, self.counts)

    def _give_up(self) -> None:
        """Forget the words that occurred least, and what every layer knows of them."""
        rows = np.fromiter(self.index.values(), dtype=np.int64)
        last_come = np.arange(len(rows), 0, -1)
        order = np.lexsort((last_come, self.counts[rows]))
        n = max(1, int(GIVEN_UP * len(rows)))
        leaving = rows[order[:n]]
        gone = set(leaving.tolist())
        self.index = {word: row for word, row in self.index.items() if row not in gone}
        self._n_counted -= int(self.counts[leaving].sum())
        self.counts[leaving] = 0
        told_apart = self._columns[leaving]
        self._free_columns.extend(told_apart[told_apart > 0][::-1].tolist())
        self._columns[leaving] = 0
        for layer in self.words:
            layer.forget(leaving)
        self._free.extend(leaving[::-1].tolist())

    def take_vectors(
        self,
        index: Mapping[str, int],
        points: NDArray[np.float32],
        rng: np.random.Generator | None = None,
        **options: Any,
    ) -> None:
        """Let words that come from now on have codes of their vectors in the first word layer.

        Parameters
        ----------
        index : mapping of str to int
            Row of each word among `points`.
        points, rng, **options
            As of `WordLayer.take_vectors`.
        """
        self.words[0].take_vectors(points, rng, **options)
        self._given = index

    def know(self, counts: Mapping[str, int]) -> None:
        """Admit words that were counted elsewhere, at most `max_words`, in their order."""
        for word, count in counts.items():
            row = self._admit(word)
            self.counts[row] = count
            if count >= TOLD_APART_FROM:
                self._tell_apart(row)
        self._n_counted += sum(counts.values())

    def words_by_row(self) -> tuple[NDArray[np.int64], NDArray[np.int8], NDArray[np.float32]]:
        """What the token layer goes by: counts, shapes and codes of all words."""
        return self.counts, self._shapes, self.codes(self.top.below)

    def only_tokens(
        self,
        counts: NDArray[np.int64],
        shapes: NDArray[np.int8],
        codes: NDArray[np.float32],
    ) -> Network:
        """Take `words_by_row` from another network: the token layer alone learns from here on."""
        self.counts, self._shapes = counts, shapes
        self._below[self.top.below].codes = codes
        self._n_counted = int(counts.sum())
        self.frozen = True
        return self

    def codes(self, below: str) -> NDArray[np.float32]:
        """Codes of all words in a word layer, or one-hot in the text, shape=(rows, C)."""
        return self._codes(below, np.arange(len(self.counts), dtype=np.int32))

    # Learning -----------------------------------------------------------------------------

    def learn(
        self, sentences: Iterable[Sequence[str]], *, again: bool = False, words_only: bool = False
    ) -> Network:
        """Learn sentences in their order.

        Parameters
        ----------
        sentences : iterable of sequences of str
        again : bool
            They were learned before: a repetition is no new evidence of a word, whose count
            stays.
        words_only : bool
            The token layer learns nothing from them.
        """
        for sentence in sentences:
            check_sentence(sentence)
            if len(sentence):
                self._learn_sentence(sentence, again, words_only)
        return self

    def _learn_sentence(self, sentence: Sequence[str], again: bool, words_only: bool) -> None:
        if self.frozen:
            self.learn_tokens(self._ids(sentence), self.rng.random((len(sentence), 2)))
            return
        index = self.index
        for word in sentence:
            row = index.get(word)
            if row is None:
                row = self._admit(word)
                index = self.index
            if not again:
                self._count(row)
        # A word may have been given up for a later one of its own sentence.
        ids = self._ids(sentence)
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

    def _count(self, row: int) -> None:
        n = self.counts[row] = self.counts[row] + 1
        self._n_counted += 1
        if n == TOLD_APART_FROM:
            self._tell_apart(row)

    def _tell_apart(self, row: int) -> None:
        if self._free_columns:
            self._columns[row] = self._free_columns.pop()

    def learn_tokens(self, ids: NDArray[np.int32], draws: NDArray[np.float64]) -> None:
        """Let the token layer alone learn one sentence, given by the rows of its words.

        `draws` is as of `TokenLayer.learn`.
        """
        counts = self.counts[ids]
        codes = self._codes(self.top.below, ids)
        self.top.learn(
            codes,
            self._around(codes, self.rng),
            counts,
            self._shapes[ids].astype(np.float32),
            counts / self._n_counted,
            draws,
            self.rng,
        )

    def _ids(self, sentence: Sequence[str]) -> NDArray[np.int32]:
        return np.array([self.index.get(word, UNKNOWN) for word in sentence], dtype=np.int32)

    def _around(self, codes: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Codes that traces are taken of: those of the sentence, or of tokens at random."""
        if not self.top.shuffled:
            return codes
        if self._by_count is None or not self.frozen:  # counts go on
            self._by_count = np.cumsum(self.counts)
        drawn = rng.integers(self._by_count[-1], size=len(codes))
        ids = np.searchsorted(self._by_count, drawn, side="right").astype(np.int32)
        return self._codes(self.top.below, ids)

    def over(self, top: TokenLayer, *, random_state: int = 0) -> Network:
        """Another token layer over these word layers, which it shares and which learn no more.

        Its schedule begins with the next sentence.
        """
        other = copy.copy(self)
        other.top = top
        other.frozen = True
        other.rng = np.random.default_rng([random_state, 1])
        self._connect(top, self._below[top.below].size, _drawing_weights(random_state))
        return other

    def _codes(self, below: str, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        if below == "text":
            rows = np.zeros((len(ids), self.context_words + 1), dtype=np.float32)
            rows[np.arange(len(ids)), self._columns[ids]] = 1
            return rows
        return self._below[below].codes[ids]

    def finish(self) -> None:
        """Let layers begin that have not yet, with what they have seen: no more is to come."""
        for layer in self.words:
            if not layer.settled:
                layer.begin(self.rng, self.spelling)
            elif layer.pieces:  # which went on learning after rare words were met
                layer.encode(np.flatnonzero(layer.counts), self.spelling)
        if not self.top.settled:
            self.top.begin(self.rng)

    # Reading ------------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether tokens can be sorted yet."""
        return self.top.settled

    def vectors(self, sentences: Iterable[Sequence[str]]) -> NDArray[np.float32]:
        """Vectors of all tokens in the token layer, shape=(T, D); nothing is learned."""
        found = [np.zeros((0, self.top.n_inputs), dtype=np.float32)]
        rng = np.random.default_rng(0)  # of shuffled traces: the same at every call
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
        """Vectors of sentences that follow each other in `words` and end at `ends`."""
        ids = self._ids(words)
        shapes = self._shapes[ids].astype(np.float32)
        for i in np.flatnonzero(ids == UNKNOWN).tolist():
            shapes[i] = shape_code(words[i], self.top.shape_size)
        codes = self.word_codes(words)
        around = self._around(codes, rng)
        bounds = np.array(ends, dtype=np.int64)
        return self.top.vectors(codes, around, self.counts[ids], shapes, bounds)

    def word_codes(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of words in the layer beneath the tokens, shape=(n, C)."""
        ids = self._ids(words)
        codes = self._codes(self.top.below, ids)
        unknown = np.flatnonzero(ids == UNKNOWN)
        if self._n_pieces and len(unknown):
            spelled = self._spelled([words[i] for i in unknown.tolist()])
            layer = self.words_below
            codes[unknown] = layer.codes_of_unknown(Spelling(*spelled, np.zeros_like(unknown)))
        return codes

    # Files --------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
        """Everything that the network has learned: arrays by name, and what JSON holds."""
        arrays = {
            f"{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.arrays().items()
        }
        arrays |= {
            "counts": self.counts,
            "columns": self._columns,
            "free columns": np.array(self._free_columns, dtype=np.int32),
            "free": np.array(self._free, dtype=np.int32),
            "rows": np.fromiter(self.index.values(), dtype=np.int32),
        }
        first, given = self.words[0], None
        if first.points is not None:
            arrays |= {"points": first.points, "groups": first.groups, "held": first.held}
            given = {"index": dict(self._given), "learns_on": bool(first.learns_on)}
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
        """Put in what `state` gave of a network of the same description.

        Raises
        ------
        BadInputError, ValueError, KeyError, TypeError, IndexError
            It does not fit.
        """
        rows, words = arrays["rows"], [str(word) for word in document["words"]]
        n_rows = len(arrays["counts"])
        used = np.concatenate([rows, arrays["free"]])
        if used.dtype != np.int32:
            raise ValueError("its rows are no whole numbers")
        if len(rows) != len(words) or not np.array_equal(np.sort(used), np.arange(1, n_rows)):
            raise ValueError("its words and their rows do not fit")
        self._grow(n_rows)
        self.index = dict(zip(words, rows.tolist(), strict=True))
        if len(self.index) != len(words):
            raise ValueError("a word stands twice")
        self._free = arrays["free"].tolist()
        self.counts[:] = fitting("counts", arrays["counts"], self.counts.shape, np.int64)
        self._n_counted = int(self.counts.sum())
        self._restore_columns(arrays["columns"], arrays["free columns"])
        for word, row in self.index.items():
            self._spell(row, word)
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

    def _restore_columns(self, columns: NDArray[Any], free: NDArray[Any]) -> None:
        self._columns[:] = fitting("columns", columns, self._columns.shape, np.int32)
        used = np.concatenate([columns[columns > 0], free])
        if not np.array_equal(np.sort(used), np.arange(1, self.context_words + 1)):
            raise ValueError("the columns of its words do not fit")
        self._free_columns = free.tolist()


def _drawing_weights(random_state: int) -> np.random.Generator:
    """What draws the first weights: a generator of its own, so that the network's is as it was."""
    return np.random.default_rng([random_state, 4])


def check_sentence(sentence: Any) -> None:
    """Refuse what is no sequence of words."""
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
