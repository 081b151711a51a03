"""Names clusters by roles: the only step of a zero-label run that uses labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


class RoleReadout:
    """Map clusters to roles, fitted on a labelled set of tokens, usually dev.

    Every cluster gets the most frequent role of its tokens (many-to-one). A population of P
    learners, each with its own column of cluster numbers, votes by summed log P(role | cluster),
    smoothed towards the role frequencies of the labelled set:

        P(r | c) = (n[c, r] + smoothing * P(r)) / (n[c] + smoothing)

    Parameters
    ----------
    smoothing : float, default=1.0
        Weight of the role frequencies, in tokens (above 0). Only used for populations.

    Attributes
    ----------
    roles_ : ndarray of str, shape=(R,)
        The roles that occur, sorted.
    counts_ : list of P ndarrays of int64, shape=(K + 1, R)
        Number of tokens by cluster and role; the last row stands for unseen clusters.

    Examples
    --------
    >>> readout = RoleReadout().fit([0, 0, 1, 1, 1], ["SUBJ", "SUBJ", "OBJ", "OBJ", "SUBJ"])
    >>> readout.predict([1, 0, 7]).tolist()  # cluster 7 is new: the majority role
    ['OBJ', 'SUBJ', 'SUBJ']
    """

    def __init__(self, smoothing: float = 1.0) -> None:
        self.smoothing = smoothing

    def fit(self, ids: NDArray[np.integer], roles: NDArray[np.str_]) -> RoleReadout:
        """Fit the read-out by counting roles per cluster.

        Parameters
        ----------
        ids : array-like of int, shape=(T,) or (T, P)
            Cluster number of every token, from 0; one column per member of a population.
        roles : array-like of str, shape=(T,)
            Role of every token.

        Raises
        ------
        BadInputError
            There are no tokens, `roles` has another length, or `smoothing` is not above 0.
        """
        if not self.smoothing > 0:
            raise BadInputError(f"smoothing must be above 0, got {self.smoothing}")
        ids = _columns(ids)
        roles = np.asarray(roles)
        if len(ids) == 0:
            raise BadInputError("the read-out needs labelled tokens and got none")
        if roles.shape != (len(ids),):
            raise BadInputError(f"{len(ids)} cluster ids, but roles of shape {roles.shape}")
        names, codes = np.unique(roles, return_inverse=True)
        return self.restore(names, [_count(column, codes, len(names)) for column in ids.T])

    def restore(self, roles: NDArray[np.str_], counts: Sequence[NDArray[np.int64]]) -> RoleReadout:
        """Set `roles_` and `counts_` from a fitted read-out."""
        self.roles_, self.counts_ = roles, list(counts)
        totals = self.counts_[0].sum(axis=0)
        frequencies = totals / totals.sum()
        # Ties go to the more frequent role, and not to the first in alphabetical order.
        preference = frequencies / (2 * totals.sum())
        self._winner = [(each + preference).argmax(axis=1) for each in self.counts_]
        self._log_posterior = [
            np.log(each + self.smoothing * frequencies)
            - np.log(each.sum(axis=1, keepdims=True) + self.smoothing)
            for each in self.counts_
        ]
        return self

    def predict(self, ids: NDArray[np.integer]) -> NDArray[np.str_]:
        """Role of every token, shape=(T,), from cluster ids of shape (T,) or (T, P)."""
        ids = self._known(ids)
        if ids.shape[1] == 1:
            return self.roles_[self._winner[0][ids[:, 0]]]
        return self.roles_[self._score(ids).argmax(axis=1)]

    def probabilities(self, ids: NDArray[np.integer]) -> NDArray[np.float64]:
        """Probability of every role for every token, shape=(T, R).

        Several columns are combined by their geometric mean; `predict` returns the argmax.
        """
        score = self._score(self._known(ids)) / len(self.counts_)
        shares: NDArray[np.float64] = np.exp(score)
        return shares / shares.sum(axis=1, keepdims=True)

    def _score(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        score = np.zeros((len(ids), len(self.roles_)))
        for column, log_posterior in zip(ids.T, self._log_posterior, strict=True):
            score += log_posterior[column]
        return score

    def _known(self, ids: NDArray[np.integer]) -> NDArray[np.int64]:
        """Cluster ids as (T, P), with unseen ones mapped to the last row of `counts_`."""
        ids = _columns(ids)
        if ids.shape[1] != len(self.counts_):
            raise BadInputError(
                f"fitted on {len(self.counts_)} columns of cluster ids, given {ids.shape[1]}"
            )
        last = [len(counts) - 1 for counts in self.counts_]
        return np.where(ids < last, ids, last)


def _count(
    column: NDArray[np.integer], codes: NDArray[np.integer], n_roles: int
) -> NDArray[np.int64]:
    counts = np.zeros((int(column.max()) + 2, n_roles), dtype=np.int64)
    np.add.at(counts, (column, codes), 1)
    return counts


def _columns(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """Cluster ids as (T, P)."""
    columns: NDArray[np.int64] = np.asarray(ids, dtype=np.int64)
    return columns[:, None] if columns.ndim == 1 else columns
