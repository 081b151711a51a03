"""Naming clusters: the only step of a zero-label run that reads a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


class RoleReadout:
    """Map clusters to roles, fitted on a labelled development set alone.

    One column of cluster ids is mapped many-to-one: every cluster carries the role
    that most of its tokens have. Several columns (a population of P learners) vote by
    summed log P(role | cluster), each estimate smoothed towards a prior Q:

        P(r | c) = (n[c, r] + smoothing * Q(r | c)) / (n[c] + smoothing)

    Q are the role frequencies of the fitting set or, where the prototypes of the clusters
    are given, what the labels of a cluster and of those near it say: the mean of a Gaussian
    process over prototypes (Rasmussen & Williams 2006, eq. 2.25), whose observations are the
    shares of roles in each cluster with a label, and whose mean are the role frequencies.
    It lets a few labelled sentences name clusters that no labelled token fell into. One
    column then carries the role of the largest Q.

    Parameters
    ----------
    smoothing : float, default=1.0
        Weight of the prior, in tokens (above 0). Only populations use it.
    width : float, default=2.5
        Standard deviation of the Gaussian kernel, in units of the root mean square distance
        of a prototype from the nearest other one (above 0).
    noise : float, default=0.3
        Variance of a share that one token was observed for; n tokens have noise / n (above 0).

    Attributes
    ----------
    roles_ : ndarray of str, shape=(R,)
        The roles seen, sorted.
    counts_ : list of P ndarrays of int64, shape=(K + 1, R)
        Tokens by cluster and role; the last row stands for clusters never seen.

    Examples
    --------
    >>> readout = RoleReadout().fit([0, 0, 1, 1, 1], ["SUBJ", "SUBJ", "OBJ", "OBJ", "SUBJ"])
    >>> readout.predict([1, 0, 7]).tolist()  # cluster 7 is new: the majority role
    ['OBJ', 'SUBJ', 'SUBJ']
    """

    def __init__(self, smoothing: float = 1.0, *, width: float = 2.5, noise: float = 0.3) -> None:
        self.smoothing = smoothing
        self.width = width
        self.noise = noise

    def fit(
        self,
        ids: NDArray[np.integer],
        roles: NDArray[np.str_],
        prototypes: Sequence[NDArray[np.floating]] | None = None,
    ) -> RoleReadout:
        """Count roles by cluster.

        Parameters
        ----------
        ids : array-like of int, shape=(T,) or (T, P)
            Cluster of every token, from 0; one column a population member.
        roles : array-like of str, shape=(T,)
        prototypes : sequence of P ndarrays, shape=(K, D), optional
            Where the clusters of each column lie.

        Raises
        ------
        BadInputError
            If there are no tokens, not one role a token, not a prototype for every cluster,
            or a parameter is not above 0.
        """
        for name in ("smoothing", "width", "noise"):
            if not getattr(self, name) > 0:
                raise BadInputError(f"{name} must be above 0, got {getattr(self, name)}")
        ids = _columns(ids)
        roles = np.asarray(roles)
        if len(ids) == 0:
            raise BadInputError("the read-out needs labelled tokens and got none")
        if roles.shape != (len(ids),):
            raise BadInputError(f"{len(ids)} cluster ids, but roles of shape {roles.shape}")
        if prototypes is not None:
            found = [len(centres) for centres in prototypes]
            if len(found) != ids.shape[1] or (ids >= found).any():
                needed = (ids.max(axis=0) + 1).tolist()
                raise BadInputError(f"prototypes by column: {found}, needed: {needed} or more")
        self.roles_, codes = np.unique(roles, return_inverse=True)
        totals = np.bincount(codes)
        frequencies = totals / totals.sum()
        # Ties go to the more frequent role, so that a mapping does not hang on spelling.
        preference = frequencies / (2 * len(codes))
        self.counts_, self._winner, self._log_posterior = [], [], []
        for member, column in enumerate(ids.T):
            n_clusters = int(column.max()) + 1 if prototypes is None else found[member]
            counts = np.zeros((n_clusters + 1, len(self.roles_)), dtype=np.int64)
            np.add.at(counts, (column, codes), 1)
            prior = np.tile(frequencies, (n_clusters + 1, 1))
            if prototypes is not None:
                prior[:-1] = self._prior(counts[:-1], frequencies, prototypes[member])
            score = counts if prototypes is None else prior
            self.counts_.append(counts)
            self._winner.append((score + preference).argmax(axis=1))
            self._log_posterior.append(
                np.log(counts + self.smoothing * prior)
                - np.log(counts.sum(axis=1, keepdims=True) + self.smoothing)
            )
        return self

    def _prior(
        self,
        counts: NDArray[np.int64],
        frequencies: NDArray[np.float64],
        prototypes: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Shares of roles by cluster, from labels there and near by, shape=(K, R)."""
        tokens = counts.sum(axis=1)
        seen = np.flatnonzero(tokens)
        kernel = _kernel(prototypes, self.width)[:, seen]
        covariance = kernel[seen] + np.diag(self.noise / tokens[seen])
        shares = counts[seen] / tokens[seen, None] - frequencies
        prior = frequencies + kernel @ np.linalg.solve(covariance, shares)
        # A regression on shares may leave [0, 1]; no role is ruled out for a cluster.
        prior = np.clip(prior, 1e-3, 1)
        normalized: NDArray[np.float64] = prior / prior.sum(axis=1, keepdims=True)
        return normalized

    def predict(self, ids: NDArray[np.integer]) -> NDArray[np.str_]:
        """Role of every token, shape=(T,), from cluster ids of shape (T,) or (T, P)."""
        ids = _columns(ids)
        if ids.shape[1] != len(self.counts_):
            raise BadInputError(
                f"fitted on {len(self.counts_)} columns of cluster ids, given {ids.shape[1]}"
            )
        last = [len(counts) - 1 for counts in self.counts_]
        ids = np.where(ids < last, ids, last)
        if ids.shape[1] == 1:
            return self.roles_[self._winner[0][ids[:, 0]]]
        score = np.zeros((len(ids), len(self.roles_)))
        for column, log_posterior in zip(ids.T, self._log_posterior, strict=True):
            score += log_posterior[column]
        return self.roles_[score.argmax(axis=1)]


def _kernel(prototypes: NDArray[np.floating], width: float) -> NDArray[np.float64]:
    """Gaussian of the distances between prototypes, shape=(K, K)."""
    x = np.asarray(prototypes, dtype=np.float64)
    squares = np.einsum("kd,kd->k", x, x)
    distances = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.min(axis=1).mean()
    np.fill_diagonal(distances, 0)
    if not 0 < nearest < np.inf:  # a single prototype, or every one has a double
        return np.equal(distances, 0).astype(np.float64)
    kernel: NDArray[np.float64] = np.exp(distances / (-2 * width**2 * nearest))
    return kernel


def _columns(ids: NDArray[np.integer]) -> NDArray[np.int64]:
    """Cluster ids as (T, P)."""
    columns: NDArray[np.int64] = np.asarray(ids, dtype=np.int64)
    return columns[:, None] if columns.ndim == 1 else columns
