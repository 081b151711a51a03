"""Intervals and paired tests over seeds, corrections for multiple tests, bootstrap resampling."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit  # much faster to import than scipy.stats

from hebbsim.errors import BadInputError

#: Number of bootstrap resamples, by which standard errors are accurate to about 2 %.
N_RESAMPLES = 1000
CORRECTIONS = ("holm", "bh", "none")


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


class PairedTest(NamedTuple):
    """Mean difference with its 95 % interval, and two-sided p; NaN for a single pair."""

    difference: Estimate
    p: float
    n: int


def paired_test(values: ArrayLike, others: ArrayLike) -> PairedTest:
    """Paired t test (Student 1908) of `values` minus `others`, both of shape=(n,).

    >>> found = paired_test([0.92, 0.94, 0.93], [0.90, 0.91, 0.92])
    >>> round(found.difference.mean, 3), round(found.p, 3)
    (0.02, 0.074)
    """
    differences = np.asarray(values, dtype=float) - np.asarray(others, dtype=float)
    n = len(differences)
    estimate = seed_interval(differences)
    if n < 2:
        return PairedTest(estimate, float("nan"), n)
    error = differences.std(ddof=1) / np.sqrt(n)
    # Differences that are equal except for rounding would give an arbitrary t.
    if error <= 1e-12 * max(1.0, np.abs(differences).max()):
        return PairedTest(estimate, 1.0 if abs(estimate.mean) < 1e-12 else 0.0, n)
    return PairedTest(estimate, float(2 * stdtr(n - 1, -abs(estimate.mean) / error)), n)


def adjust(p: Sequence[float] | NDArray[np.floating], correction: str) -> NDArray[np.float64]:
    """Correct p values for multiple tests, shape=(n,); NaN does not count as a test.

    ``holm`` (1979) controls the family-wise error rate, ``bh`` (Benjamini & Hochberg 1995) the
    false discovery rate; ``none`` changes nothing. Raises BadInputError for any other correction.

    >>> adjust([0.01, 0.04, 0.03], "holm").round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjust([0.01, 0.04, 0.03], "bh").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    if correction not in CORRECTIONS:
        raise BadInputError(f"--correction {correction}: choose {', '.join(CORRECTIONS)}")
    given = np.asarray(p, dtype=np.float64)
    found = given.copy()
    tested = np.flatnonzero(~np.isnan(given))
    n = len(tested)
    if not n or correction == "none":
        return found
    order = tested[np.argsort(given[tested], kind="stable")]
    rank = np.arange(1, n + 1)
    if correction == "holm":
        stepped = np.maximum.accumulate(given[order] * (n + 1 - rank))
    else:
        stepped = np.minimum.accumulate((given[order] * n / rank)[::-1])[::-1]
    found[order] = np.minimum(stepped, 1)
    return found


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
