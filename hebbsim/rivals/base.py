"""What every rival has in common: its interface, its words, and clusters of words in context."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.probes import Memberships, memberships

__all__ = ["BOUNDARY", "ContextClusters", "Rival", "Sentences", "Types"]

Sentences = Sequence[Sequence[str]]

#: The types that every vocabulary has: the end of a sentence on either side, and the word that
#: is like no word of the training sentences.
BOUNDARY, UNKNOWN = 0, 1
#: Tokens of which vectors are made at a time, which bounds the memory of a prediction.
_BLOCK = 16_384


@dataclass(eq=False)
class Rival:
    """Clusters the tokens of sentences; it is given words and sentence ends alone.

    Parameters
    ----------
    n_clusters : int
        K.
    random_state : int
        The same sentences and the same number give the same clusters.
    rare : int
        Words seen so often, or less, share a type with words that were never seen.
    ending : int
        Such words are told apart by a capital, a digit and as many last letters.

    Attributes
    ----------
    prototypes_ : ndarray of float32, shape=(K, D)
        Where the clusters lie, after `fit`: close ones are alike.
    """

    #: What `hebbsim tune --rival` searches, in the words of its --range.
    RANGES: ClassVar[tuple[str, ...]] = ("rare=0:4", "ending=[0, 2, 3]")
    #: Library and the extra that installs it, where the base installation lacks it.
    LIBRARY: ClassVar[tuple[str, str] | None] = None

    n_clusters: int = 300
    random_state: int = 0
    rare: int = 1
    ending: int = 0

    prototypes_: NDArray[np.float32] = field(init=False, repr=False)

    @classmethod
    def require_library(cls) -> None:
        """Look for the library of this rival, without importing it.

        Raises
        ------
        LibraryMissingError
            It is not installed.
        """
        if cls.LIBRARY is not None and importlib.util.find_spec(cls.LIBRARY[0]) is None:
            raise LibraryMissingError(*cls.LIBRARY)

    @classmethod
    def import_library(cls) -> None:
        """Import the library of this rival.

        Raises
        ------
        LibraryMissingError
            It is not installed.
        """
        cls.require_library()
        if cls.LIBRARY is not None:
            importlib.import_module(cls.LIBRARY[0])

    def fit(self, sentences: Sentences) -> Any:
        """Learn from sentences, as if for the first time; returns the rival itself."""
        raise NotImplementedError

    def memberships(self, sentences: Sentences) -> Memberships:
        """The clusters that share each token, the first one its own, T rows."""
        raise NotImplementedError

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """The cluster of every token, shape=(T,)."""
        return self.memberships(sentences).clusters[:, 0]


class Types:
    """Words as numbers; rare ones by what they look like.

    Parameters
    ----------
    sentences : sequence of sequence of str
        Of the training split.
    rare, ending : int
        As of `Rival`.

    Attributes
    ----------
    counts : ndarray of int64, shape=(V,)
        Training tokens of each type; of `BOUNDARY`, the number of sentences.

    Examples
    --------
    >>> types = Types([["dogs", "bark"], ["dogs", "run"]], rare=0)
    >>> types.numbers(["cats", "dogs"]).tolist(), types.counts.tolist()
    ([1, 2], [2, 0, 2, 1, 1])
    """

    def __init__(self, sentences: Sentences, *, rare: int = 1, ending: int = 0) -> None:
        self._ending = ending
        seen = Counter(word for sentence in sentences for word in sentence)
        shapes: Counter[str] = Counter()
        for word, n in seen.items():
            if n <= rare:
                shapes[self._shape(word)] += 1
        # A shape of one word alone says no more than the word, of which too little is known.
        common = sorted(shape for shape, n in shapes.items() if n > 1)
        words = sorted((w for w, n in seen.items() if n > rare), key=lambda w: (-seen[w], w))
        self._shapes = {shape: UNKNOWN + 1 + i for i, shape in enumerate(common)}
        self._words = {word: UNKNOWN + 1 + len(common) + i for i, word in enumerate(words)}
        self.counts = np.zeros(UNKNOWN + 1 + len(common) + len(words), dtype=np.int64)
        self.counts[BOUNDARY] = len(sentences)
        for word, n in seen.items():
            self.counts[self._number(word)] += n

    def __len__(self) -> int:
        return len(self.counts)

    def _shape(self, word: str) -> str:
        if not self._ending:
            return ""
        marks = "A" * word[:1].isupper() + "0" * any(map(str.isdigit, word))
        return f"{marks}-{word[-self._ending :].lower()}"

    def _number(self, word: str) -> int:
        number = self._words.get(word)
        return self._shapes.get(self._shape(word), UNKNOWN) if number is None else number

    def numbers(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The type of each word."""
        return np.fromiter(map(self._number, words), dtype=np.int32, count=len(words))

    def windows(self, sentences: Sentences, size: int) -> NDArray[np.int32]:
        """The types of each token and its neighbours, shape=(T, 2 * size + 1).

        Outside the sentence stands `BOUNDARY`.

        Examples
        --------
        >>> types = Types([["dogs", "bark"], ["dogs", "run"]], rare=0)
        >>> types.windows([["dogs", "run"]], 1).tolist()
        [[0, 2, 4], [2, 4, 0]]
        """
        gap = [BOUNDARY] * size
        flat = list(gap)
        places: list[int] = []
        for sentence in sentences:
            places += range(len(flat), len(flat) + len(sentence))
            flat += [*map(self._number, sentence), *gap]
        around = np.array(places, dtype=np.int64)[:, None] + np.arange(-size, size + 1)
        return np.array(flat, dtype=np.int32)[around]


@dataclass(eq=False)
class ContextClusters(Rival):
    """Clusters tokens by the vectors of the word and of its neighbours, by k-means.

    A subclass says what the vector of a type is.

    Parameters
    ----------
    near, far : float
        Weight of the vectors of the two adjacent words, and of the two next to these; the
        word's own vector has 1.
    flattening : float
        In k-means a token weighs the inverse of its word's count to this power: with 0 all
        weigh alike.
    """

    RANGES = (
        *Rival.RANGES,
        "near=0.2:2:log",
        "far=[0, 0.2, 0.4, 0.7, 1]",
        "flattening=[0, 0.25, 0.5]",
    )

    near: float = 0.7
    far: float = 0.4
    flattening: float = 0.0

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        """Learn the vector of each type, shape=(V, D)."""
        raise NotImplementedError

    def fit(self, sentences: Sentences) -> Any:
        from sklearn.cluster import MiniBatchKMeans

        self._types = Types(sentences, rare=self.rare, ending=self.ending)
        table = self.word_vectors(sentences, self._types).astype(np.float32)
        lengths = np.linalg.norm(table, axis=1, keepdims=True)
        self._table = table / np.maximum(lengths, 1e-9)
        windows = self._types.windows(sentences, 2)
        check_size(self.n_clusters, len(windows))
        means = MiniBatchKMeans(
            self.n_clusters, batch_size=4096, n_init=1, random_state=self.random_state
        )
        weights = np.maximum(self._types.counts[windows[:, 2]], 1.0) ** -self.flattening
        means.fit(self._in_context(windows), sample_weight=weights / weights.mean())
        self.prototypes_ = means.cluster_centers_.astype(np.float32)
        return self

    def _in_context(self, windows: NDArray[np.int32]) -> NDArray[np.float32]:
        weights = (self.far, self.near, 1.0, self.near, self.far)
        used = [place for place, weight in enumerate(weights) if weight]
        scale = np.array([weights[place] for place in used], dtype=np.float32)
        vectors = self._table[windows[:, used]] * scale[:, None]
        return vectors.reshape(len(windows), len(used) * self._table.shape[1])

    def memberships(self, sentences: Sentences) -> Memberships:
        windows = self._types.windows(sentences, 2)
        return in_blocks(
            lambda part: memberships(self._in_context(windows[part]), self.prototypes_),
            len(windows),
        )


def in_blocks(of: Any, n_tokens: int) -> Memberships:
    """The memberships of tokens, found for some at a time.

    Parameters
    ----------
    of : callable
        Given a slice of tokens, it gives their memberships.
    n_tokens : int
        T.
    """
    parts = [of(slice(a, a + _BLOCK)) for a in range(0, max(n_tokens, 1), _BLOCK)]
    return Memberships(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def check_size(n_clusters: int, n_tokens: int) -> None:
    """Refuse more clusters than tokens.

    Raises
    ------
    BadInputError
    """
    if n_clusters > n_tokens:
        raise BadInputError(f"{n_clusters} clusters of {n_tokens} tokens: give fewer clusters")
