"""Naming clusters: the only step of a zero-label run that reads a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


class RoleReadout:
    """Map clusters to roles, fitted only on a labelled development set.

    One column of cluster ids is mapped many-to-one: every cluster carries the role
    that most of its tokens have. Several columns (a population of P learners) vote by
    summed log P(role | cluster), each estimate smoothed towards the role frequencies
    of the fitting set:

        P(r | c) = (n[c, r] + smoothing * P(r)) / (n[c] + smoothing)

    Parameters
    ----------
    smoothing : float, default=1.0
        Weight of the role frequencies, in tokens (above 0). Only populations use it.

    Attributes
    ----------
    roles_ : ndarray of str, shape=(R,)
        The roles seen, sorted.
    counts_ : list of P ndarrays of int64, shape=(K + 1, R)
        Tokens by cluster and role; the last row is for unseen clusters.

    Examples
    --------
    >>> readout = RoleReadout().fit([0, 0, 1, 1, 1], ["SUBJ", "SUBJ", "OBJ", "OBJ", "SUBJ"])
    >>> readout.predict([1, 0, 7]).tolist()  # cluster 7 is new: the majority role
    ['OBJ', 'SUBJ', 'SUBJ']
    """

    def __init__(self, smoothing: float = 1.0) -> None:
        self.smoothing = smoothing

    def fit(self, ids: NDArray[np.integer], roles: NDArray[np.str_]) -> RoleReadout:
        """Count roles by cluster.

        Parameters
        ----------
        ids : array-like of int, shape=(T,) or (T, P)
            Cluster of every token, from 0; one column a population member.
        roles : array-like of str, shape=(T,)

        Raises
        ------
        BadInputError
            If there are no tokens, not one role a token, or `smoothing` is not above 0.
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
        """Put in `roles_` and `counts_` of a read-out that was fitted before."""
        self.roles_, self.counts_ = roles, list(counts)
        totals = self.counts_[0].sum(axis=0)
        frequencies = totals / totals.sum()
        # Ties go to the more frequent role, so that a mapping does not hang on spelling.
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
        """Of every role for every token, shape=(T, R), the columns' geometric mean.

        The largest is that of the role that `predict` gives.
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
        """Cluster ids as (T, P), those never seen as the last."""
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
