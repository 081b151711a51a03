"""Label equivalence: the number of labelled sentences at which a supervised model is as good."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import N_RESAMPLES, resample_sums, resample_weights

#: Minimum number of training runs per point of the curve.
FEWEST_RUNS = 3
#: Maximum factor between two points for which the curve is interpolated.
WIDEST_GAP = 4.0


class LabelEquivalence(NamedTuple):
    """A number of labelled sentences with its 95 % interval.

    If the target is ``below`` the first or ``above`` the last point of the curve, as `place`
    says, `sentences` is that of this point.

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
    labels: Sequence[int], curve: Sequence[NDArray[np.number]], target: NDArray[np.number]
) -> LabelEquivalence | None:
    """Number of labelled sentences at which a learning curve reaches a target accuracy.

    A monotone curve is fitted to the points by isotonic regression (Barlow et al. 1972), weighted
    by the number of training runs, and interpolated linearly in log N. The interval comes from a
    two-level bootstrap (`hebbsim.probes.comparison`) over the runs of the target, those of every
    point of the curve, and sentences. Its percentiles are widened by the ratio of Student's t to
    the normal quantile, because there are few runs.

    Parameters
    ----------
    labels : sequence of int, shape=(L,)
        Number of labelled sentences at each point, increasing.
    curve : sequence of L ndarrays, shape=(S_l, N)
        Number of correct tokens of every sentence in each training run, at each point.
    target : ndarray, shape=(S, N)
        The same for the model that is compared with the curve.

    Returns
    -------
    LabelEquivalence or None
        None if the target or one of the two points around it has fewer than `FEWEST_RUNS` runs,
        or these points are more than a factor of `WIDEST_GAP` apart.

    Raises
    ------
    BadInputError
        There are fewer than two points, or `labels` do not increase.

    Examples
    --------
    >>> point = np.full((3, 1), 5.0)
    >>> found = label_equivalence([10, 40], [point, point + 2], point + 1)
    >>> round(found.sentences)
    20
    >>> label_equivalence([10, 1000], [point, point + 2], point + 1) is None  # too far apart
    True
    """
    if len(labels) < 2 or np.any(np.diff(labels) <= 0):
        raise BadInputError("a label curve needs two or more increasing numbers of sentences")
    models = [np.atleast_2d(runs) for runs in (*curve, target)]
    n_runs = np.array([len(runs) for runs in models])
    log_labels = np.log(np.asarray(labels, dtype=float))
    # All models are scored on the same tokens, so counts can be compared like accuracies.
    means = np.array([runs.sum(axis=1).mean() for runs in models])
    hull = _monotone(means[:-1], n_runs[:-1])
    place, around = _place(hull, means[-1])
    first, last = around[0], around[-1]
    if (n_runs[[first, last, -1]] < FEWEST_RUNS).any():
        return None
    if labels[last] > WIDEST_GAP * labels[first]:
        return None

    rng = np.random.default_rng([0, 2])
    sums = resample_sums(np.concatenate(models).T)
    drawn = np.empty((N_RESAMPLES, len(models)))
    ends = np.cumsum(n_runs)
    for column, (end, n) in enumerate(zip(ends, n_runs, strict=True)):
        weights = resample_weights(rng, N_RESAMPLES, n)
        drawn[:, column] = (weights * sums[:, end - n : end]).sum(axis=1)
    found = [_meet(log_labels, _monotone(row[:-1], n_runs[:-1]), row[-1]) for row in drawn]
    best = _meet(log_labels, hull, means[-1])
    fewest = int(n_runs[[first, last, -1]].min())
    wider = float(stdtrit(fewest - 1, 0.975) / stdtrit(np.inf, 0.975))
    low, high = best + wider * (np.quantile(found, [0.025, 0.975]) - best)
    low, high = np.clip([low, high], log_labels[0], log_labels[-1])
    sentences, low, high = np.exp([best, low, high]).tolist()
    return LabelEquivalence(sentences, low, high, place)


def _monotone(curve: NDArray[np.float64], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    from sklearn.isotonic import isotonic_regression  # slow to import

    fitted: NDArray[np.float64] = isotonic_regression(curve, sample_weight=weights.astype(float))
    return fitted


def _place(
    hull: NDArray[np.float64], target: float
) -> tuple[Literal["within", "below", "above"], tuple[int, ...]]:
    """The position of the target relative to the curve, and the points around it."""
    if target < hull[0]:
        return "below", (0,)
    if target > hull[-1]:
        return "above", (len(hull) - 1,)
    i = max(1, int(np.searchsorted(hull, target)))
    return "within", (i - 1, i)


def _meet(x: NDArray[np.float64], hull: NDArray[np.float64], target: float) -> float:
    """x at which a non-decreasing curve first reaches `target`, or the end of x on that side."""
    if target <= hull[0]:
        return float(x[0])
    if target > hull[-1]:
        return float(x[-1])
    i = int(np.searchsorted(hull, target))  # hull[i - 1] < target <= hull[i]
    return float(x[i - 1] + (x[i] - x[i - 1]) * (target - hull[i - 1]) / (hull[i] - hull[i - 1]))
