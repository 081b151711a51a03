"""Intervals: over seeds for one model, over sentences where two are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # a light import beside scipy.stats

#: Resamples of every bootstrap; the ends of a 95 % interval then rest on 25 draws each.
N_RESAMPLES = 1000


class Estimate(NamedTuple):
    """A mean with the ends of its 95 % interval (NaN where one value alone was seen).

    Examples
    --------
    >>> Estimate(0.95, 0.94, 0.96).high
    0.96
    """

    mean: float
    low: float
    high: float


def seed_interval(values: Sequence[float] | NDArray[np.floating], level: float = 0.95) -> Estimate:
    """Mean over seeds with its Student-t interval (Student 1908).

    Parameters
    ----------
    values : array-like of float, shape=(n_seeds,)
    level : float, default=0.95

    Examples
    --------
    >>> estimate = seed_interval([0.9, 1.0])
    >>> [round(x, 3) for x in estimate]
    [0.95, 0.315, 1.585]
    """
    values = np.asarray(values, dtype=float)
    mean, n = float(values.mean()), len(values)
    if n < 2:
        return Estimate(mean, np.nan, np.nan)
    half = float(stdtrit(n - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half)


def resample_sums(
    counts: NDArray[np.floating], *, n_resamples: int = N_RESAMPLES, random_state: int = 0
) -> NDArray[np.float64]:
    """Column sums over sentences drawn with replacement (Efron 1979).

    All columns share every draw, which is what makes a comparison between them paired.

    Parameters
    ----------
    counts : ndarray, shape=(N, M)
        One row a sentence: right tokens of M models, or token counts.
    n_resamples : int
    random_state : int

    Returns
    -------
    ndarray of float64, shape=(n_resamples, M)
    """
    counts = np.asarray(counts, dtype=np.float64)
    n = len(counts)
    rng = np.random.default_rng(random_state)
    sums = np.empty((n_resamples, counts.shape[1]))
    for i in range(n_resamples):
        sums[i] = np.bincount(rng.integers(n, size=n), minlength=n) @ counts
    return sums


class Comparison(NamedTuple):
    """Accuracy of one model against another on the same sentences.

    Examples
    --------
    >>> found = compare(np.array([2.0, 1.0]), np.array([1.0, 1.0]), np.array([2, 2]))
    >>> found.difference.mean, found.ratio.mean
    (0.25, 1.5)
    """

    difference: Estimate
    ratio: Estimate


def compare(
    correct: NDArray[np.floating],
    other: NDArray[np.floating],
    lengths: NDArray[np.integer],
    *,
    n_resamples: int = N_RESAMPLES,
    random_state: int = 0,
) -> Comparison:
    """Difference and ratio of two accuracies, with a paired bootstrap over sentences.

    Parameters
    ----------
    correct, other : ndarray, shape=(N,)
        Right tokens of every sentence, each model averaged over its seeds.
    lengths : ndarray, shape=(N,)
        Tokens of every sentence.

    Returns
    -------
    Comparison
        ``difference`` is correct minus other, ``ratio`` correct over other (NaN where
        the other model has nothing right).

    Examples
    --------
    >>> compare(np.array([3, 3]), np.array([3, 0]), np.array([3, 3])).difference
    Estimate(mean=0.5, low=0.0, high=1.0)
    """
    counts = np.column_stack([correct, other, lengths]).astype(np.float64)
    a, b, total = counts.sum(axis=0)
    draws = resample_sums(counts, n_resamples=n_resamples, random_state=random_state)
    nothing_right = b == 0 or not draws[:, 1].all()
    return Comparison(
        difference=_estimate((a - b) / total, (draws[:, 0] - draws[:, 1]) / draws[:, 2]),
        ratio=Estimate(np.nan, np.nan, np.nan)
        if nothing_right
        else _estimate(a / b, draws[:, 0] / draws[:, 1]),
    )


def _estimate(mean: float, draws: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(mean), float(low), float(high))
