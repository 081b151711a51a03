"""How many labelled sentences a supervised model needs to do as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import N_RESAMPLES, resample_sums


class LabelEquivalence(NamedTuple):
    """A number of labelled sentences with its 95 % interval.

    Where the curve never meets the target, `sentences` is the end of the curve and
    `place` says on which side: ``below`` its first point or ``above`` its last.

    Examples
    --------
    >>> LabelEquivalence(148.0, 135.0, 160.0, "within").place
    'within'
    """

    sentences: float
    low: float
    high: float
    place: Literal["within", "below", "above"]


def label_equivalence(
    labels: Sequence[int],
    curve: NDArray[np.floating],
    target: NDArray[np.floating],
    *,
    n_resamples: int = N_RESAMPLES,
    random_state: int = 0,
) -> LabelEquivalence:
    """Labelled sentences at which a learning curve reaches a target accuracy.

    The curve is interpolated linearly in log N, after a running maximum has made it
    non-decreasing (so that it meets the target once). The interval comes from a
    bootstrap over sentences in which target and curve share every draw.

    Parameters
    ----------
    labels : sequence of int, shape=(L,)
        Labelled sentences behind each point, increasing.
    curve : ndarray, shape=(L, N)
        Right tokens of every sentence, averaged over seeds, at each point.
    target : ndarray, shape=(N,)
        The same for the model to be placed on the curve.

    Raises
    ------
    BadInputError
        If fewer than two points are given or `labels` do not increase.

    Examples
    --------
    >>> curve = np.array([[5.0], [7.0]])
    >>> round(label_equivalence([10, 1000], curve, np.array([6.0])).sentences)
    100
    """
    if len(labels) < 2 or np.any(np.diff(labels) <= 0):
        raise BadInputError("a label curve needs two or more increasing numbers of sentences")
    counts = np.column_stack([np.transpose(curve), target]).astype(np.float64)
    log_labels = np.log(np.asarray(labels, dtype=float))
    sums = counts.sum(axis=0)
    draws = resample_sums(counts, n_resamples=n_resamples, random_state=random_state)
    # Every model is scored on the same tokens, so counts serve as accuracies.
    found = np.exp([_meet(log_labels, row[:-1], row[-1]) for row in draws])
    low, high = np.quantile(found, [0.025, 0.975])
    best = float(np.exp(_meet(log_labels, sums[:-1], sums[-1])))
    if sums[-1] < sums[0]:
        place: Literal["within", "below", "above"] = "below"
    else:
        place = "above" if sums[-1] > sums[:-1].max() else "within"
    return LabelEquivalence(best, float(low), float(high), place)


def _meet(x: NDArray[np.float64], curve: NDArray[np.float64], target: float) -> float:
    """Where the non-decreasing hull of `curve` first reaches `target`; the ends of x outside."""
    hull = np.maximum.accumulate(curve)
    if target <= hull[0]:
        return float(x[0])
    if target > hull[-1]:
        return float(x[-1])
    i = int(np.searchsorted(hull, target))  # hull[i - 1] < target <= hull[i]
    return float(x[i - 1] + (x[i] - x[i - 1]) * (target - hull[i - 1]) / (hull[i] - hull[i - 1]))
