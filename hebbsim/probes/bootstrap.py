"""Intervals over seeds, and bootstrap resampling of sentences."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # much faster to import than scipy.stats

#: Number of bootstrap resamples, by which standard errors are accurate to about 2 %.
N_RESAMPLES = 1000


class Estimate(NamedTuple):
    """A mean with its 95 % interval, which is NaN for a single value.

    Examples
    --------
    >>> Estimate(0.95, 0.94, 0.96).high
    0.96
    """

    mean: float
    low: float
    high: float


def seed_interval(values: Sequence[float] | NDArray[np.floating]) -> Estimate:
    """Mean over seeds with its 95 % interval by Student's t (Student 1908).

    Parameters
    ----------
    values : array-like of float, shape=(n_seeds,)

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
    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) / np.sqrt(n))
    return Estimate(mean, mean - half, mean + half)


@lru_cache(maxsize=2)
def _sentence_counts(n: int, n_resamples: int, random_state: int) -> NDArray[np.float32]:
    """How often each of n sentences is drawn, shape=(n_resamples, n)."""
    rng = np.random.default_rng(random_state)
    counts = np.empty((n_resamples, n), dtype=np.float32)
    for row in counts:
        row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return counts


def resample_sums(
    counts: NDArray[np.floating], *, n_resamples: int = N_RESAMPLES, random_state: int = 0
) -> NDArray[np.float64]:
    """Column sums over sentences drawn with replacement (Efron 1979).

    All columns share the draws, so that comparisons between them are paired.

    Parameters
    ----------
    counts : ndarray, shape=(N, M)
        One row per sentence: correct tokens of M models, or token counts.
    n_resamples : int
    random_state : int

    Returns
    -------
    ndarray of float64, shape=(n_resamples, M)
    """
    counts = np.asarray(counts, dtype=np.float32)
    drawn = _sentence_counts(len(counts), n_resamples, random_state)
    return (drawn @ counts).astype(np.float64)


def resample_weights(rng: np.random.Generator, n_resamples: int, n: int) -> NDArray[np.float64]:
    """Weights of n training runs in every resample, shape=(n_resamples, n); rows sum to one.

    Each resample draws n - 1 of them, which makes the variance unbiased for few runs (Rao & Wu
    1988, "Resampling Inference with Complex Survey Data", section 2).
    """
    if n == 1:
        return np.ones((n_resamples, 1))
    return rng.multinomial(n - 1, np.full(n, 1 / n), size=n_resamples) / (n - 1)
