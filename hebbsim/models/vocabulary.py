"""Words as numbers: a vocabulary that grows with the stream, and the shape of a word."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network.network import check_sentence
from hebbsim.engine.network.shape import shape_features
from hebbsim.models.prototypes import unit_rows

__all__ = [
    "Encoded",
    "EndingCodes",
    "ShapeFeatures",
    "Vocabulary",
    "add_active",
    "shape_features",
]

UNKNOWN = -1


class Encoded:
    """Sentences as word ids.

    Attributes
    ----------
    ids : ndarray of int32, shape=(T,)
        -1 for a word that is not in the vocabulary.
    offsets : ndarray of int64, shape=(N + 1,)
        Sentence boundaries, without the empty sentences.
    unknown : list of str
        The unknown words, in the order of the -1s.
    """

    def __init__(
        self, ids: NDArray[np.int32], offsets: NDArray[np.int64], unknown: list[str]
    ) -> None:
        self.ids = ids
        self.offsets = offsets
        self.unknown = unknown

    def part(self, start: int, stop: int) -> Encoded:
        """Sentences `start` to `stop`."""
        first, last = self.offsets[start], self.offsets[stop]
        before = int((self.ids[:first] < 0).sum())
        ids = self.ids[first:last]
        unknown = self.unknown[before : before + int((ids < 0).sum())]
        return Encoded(ids, self.offsets[start : stop + 1] - first, unknown)


class Vocabulary:
    """Word types in order of arrival, with their counts, up to a fixed number.

    Parameters
    ----------
    max_types : int
        Words that come after so many types are full stay unknown: memory is bounded.
    """

    def __init__(self, max_types: int) -> None:
        self.max_types = int(max_types)
        self.index: dict[str, int] = {}
        self.counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.index)

    def admit(self, words: Iterable[str]) -> None:
        """Give new words a number, in the order given, while there is room."""
        for word in words:
            if len(self.index) >= self.max_types:
                break
            self.index.setdefault(word, len(self.index))
        grown = np.zeros(len(self.index), dtype=np.int64)
        grown[: len(self.counts)] = self.counts
        self.counts = grown

    def encode(self, sentences: Iterable[Sequence[str]]) -> Encoded:
        """Ids and offsets of sentences; nothing is learned."""
        ids: list[int] = []
        offsets = [0]
        unknown: list[str] = []
        get = self.index.get
        for sentence in sentences:
            check_sentence(sentence)
            for word in sentence:
                number = get(word, UNKNOWN)
                if number < 0:
                    unknown.append(word)
                ids.append(number)
            if len(sentence):
                offsets.append(len(ids))
        return Encoded(np.array(ids, dtype=np.int32), np.array(offsets, dtype=np.int64), unknown)

    def take_in(self, sentences: Iterable[Sequence[str]]) -> Encoded:
        """Admit every word while there is room, count it, and encode."""
        ids = array("i")
        offsets = array("q", [0])
        unknown: list[str] = []
        index, room = self.index, self.max_types
        for sentence in sentences:
            check_sentence(sentence)
            for word in sentence:
                number = index.get(word, UNKNOWN)
                if number < 0:
                    if len(index) < room:
                        number = index[word] = len(index)
                    else:
                        unknown.append(word)
                ids.append(number)
            if len(sentence):
                offsets.append(len(ids))
        encoded = Encoded(
            np.frombuffer(ids, dtype=np.int32).copy() if ids else np.zeros(0, dtype=np.int32),
            np.frombuffer(offsets, dtype=np.int64).copy(),
            unknown,
        )
        self.admit(())
        self.count(encoded)
        return encoded

    def sort(self, max_types: int) -> NDArray[np.int32]:
        """Renumber the commonest first and drop all but `max_types`.

        Returns
        -------
        ndarray of int32, shape=(V + 1,)
            New number of every old one, -1 for those dropped, and, last, for -1 itself.
        """
        order = np.argsort(-self.counts, kind="stable")[:max_types]
        words = list(self.index)
        renumbered = np.full(len(words) + 1, UNKNOWN, dtype=np.int32)
        renumbered[order] = np.arange(len(order), dtype=np.int32)
        self.index = {words[old]: new for new, old in enumerate(order.tolist())}
        self.counts = self.counts[order]
        self.max_types = int(max_types)
        return renumbered

    def count(self, encoded: Encoded) -> None:
        """Add the words of a stretch of text to the counts."""
        known = encoded.ids[encoded.ids >= 0]
        self.counts += np.bincount(known, minlength=len(self.index))


class ShapeFeatures:
    """Numbers of the shape features that at least `min_words` words of a list share."""

    def __init__(self, words: Iterable[str], min_words: int) -> None:
        counts: dict[str, int] = {}
        for word in words:
            for feature in shape_features(word):
                counts[feature] = counts.get(feature, 0) + 1
        kept = (feature for feature, n in counts.items() if n >= min_words)
        self.index = {feature: number for number, feature in enumerate(kept)}

    def __len__(self) -> int:
        return len(self.index)

    def active(self, words: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Active features of every word, shape=(n, A), and how many of them count, shape=(n,)."""
        rows = [[self.index[f] for f in shape_features(word) if f in self.index] for word in words]
        lengths = np.array([len(row) for row in rows], dtype=np.int32)
        active = np.zeros((len(rows), max([1, *lengths])), dtype=np.int32)
        for number, row in enumerate(rows):
            active[number, : len(row)] = row
        return active, lengths


def add_active(
    total: NDArray[np.float32],
    active: NDArray[np.int32],
    n_active: NDArray[np.int32],
    table: NDArray[np.float32],
) -> None:
    """Add to every row of `total` those rows of `table` whose features are active there.

    `active` and `n_active` are those of `ShapeFeatures.active`.
    """
    for column in range(active.shape[1]):
        has = np.flatnonzero(n_active > column)
        total[has] += table[active[has, column]]


class EndingCodes:
    """Codes that are alike for words that end alike: sums of random codes of what they share.

    Parameters
    ----------
    shapes : ShapeFeatures
        Of its features, endings of up to three letters, digits and marks have a code.
    width : int
        Of a code.
    rng : numpy.random.Generator
    """

    def __init__(self, shapes: ShapeFeatures, width: int, rng: np.random.Generator) -> None:
        self.shapes = shapes
        self.codes = rng.standard_normal((max(1, len(shapes)), width), dtype=np.float32)
        for feature, number in shapes.index.items():
            is_ending = feature[0] == "-" and len(feature) <= 4
            if not is_ending and feature not in ("digit", "mark"):
                self.codes[number] = 0

    def of(self, words: Sequence[str]) -> NDArray[np.float32]:
        """Codes of some words, shape=(n, width), at length one, or zero without any feature."""
        total = np.zeros((len(words), self.codes.shape[1]), dtype=np.float32)
        add_active(total, *self.shapes.active(words), self.codes)
        return unit_rows(total)
