"""Summaries of text that merge: taken of parts, put together in any order, one result.

Sums are held in *fixed point*: 64-bit integers that count steps of 2**-26. Integers add
without rounding, so that merging is associative and commutative to the last bit, and a sum
does not tell how its parts were shared out. The price is one rounding of each part's float32
sum to the grid, at most 2**-27 (7.5e-9), which is less than what a float32 sum of values near
one has lost already; the range is 2**36 (6.9e10), and a sum that leaves it is refused.

What merges this way, and is the same as in one pass but for rounding:

- `WordCounts`: how often words occur, and which came first. No rounding at all.
- `RowSums`: signatures and mean contexts of word types, sums of traces by type.
- `Moments`: of inputs and targets. They determine where the delta rule (a least-squares
  predictor) and Sanger's rule (principal components) come to rest, in place of the path there.
- `Wins`: what prototypes won in one round of competition, while none of them moved.

What does not merge: the path of a rule that changes its weights after every token. Two halves
of a text that each learned so cannot be put together to what the whole would have learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.errors import HebbsimError
from hebbsim.models.vocabulary import UNKNOWN, Vocabulary

__all__ = [
    "Moments",
    "RowSums",
    "Summary",
    "Wins",
    "WordCounts",
    "from_fixed",
    "merge_all",
    "principal_directions",
    "to_fixed",
]

#: Steps of the grid in one.
STEPS = 2.0**26
#: Sums stay below this many steps, so that two of them can be added.
LARGEST = 2**62
#: Rows that are added at a time.
_ROWS = 512

_Summary = TypeVar("_Summary", bound="Summary")


class Summary(Protocol):
    """What can be merged with another of its kind; neither changes."""

    def merge(self: Any, other: Any) -> Any:
        """Both together."""


def merge_all(parts: Sequence[_Summary]) -> _Summary:
    """All summaries in one.

    Examples
    --------
    >>> parts = [WordCounts.of([["a", "b"]], part=0), WordCounts.of([["b"]], part=1)]
    >>> merge_all(parts).counts
    {'a': 1, 'b': 2}
    """
    return reduce(lambda one, other: one.merge(other), parts)


def to_fixed(values: ArrayLike) -> NDArray[np.int64]:
    """Values on the grid, in steps of 2**-26.

    Raises
    ------
    HebbsimError
        A value is not finite, or 2**36 or more.
    """
    steps = np.multiply(values, STEPS, dtype=np.float64)
    if steps.size and not np.abs(steps).max() < LARGEST:
        raise HebbsimError("a sum over text is not finite, or too large for its grid (2**36)")
    np.rint(steps, out=steps)
    return steps.astype(np.int64)


def from_fixed(steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values again."""
    return steps / STEPS


def _add(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    total = one + other
    # Both are below 2**62, so that their sum has not gone round.
    if total.size and (total.max() >= LARGEST or total.min() <= -LARGEST):
        raise HebbsimError("a sum over text is too large for its grid (2**36); see summaries.py")
    return total


@dataclass
class WordCounts:
    """Words with their counts and their places in the order of arrival.

    Attributes
    ----------
    counts : dict of str to int
    first : dict of str to (int, int)
        Part of the text in which the word first came, and its number among the new words of
        that part: what decides between words that are equally common.
    longest : int
        Tokens of the longest sentence.
    """

    counts: dict[str, int]
    first: dict[str, tuple[int, int]]
    longest: int = 1

    @classmethod
    def of(cls, sentences: Sequence[Sequence[str]], part: int) -> WordCounts:
        """Of the sentences of one part of a text; parts are numbered in their order."""
        vocabulary = Vocabulary(max_types=2**31 - 1)
        encoded = vocabulary.take_in(sentences)
        longest = int(np.diff(encoded.offsets).max(initial=1))
        return cls.from_vocabulary(vocabulary, part, longest)

    @classmethod
    def from_vocabulary(cls, vocabulary: Vocabulary, part: int, longest: int) -> WordCounts:
        """Of a vocabulary that took in one part."""
        words = list(vocabulary.index)
        return cls(
            counts=dict(zip(words, vocabulary.counts.tolist(), strict=True)),
            first={word: (part, number) for number, word in enumerate(words)},
            longest=longest,
        )

    @property
    def n_tokens(self) -> int:
        return sum(self.counts.values())

    def merge(self, other: WordCounts) -> WordCounts:
        counts, first = dict(self.counts), dict(self.first)
        for word, count in other.counts.items():
            counts[word] = counts.get(word, 0) + count
        for word, place in other.first.items():
            first[word] = min(first.get(word, place), place)
        return WordCounts(counts, first, max(self.longest, other.longest))

    def vocabulary(self, max_types: int) -> Vocabulary:
        """The commonest words, as one pass over all parts in their order would number them."""
        order = sorted(self.counts, key=lambda word: (-self.counts[word], self.first[word]))
        found = Vocabulary(max_types)
        found.admit(order)
        found.counts = np.array([self.counts[word] for word in found.index], dtype=np.int64)
        return found


def renumber(local: Vocabulary, vocabulary: Vocabulary) -> NDArray[np.int32]:
    """Number in `vocabulary` of every word of a part's own, and, last, of none: -1."""
    get = vocabulary.index.get
    return np.array([*(get(word, UNKNOWN) for word in local.index), UNKNOWN], dtype=np.int32)


@dataclass
class RowSums:
    """Sums by word type, of the types that a part holds.

    Attributes
    ----------
    rows : ndarray of int64, shape=(n,)
        Types, in increasing order.
    sums : ndarray of int64, shape=(n, width)
        In fixed point.
    """

    rows: NDArray[np.int64]
    sums: NDArray[np.int64]

    @classmethod
    def of(cls, values: NDArray[Any]) -> RowSums:
        """Of a table with a row for each of V types."""
        flat = to_fixed(values).reshape(len(values), -1)
        return cls(np.arange(len(values), dtype=np.int64), flat)

    def merge(self, other: RowSums) -> RowSums:
        if np.array_equal(self.rows, other.rows):
            return RowSums(self.rows, _add(self.sums, other.sums))
        rows = np.union1d(self.rows, other.rows)
        sums = np.zeros((len(rows), self.sums.shape[1]), dtype=np.int64)
        sums[np.searchsorted(rows, self.rows)] = self.sums
        at = np.searchsorted(rows, other.rows)
        for first in range(0, len(at), _ROWS):  # copies of some rows, not of all
            here = at[first : first + _ROWS]
            sums[here] = _add(sums[here], other.sums[first : first + _ROWS])
        return RowSums(rows, sums)

    def table(self, n_types: int) -> NDArray[np.float32]:
        """Values by type, zero for types that no part holds, shape=(V, width)."""
        found = np.zeros((n_types, self.sums.shape[1]), dtype=np.float32)
        found[self.rows] = from_fixed(self.sums)
        return found


@dataclass
class Moments:
    """Sums of inputs, targets and their products, in fixed point, for B problems side by side.

    Attributes
    ----------
    n : int
        Inputs.
    x : ndarray of int64, shape=(B, D)
    y : ndarray of int64, shape=(B, P)
    xx : ndarray of int64, shape=(B, D, D)
    xy : ndarray of int64, shape=(B, D, P)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.random((1, 100, 2), dtype=np.float32)
    >>> y = x @ np.float32([[[1], [2]]]) + 3
    >>> half = [Moments.of(x[:, part], y[:, part]) for part in (slice(0, 50), slice(50, 100))]
    >>> weights, bias = half[0].merge(half[1]).predictor(ridge=0)
    >>> weights[0, :, 0].round(3).tolist(), float(bias[0, 0].round(3))
    ([1.0, 2.0], 3.0)
    """

    n: int
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    xx: NDArray[np.int64]
    xy: NDArray[np.int64]

    @classmethod
    def of(cls, x: NDArray[np.float32], y: NDArray[np.float32]) -> Moments:
        """Of N inputs, shape=(B, N, D), and their targets, shape=(B, N, P)."""
        across = x.transpose(0, 2, 1)
        return cls(
            n=x.shape[1],
            x=to_fixed(x.sum(axis=1, dtype=np.float64)),
            y=to_fixed(y.sum(axis=1, dtype=np.float64)),
            xx=to_fixed(across @ x),
            xy=to_fixed(across @ y),
        )

    def merge(self, other: Moments) -> Moments:
        return Moments(
            self.n + other.n,
            _add(self.x, other.x),
            _add(self.y, other.y),
            _add(self.xx, other.xx),
            _add(self.xy, other.xy),
        )

    def power(self) -> NDArray[np.float64]:
        """Mean square of every input, shape=(B, D)."""
        return np.einsum("bdd->bd", from_fixed(self.xx)) / self.n

    def mean(self) -> NDArray[np.float64]:
        """Of the inputs, shape=(B, D)."""
        return from_fixed(self.x) / self.n

    def covariance(self) -> NDArray[np.float64]:
        """Of the inputs, shape=(B, D, D)."""
        mean = self.mean()
        return from_fixed(self.xx) / self.n - mean[:, :, None] * mean[:, None, :]

    def predictor(self, ridge: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weights, shape=(B, D, P), and bias, shape=(B, P), where the delta rule comes to rest.

        The rule moves weights by the mean of error times input, which is nought where
        ``W = C_xx^-1 C_xy`` (Widrow & Hoff 1960). A rule that has seen few inputs has not
        gone all the way along directions of little power; `ridge`, in units of each input's
        mean square, stands for that.
        """
        mean, target = self.mean(), from_fixed(self.y) / self.n
        cross = from_fixed(self.xy) / self.n - mean[:, :, None] * target[:, None, :]
        held = np.maximum(self.power(), 1e-4) * ridge
        matrix = self.covariance() + held[:, :, None] * np.eye(mean.shape[1])
        weights = np.linalg.solve(matrix, cross).astype(np.float64, copy=False)
        return weights, target - np.einsum("bd,bdp->bp", mean, weights)


def principal_directions(
    covariance: NDArray[np.float64], n: int, rng: np.random.Generator, rounds: int = 100
) -> NDArray[np.float64]:
    """Where Sanger's rule comes to rest: directions, as long as their variance, shape=(n, D).

    The rule averaged over all inputs, ``V <- V C`` less what lies along the directions before
    each, repeated (orthogonal iteration).

    Examples
    --------
    >>> principal_directions(np.diag([1.0, 4.0]), 1, np.random.default_rng(0)).round(3) + 0.0
    array([[0., 4.]])
    """
    n = min(n, len(covariance))
    directions = rng.standard_normal((len(covariance), n))
    for _ in range(rounds):
        directions, _ = np.linalg.qr(covariance @ directions)
    variance = np.einsum("dp,de,ep->p", directions, covariance, directions)
    sign = np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(n)])
    found: NDArray[np.float64] = (directions * sign * variance).T
    return found


@dataclass
class Wins:
    """What K prototypes won in a round in which none of them moved.

    Attributes
    ----------
    counts : ndarray of int64, shape=(K,)
    sums : ndarray of int64, shape=(K, D)
        Of the inputs won, in fixed point.
    distance : ndarray of int64, shape=(1,)
        Squared distances of inputs to their winners, summed, in fixed point.
    """

    counts: NDArray[np.int64]
    sums: NDArray[np.int64]
    distance: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    @classmethod
    def of(
        cls, x: NDArray[np.float32], winners: NDArray[np.int32], centres: NDArray[np.float32]
    ) -> Wins:
        """Of inputs, shape=(N, D), and the prototypes that they fell to."""
        sums = np.zeros(centres.shape, dtype=np.int64)
        order = np.argsort(winners, kind="stable")
        won, start = np.unique(winners[order], return_index=True)
        if len(won):
            sums[won] = np.add.reduceat(to_fixed(x[order]), start, axis=0)
        away = x - centres[winners]
        far = to_fixed(np.einsum("nd,nd->n", away, away, dtype=np.float64))
        return cls(
            counts=np.bincount(winners, minlength=len(centres)).astype(np.int64),
            sums=sums,
            distance=far.sum(keepdims=True),
        )

    def merge(self, other: Wins) -> Wins:
        return Wins(
            self.counts + other.counts,
            _add(self.sums, other.sums),
            _add(self.distance, other.distance),
        )
