"""Scores of predicted roles and of clusters.

Clustering measures follow the literature on unsupervised tagging: Christodoulopoulos, C.,
Goldwater, S. & Steedman, M. (2010). Two decades of unsupervised POS induction: how far have we
come? EMNLP 2010, 575-584.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


@dataclass(frozen=True)
class RoleScore:
    """Scores of one role, and its number of gold tokens (`support`).

    Examples
    --------
    >>> subj, obj = role_scores(np.array(["S", "S", "O"]), np.array(["S", "O", "O"]))
    >>> subj.f1 == 2 * subj.precision * subj.recall / (subj.precision + subj.recall)
    True
    """

    role: str
    recall: float
    precision: float
    f1: float
    support: int


def accuracy(gold: NDArray, predicted: NDArray) -> float:
    """Fraction of tokens with the right role; roles may be names or codes.

    Raises
    ------
    BadInputError
        There are not as many predicted roles as gold ones.

    Examples
    --------
    >>> accuracy(np.array(["SUBJ", "OBJ"]), np.array(["SUBJ", "SUBJ"]))
    0.5
    """
    gold, predicted = np.asarray(gold), np.asarray(predicted)
    if gold.shape != predicted.shape:  # numpy would repeat a single one
        raise BadInputError(
            f"gold roles of shape {gold.shape}, but predicted ones of shape {predicted.shape}"
        )
    return float(np.mean(gold == predicted))


def role_scores(
    gold: NDArray, predicted: NDArray, names: NDArray[np.str_] | None = None
) -> list[RoleScore]:
    """Recall, precision and F1 of every role in `gold`, the most frequent role first.

    A role that is never predicted has precision 0.

    Parameters
    ----------
    gold, predicted : ndarray of str, or of int with `names`, shape=(T,)
    names : ndarray of str, shape=(R,), optional
        Names of the integer roles.

    Examples
    --------
    >>> subj, obj = role_scores(np.array(["S", "S", "O"]), np.array(["S", "O", "O"]))
    >>> subj.role, subj.recall, subj.precision
    ('S', 0.5, 1.0)
    """
    gold, predicted = np.asarray(gold), np.asarray(predicted)
    roles, support = np.unique(gold, return_counts=True)
    scores = []
    for i in np.argsort(-support, kind="stable"):
        of_role, as_role = gold == roles[i], predicted == roles[i]
        hits, n_predicted = int(np.sum(of_role & as_role)), int(as_role.sum())
        scores.append(
            RoleScore(
                role=str(roles[i] if names is None else names[roles[i]]),
                recall=hits / int(support[i]),
                precision=hits / n_predicted if n_predicted else 0.0,
                f1=2 * hits / (int(support[i]) + n_predicted),
                support=int(support[i]),
            )
        )
    return scores


def v_measure(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> float:
    """Harmonic mean of homogeneity and completeness (Rosenberg and Hirschberg 2007).

    Examples
    --------
    >>> v_measure(np.array(["S", "O", "S"]), np.array([4, 2, 4]))
    1.0
    """
    from sklearn.metrics import v_measure_score  # takes seconds to import

    return float(v_measure_score(gold, ids))


def many_to_one(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> float:
    """Accuracy if every cluster is mapped to the most frequent gold label of its tokens.

    The mapping is fitted on the scored tokens, so more clusters never score lower;
    `hebbsim.probes.RoleReadout` is fitted on other tokens.

    Examples
    --------
    >>> many_to_one(np.array(["S", "S", "O", "O"]), np.array([1, 1, 0, 1]))
    0.75
    """
    table = _contingency(gold, ids)
    return float(table.max(axis=0).sum() / table.sum())


def one_to_one(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> float:
    """Accuracy of the optimal one-to-one matching of clusters and gold labels (Kuhn 1955).

    The matching is fitted on the scored tokens. Tokens of unmatched clusters count as wrong.

    Examples
    --------
    >>> one_to_one(np.array(["S", "S", "O", "O"]), np.array([1, 1, 0, 1]))
    0.75
    """
    from scipy.optimize import linear_sum_assignment

    table = _contingency(gold, ids)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return float(table[rows, columns].sum() / table.sum())


def variation_of_information(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> float:
    """H(gold | cluster) + H(cluster | gold) in bits (Meila 2003); 0 for equal partitions.

    Examples
    --------
    >>> variation_of_information(np.array(["S", "S", "O", "O"]), np.array([1, 2, 3, 3]))
    0.5
    """
    table = _contingency(gold, ids)
    joint, of_gold, of_cluster = (
        entropy(counts / counts.sum())
        for counts in (table.ravel(), table.sum(axis=1), table.sum(axis=0))
    )
    return max(0.0, 2 * joint - of_gold - of_cluster)


def adjusted_rand(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> float:
    """Rand index adjusted for chance (Hubert and Arabie 1985); about 0 for random clusters.

    Examples
    --------
    >>> adjusted_rand(np.array(["S", "O", "S"]), np.array([4, 2, 4]))
    1.0
    """
    from sklearn.metrics import adjusted_rand_score

    return float(adjusted_rand_score(gold, ids))


#: Clustering measures, which compare cluster ids with gold labels: function and unit.
CLUSTERING = MappingProxyType(
    {
        "many_to_one": (many_to_one, "fraction"),
        "one_to_one": (one_to_one, "fraction"),
        "v_measure": (v_measure, "fraction"),
        "variation_of_information": (variation_of_information, "bits"),
        "adjusted_rand": (adjusted_rand, "index"),
    }
)


def _contingency(gold: NDArray[np.str_], ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """Tokens by gold label and cluster."""
    from sklearn.metrics.cluster import contingency_matrix

    return np.asarray(contingency_matrix(gold, ids), dtype=np.int64)


def entropy(prior: NDArray[np.float64]) -> float:
    """Entropy of a distribution in bits.

    Examples
    --------
    >>> entropy(np.array([0.5, 0.25, 0.25]))
    1.5
    """
    positive = prior[prior > 0]
    return float(-(positive * np.log2(positive)).sum())


def sentence_sums(right: NDArray[np.bool_], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of true tokens in every sentence, shape=(N,); `offsets` has shape=(N + 1,).

    Examples
    --------
    >>> sentence_sums(np.array([True, False, True]), np.array([0, 2, 3]))
    array([1, 1])
    """
    return np.diff(np.concatenate([[0], np.cumsum(right)])[offsets]).astype(np.int64)
