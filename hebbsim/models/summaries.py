"""Summaries of text that merge: taken of parts, put together in any order, one result.

Sums are held in *fixed point*: 64-bit integers that count steps of 2**-26. Integers add
without rounding, so that merging is associative and commutative to the last bit, and a sum
does not tell how its parts were shared out. The price is one rounding of each part's sum to
the grid, at most 2**-27 (7.5e-9); the range is 2**36 (6.9e10), and a sum that leaves it is
refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.errors import HebbsimError

__all__ = ["RowSums", "Summary", "WordCounts", "from_fixed", "merge_all", "to_fixed"]

#: Steps of the grid in one.
STEPS = 2.0**26
#: Sums stay below this many steps, so that two of them can be added.
LARGEST = 2**62
#: Rows that are converted at a time.
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
    >>> merge_all([WordCounts({"a": 1, "b": 1}), WordCounts({"b": 1})]).counts
    Counter({'b': 2, 'a': 1})
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


def _add(total: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    found = total + steps
    # Both are below 2**62, so that their sum has not gone round.
    if found.size and (found.max() >= LARGEST or found.min() <= -LARGEST):
        raise HebbsimError("a sum over text is too large for its grid (2**36); see summaries.py")
    return found


class WordCounts:
    """How often words occur."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = Counter(counts)

    def merge(self, other: WordCounts) -> WordCounts:
        return WordCounts(self.counts + other.counts)

    def commonest(self, n: int) -> dict[str, int]:
        """The commonest n words and their counts; of equals, those first in code point order."""
        return dict(sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:n])


@dataclass
class RowSums:
    """Sums of vectors by word, of the words that a part holds.

    Attributes
    ----------
    rows : ndarray of int64, shape=(n,)
        Words by number, in increasing order.
    counts : ndarray of int64, shape=(n,)
        Vectors in each sum.
    sums : ndarray of int64, shape=(n, width)
        In fixed point.
    """

    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    sums: NDArray[np.int64]

    @classmethod
    def of(
        cls, rows: NDArray[np.int64], counts: NDArray[np.int64], means: NDArray[np.float32]
    ) -> RowSums:
        """Of means over so many vectors each, shape=(n, width)."""
        sums = np.empty(means.shape, dtype=np.int64)
        for i in range(0, len(rows), _ROWS):  # wide copies of some rows, not of all
            part = slice(i, i + _ROWS)
            sums[part] = to_fixed(means[part].astype(np.float64) * counts[part, None])
        return cls(rows, counts, sums)

    def merge(self, other: RowSums) -> RowSums:
        rows = np.union1d(self.rows, other.rows)
        merged = RowSums(
            rows, np.zeros_like(rows), np.zeros((len(rows), self.sums.shape[1]), dtype=np.int64)
        )
        for part in (self, other):
            at = np.searchsorted(rows, part.rows)
            merged.counts[at] += part.counts
            for i in range(0, len(at), _ROWS):
                here = at[i : i + _ROWS]
                merged.sums[here] = _add(merged.sums[here], part.sums[i : i + _ROWS])
        return merged

    def means(self) -> NDArray[np.float32]:
        """Of the vectors of every word, shape=(n, width)."""
        means = np.empty(self.sums.shape, dtype=np.float32)
        for i in range(0, len(means), _ROWS):
            part = slice(i, i + _ROWS)
            means[part] = from_fixed(self.sums[part]) / self.counts[part, None]
        return means
