"""Two-level bootstrap: comparison of two models, on which verdicts are based; label equivalence.

Accuracies vary with the training seed, the labelled sentences that were drawn, and the sentences
of the split. The bootstrap draws training runs and sentences with replacement (n - 1 of n runs,
which makes the variance unbiased for few runs). The standard error of the draws gives the
interval and p by Student's t, whose degrees of freedom follow from the share of each source in
the variance (Satterthwaite 1946). The verdict is *ahead*, *behind*, or *no difference shown*,
depending on p after Holm's correction over the comparisons of one table.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import N_RESAMPLES, Estimate, adjust, resample_sums, resample_weights

Verdict = Literal["ahead", "behind", "no difference shown"]

#: Minimum number of sentences with a scored token for which their variance can be estimated.
FEWEST_SENTENCES = 10
#: Significance level of the corrected p.
LEVEL = 0.05
#: Minimum number of training runs per point of the curve.
FEWEST_RUNS = 3
#: Maximum factor between two points for which the curve is interpolated.
WIDEST_GAP = 4.0


class Comparison(NamedTuple):
    """Difference and ratio of the accuracies of two models.

    Intervals and `p` (two-sided) are NaN if a trained model has only one run, or if fewer than
    `FEWEST_SENTENCES` sentences have a scored token. `ratio` is NaN if the other model has
    nothing right.

    Examples
    --------
    >>> Comparison(Estimate(0.1, 0.05, 0.15), Estimate(1.1, 1.0, 1.2), 0.001).difference.mean
    0.1
    """

    difference: Estimate
    ratio: Estimate
    p: float


def compare(
    correct: NDArray[np.number],
    other: NDArray[np.number],
    totals: NDArray[np.integer],
    *,
    paired_draws: bool = False,
    other_is_trained: bool = True,
    n_resamples: int = N_RESAMPLES,
) -> Comparison:
    """Compare two models on the same sentences by a two-level bootstrap.

    Parameters
    ----------
    correct : ndarray, shape=(S, D, N)
        Number of correct tokens in each of N sentences, for S seeds and D draws of labelled
        sentences (1 if none are drawn).
    other : ndarray, shape=(S2, D, N) or (S2, 1, N)
        The same for the other model.
    totals : ndarray, shape=(N,)
        Number of tokens in every sentence (of one role, for a recall).
    paired_draws : bool
        Whether both models use the same labelled sentences in draw d.
    other_is_trained : bool
        False for a model without a random seed, such as a lookup.
    n_resamples : int

    Returns
    -------
    Comparison
        Difference (first minus other) and ratio (first over other) with 95 % intervals.

    Examples
    --------
    >>> runs = np.tile([[[3, 2, 3, 3]], [[3, 3, 3, 2]], [[3, 2, 3, 3]]], 3)
    >>> rival = np.tile([[[1, 2, 1, 2]], [[2, 1, 1, 1]], [[1, 1, 2, 1]]], 3)
    >>> found = compare(runs, rival, np.full(12, 3))
    >>> round(found.difference.mean, 3), found.p < 0.05
    (0.472, True)
    """
    mine = np.asarray(correct, dtype=np.float64)
    theirs = np.asarray(other, dtype=np.float64)
    n = mine.shape[-1]
    total = float(np.sum(totals))
    a, b = mine.sum(axis=-1) / total, theirs.sum(axis=-1) / total  # accuracy of each run
    difference, ratio = a.mean() - b.mean(), a.mean() / b.mean() if b.any() else np.nan
    trained = [mine.shape[:2]] + [theirs.shape[:2]] * other_is_trained
    scored = np.count_nonzero(totals)
    if scored < FEWEST_SENTENCES or any(s * d < 2 for s, d in trained):
        nothing = (np.nan, np.nan)
        return Comparison(Estimate(difference, *nothing), Estimate(ratio, *nothing), np.nan)

    rng = np.random.default_rng([0, 1])
    counts = np.concatenate([mine.reshape(-1, n), theirs.reshape(-1, n), totals[None]]).T
    sums = resample_sums(counts, n_resamples=n_resamples)
    first, second = sums[:, : a.size], sums[:, a.size : -1]
    draws = resample_weights(rng, n_resamples, mine.shape[1])
    seeds = resample_weights(rng, n_resamples, mine.shape[0])
    drawn_a = np.einsum("bi,bd,bid->b", seeds, draws, first.reshape(-1, *a.shape))
    if not paired_draws:
        draws = resample_weights(rng, n_resamples, theirs.shape[1])
    seeds = resample_weights(rng, n_resamples, theirs.shape[0])
    drawn_b = np.einsum("bi,bd,bid->b", seeds, draws, second.reshape(-1, *b.shape))

    residual = (mine.mean(axis=(0, 1)) - theirs.mean(axis=(0, 1)) - difference * totals) / total
    sources = [
        (n * residual.var(ddof=1), n - 1),
        _source(a.mean(axis=1)),
        _source(b.mean(axis=1)),
        *(
            [_source(a.mean(axis=0) - b.mean(axis=0))]
            if paired_draws
            else [_source(a.mean(axis=0)), _source(b.mean(axis=0))]
        ),
    ]
    spread = sum(variance**2 / freedom for variance, freedom in sources if freedom)
    freedom = sum(variance for variance, _ in sources) ** 2 / spread if spread else np.inf
    t = float(stdtrit(freedom, 0.975)) if np.isfinite(freedom) else 1.96
    # A resample may contain no token of a rare role.
    some = sums[:, -1] > 0
    error = float(np.std((drawn_a - drawn_b)[some] / sums[some, -1], ddof=1))
    if error <= 1e-12:
        p = 1.0 if abs(difference) < 1e-12 else 0.0
    else:
        p = float(2 * stdtr(freedom, -abs(difference) / error))
    some = drawn_b > 0
    half = t * float(np.std(drawn_a[some] / drawn_b[some], ddof=1)) if some.sum() > 1 else np.nan
    return Comparison(
        Estimate(float(difference), difference - t * error, difference + t * error),
        Estimate(float(ratio), ratio - half, ratio + half),
        p,
    )


def _source(values: NDArray[np.float64]) -> tuple[float, int]:
    """Variance of the mean of n values, and its degrees of freedom."""
    n = len(values)
    return (float(values.var(ddof=1)) / n, n - 1) if n > 1 else (0.0, 0)


def verdicts(differences: Sequence[float], p: Sequence[float]) -> list[tuple[float, Verdict]]:
    """Holm-corrected p and verdict of each comparison of one table.

    Parameters
    ----------
    differences, p : sequence of float, shape=(n,)
        NaN p counts as no test, and gives *no difference shown*.

    Examples
    --------
    >>> [word for _, word in verdicts([0.1, -0.2, 0.3], [0.001, 0.02, 0.9])]
    ['ahead', 'behind', 'no difference shown']
    """
    found: list[tuple[float, Verdict]] = []
    for difference, corrected in zip(differences, adjust(p, "holm").tolist(), strict=True):
        if not corrected < LEVEL:
            found.append((corrected, "no difference shown"))
        else:
            found.append((corrected, "ahead" if difference > 0 else "behind"))
    return found


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
    two-level bootstrap over the runs of the target, those of every
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

    return isotonic_regression(curve, sample_weight=weights.astype(float))


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
