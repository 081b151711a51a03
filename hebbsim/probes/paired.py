"""Paired tests over seeds, and corrections for multiple tests."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import Estimate, seed_interval

CORRECTIONS = ("holm", "bh", "none")


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
