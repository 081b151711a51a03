"""The common interface of rivals, their vocabulary, and k-means of words in context."""

import importlib.util
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.probes import Memberships, memberships

Sentences = Sequence[Sequence[str]]

#: Types of every vocabulary: the sentence boundary, and unknown words.
BOUNDARY, UNKNOWN = 0, 1
#: Number of tokens whose vectors are computed at a time, which bounds memory use.
_BLOCK = 16_384


@dataclass(eq=False)
class Rival:
    """A method that clusters tokens, given sentences of words only."""

    #: Parameters that `hebbsim tune --rival` searches, in the format of --range.
    RANGES: ClassVar[tuple[str, ...]] = ("rare=0:4", "ending=[0, 2, 3]")
    #: A required library outside the base installation, and the extra that installs it.
    LIBRARY: ClassVar[tuple[str, str] | None] = None

    #: Number of clusters K.
    n_clusters: int = 300
    random_state: int = 0
    #: Words with at most this number of occurrences share a type with unknown words.
    rare: int = 1
    #: Number of last letters that, with capitals and digits, distinguish types of such words.
    ending: int = 0

    #: Positions of the clusters after `fit`, shape=(K, D): near ones are similar.
    prototypes_: NDArray[np.float32] = field(init=False, repr=False)

    @classmethod
    def require_library(cls) -> None:
        """Raise LibraryMissingError if the required library is not installed; imports nothing."""
        if cls.LIBRARY is not None and importlib.util.find_spec(cls.LIBRARY[0]) is None:
            raise LibraryMissingError(*cls.LIBRARY)

    @classmethod
    def import_library(cls) -> None:
        """Import the required library; LibraryMissingError if it is not installed."""
        cls.require_library()
        if cls.LIBRARY is not None:
            importlib.import_module(cls.LIBRARY[0])

    def fit(self, sentences: Sentences) -> Any:
        """Learn from sentences, from scratch; returns the rival itself."""
        raise NotImplementedError

    def memberships(self, sentences: Sentences) -> Memberships:
        """The most likely clusters of every token with their shares, T rows."""
        raise NotImplementedError

    def predict(self, sentences: Sentences) -> NDArray[np.int32]:
        """Cluster of every token, shape=(T,)."""
        return self.memberships(sentences).clusters[:, 0]

    def _learn_prototypes(
        self, vectors: NDArray[np.float32], weights: NDArray[np.float64] | None = None
    ) -> None:
        """Learn the prototypes by k-means; BadInputError if there are more clusters than tokens."""
        from sklearn.cluster import MiniBatchKMeans

        if self.n_clusters > len(vectors):
            raise BadInputError(
                f"{self.n_clusters} clusters of {len(vectors)} tokens: give fewer clusters"
            )
        means = MiniBatchKMeans(
            self.n_clusters, batch_size=4096, n_init=1, random_state=self.random_state
        )
        means.fit(vectors, sample_weight=None if weights is None else weights / weights.mean())
        self.prototypes_ = means.cluster_centers_.astype(np.float32)

    def _nearest(
        self, vectors: Callable[[slice], NDArray[np.float32]], n_tokens: int
    ) -> Memberships:
        """Memberships of tokens by the prototypes, given a function from a slice to vectors."""
        starts = range(0, max(n_tokens, 1), _BLOCK)
        parts = [memberships(vectors(slice(a, a + _BLOCK)), self.prototypes_) for a in starts]
        return Memberships(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def unit_rows(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of a table at length one; zeros stay zeros."""
    return table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-9)


class Types:
    """Words of training sentences as types; rare ones by their shape, see `Rival`.

    `counts`, int64 of shape=(V,), holds the training tokens of each type; for `BOUNDARY`, the
    number of sentences.

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
        # A shape of a single word would be as rare as the word.
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
        """Type of each word."""
        return np.fromiter(map(self._number, words), dtype=np.int32, count=len(words))

    def windows(self, sentences: Sentences, size: int) -> NDArray[np.int32]:
        """Types of each token and its neighbours, shape=(T, 2 * size + 1).

        Positions outside the sentence hold `BOUNDARY`.

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
    """k-means of the vectors of each token's word and its neighbours.

    A subclass defines the vector of a type.
    """

    RANGES = (
        *Rival.RANGES,
        "near=0.2:2:log",
        "far=[0, 0.2, 0.4, 0.7, 1]",
        "flattening=[0, 0.25, 0.5]",
    )

    #: Weights of the vectors of the words at distance one and two; the word's own vector has 1.
    near: float = 0.7
    far: float = 0.4
    #: A token has the weight ``count ** -flattening`` in k-means, by the count of its word.
    flattening: float = 0.0

    def word_vectors(self, sentences: Sentences, types: Types) -> NDArray[np.float32]:
        """Learn a vector for each type, shape=(V, D)."""
        raise NotImplementedError

    def fit(self, sentences: Sentences) -> Any:
        self._types = Types(sentences, rare=self.rare, ending=self.ending)
        self._table = unit_rows(self.word_vectors(sentences, self._types).astype(np.float32))
        windows = self._types.windows(sentences, 2)
        weights = np.maximum(self._types.counts[windows[:, 2]], 1.0) ** -self.flattening
        self._learn_prototypes(self._in_context(windows), weights)
        return self

    def _in_context(self, windows: NDArray[np.int32]) -> NDArray[np.float32]:
        weights = (self.far, self.near, 1.0, self.near, self.far)
        used = [place for place, weight in enumerate(weights) if weight]
        scale = np.array([weights[place] for place in used], dtype=np.float32)
        vectors = self._table[windows[:, used]] * scale[:, None]
        return vectors.reshape(len(windows), len(used) * self._table.shape[1])

    def memberships(self, sentences: Sentences) -> Memberships:
        windows = self._types.windows(sentences, 2)
        return self._nearest(lambda part: self._in_context(windows[part]), len(windows))
