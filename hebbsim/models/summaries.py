"""Summaries of parts of a text that merge to the same result in any order.

Sums are held in *fixed point*: 64-bit integers that count steps of 2**-26. Integer addition is
exact, so merging is associative and commutative to the last bit, and a sum does not depend on how
the text was divided. The price is one rounding of each part's sum, by at most 2**-27 (7.5e-9).
The range is 2**36 (6.9e10); larger sums are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.errors import HebbsimError

#: Steps per unit.
STEPS = 2.0**26
#: Largest sum in steps: two of them can be added without overflow.
LARGEST = 2**62
#: Rows converted at a time, which bounds memory.
_ROWS = 512


def merge_all(parts: Sequence[Any]) -> Any:
    """Merge all summaries, which have a method ``merge(other)`` that returns a new one."""
    return reduce(lambda one, other: one.merge(other), parts)


def to_fixed(values: ArrayLike) -> NDArray[np.int64]:
    """Values in steps of 2**-26; HebbsimError if one is not finite, or 2**36 or more."""
    steps = np.multiply(values, STEPS, dtype=np.float64)
    if steps.size and not np.abs(steps).max() < LARGEST:
        raise HebbsimError("a sum over text is not finite, or too large for its grid (2**36)")
    np.rint(steps, out=steps)
    return steps.astype(np.int64)


def from_fixed(steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """The inverse of `to_fixed`."""
    return steps / STEPS


def _add(total: NDArray[np.int64], steps: NDArray[np.int64]) -> NDArray[np.int64]:
    found = total + steps
    # Both are below 2**62, so that their sum has not overflowed.
    if found.size and (found.max() >= LARGEST or found.min() <= -LARGEST):
        raise HebbsimError("a sum over text is too large for its grid (2**36); see summaries.py")
    return found


class WordCounts:
    """Number of occurrences of each word."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = Counter(counts)

    def merge(self, other: WordCounts) -> WordCounts:
        return WordCounts(self.counts + other.counts)

    def commonest(self, n: int) -> dict[str, int]:
        """The n most frequent words and their counts; ties in code point order."""
        return dict(sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:n])


@dataclass
class RowSums:
    """Sums of vectors by word, for the words of a part of the text."""

    rows: NDArray[np.int64]  # shape=(n,), rows of words, increasing
    counts: NDArray[np.int64]  # shape=(n,), number of vectors in each sum
    sums: NDArray[np.int64]  # shape=(n, width), in fixed point

    @classmethod
    def of(
        cls, rows: NDArray[np.int64], counts: NDArray[np.int64], means: NDArray[np.float32]
    ) -> RowSums:
        """From the means, shape=(n, width), of `counts` vectors each."""
        sums = np.empty(means.shape, dtype=np.int64)
        for i in range(0, len(rows), _ROWS):  # no float64 copy of all rows
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
        """Mean vector of every word, shape=(n, width)."""
        means = np.empty(self.sums.shape, dtype=np.float32)
        for i in range(0, len(means), _ROWS):
            part = slice(i, i + _ROWS)
            means[part] = from_fixed(self.sums[part]) / self.counts[part, None]
        return means
