"""Names clusters by roles: the only step of a zero-label run that uses labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hebbsim.errors import BadInputError

#: Number of tokens compared with all prototypes at a time, which bounds memory use.
_BLOCK = 4096


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


class Memberships(NamedTuple):
    """Soft assignment of each of T tokens to its M nearest clusters.

    Attributes
    ----------
    clusters : ndarray of int32, shape=(T, M)
        Cluster numbers, the nearest first.
    shares : ndarray of float32, shape=(T, M)
        Weight of each cluster; rows sum to one.

    Examples
    --------
    >>> shares = np.array([[0.9, 0.1], [0.6, 0.4]], dtype=np.float32)
    >>> found = Memberships(np.array([[3, 1], [0, 3]], dtype=np.int32), shares)
    >>> found.part(slice(1)).clusters.tolist()
    [[3, 1]]
    """

    clusters: NDArray[np.int32]
    shares: NDArray[np.float32]

    def part(self, tokens: NDArray[np.bool_] | slice) -> Memberships:
        """The memberships of some tokens."""
        return Memberships(self.clusters[tokens], self.shares[tokens])


def memberships(
    vectors: NDArray[np.float32], prototypes: NDArray[np.float32], n: int = 8
) -> Memberships:
    """Assign every token softly to its nearest prototypes, without labels.

    The share of a prototype at distance d is proportional to exp(-d^2 / s^2), where s is the root
    mean square distance of a prototype from the nearest other one.

    Parameters
    ----------
    vectors : ndarray, shape=(T, D)
    prototypes : ndarray, shape=(K, D)
    n : int, default=8
        M, the number of prototypes per token (at most K); 1 gives a hard assignment.

    Examples
    --------
    >>> found = memberships(np.array([[0.0], [0.4]]), np.array([[0.0], [1.0]]))
    >>> found.clusters.tolist(), (100 * found.shares).round().tolist()
    ([[0, 1], [0, 1]], [[73.0, 27.0], [55.0, 45.0]])
    """
    n = min(n, len(prototypes))
    scale = _spacing(_distances(prototypes, prototypes))
    clusters = np.empty((len(vectors), n), dtype=np.int32)
    shares = np.empty((len(vectors), n), dtype=np.float32)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        distances = _distances(vectors[block], prototypes)
        nearest = np.sort(np.argpartition(distances, n - 1, axis=1)[:, :n], axis=1)
        found = np.take_along_axis(distances, nearest, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        clusters[block] = np.take_along_axis(nearest, order, axis=1)
        # Of coinciding prototypes, the first counts, as in `engine.competition.nearest`.
        clusters[block, 0] = distances.argmin(axis=1)
        found = np.take_along_axis(found, order, axis=1)
        weights = np.exp((found[:, :1] - found) / scale)
        shares[block] = weights / weights.sum(axis=1, keepdims=True)
    return Memberships(clusters, shares)


class SoftReadout:
    """Map soft cluster memberships to roles, fitted on a labelled set of tokens, usually dev.

    The score of a role for a token is the average of its clusters' values, weighted by shares:

        score[t, r] = sum_c share[t, c] * value[c, r]

    The values are the posterior mean of a Gaussian process over prototypes (Rasmussen &
    Williams 2006, eq. 2.25), which observes the roles of the labelled tokens and whose prior mean
    are the role frequencies. One part of the prior covariance is shared by nearby prototypes, so
    that few labelled sentences suffice to name clusters without labelled tokens; the rest is
    specific to each cluster. P learners vote by their summed log scores.

    Parameters
    ----------
    width : float, default=2.5
        Standard deviation of the Gaussian kernel of the shared part, in units of the root mean
        square distance of a prototype from the nearest other one (above 0).
    own : float, default=0.2
        Cluster-specific part of the covariance (0 to 1).
    noise : float, default=0.1
        Noise variance of one labelled token (above 0).

    Attributes
    ----------
    roles_ : ndarray of str, shape=(R,)
        The roles that occur, sorted.
    values_ : list of P ndarrays of float64, shape=(K, R)
        Value of every role for every cluster.

    Examples
    --------
    >>> prototypes = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> labelled = memberships(prototypes[[0, 0, 2]], prototypes)
    >>> readout = SoftReadout().fit([labelled], ["SUBJ", "SUBJ", "OBJ"], [prototypes])
    >>> readout.predict([memberships(np.array([[1.2], [10.9]]), prototypes)]).tolist()
    ['SUBJ', 'OBJ']
    """

    roles_: NDArray[np.str_]
    values_: list[NDArray[np.float64]]

    def __init__(self, *, width: float = 2.5, own: float = 0.2, noise: float = 0.1) -> None:
        self.width, self.own, self.noise = width, own, noise

    def fit(
        self,
        members: Sequence[Memberships],
        roles: NDArray[np.str_],
        prototypes: Sequence[NDArray[np.floating]],
    ) -> SoftReadout:
        """Fit the values of the clusters of every learner.

        Parameters
        ----------
        members : sequence of P Memberships
            Memberships of the same labelled tokens in each learner.
        roles : array-like of str, shape=(T,)
        prototypes : sequence of P ndarrays, shape=(K, D)

        Raises
        ------
        BadInputError
            There are no tokens, roles or prototypes do not match the memberships, or a parameter
            is out of range.
        """
        if not self.width > 0 or not self.noise > 0 or not 0 <= self.own <= 1:
            raise BadInputError(
                f"width {self.width} and noise {self.noise} must be above 0, "
                f"own {self.own} between 0 and 1"
            )
        roles = np.asarray(roles)
        if not roles.size:
            raise BadInputError("the read-out needs labelled tokens and got none")
        if len(prototypes) != len(members):
            raise BadInputError(f"prototypes of {len(prototypes)} learners for {len(members)}")
        for found in members:
            if roles.shape != (len(found.clusters),):
                raise BadInputError(
                    f"memberships of {len(found.clusters)} tokens, but roles of shape {roles.shape}"
                )
        self.roles_, codes = np.unique(roles, return_inverse=True)
        observed = np.eye(len(self.roles_))[codes]
        self._frequencies = observed.mean(axis=0)
        self.values_ = [
            self._frequencies + self._deviation(found, observed - self._frequencies, centres)
            for found, centres in zip(members, prototypes, strict=True)
        ]
        return self

    def _deviation(
        self, found: Memberships, observed: NDArray[np.float64], prototypes: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Posterior mean of a zero-mean process, shape=(K, R)."""
        shares = _matrix(found, len(prototypes))
        distances = _distances(prototypes, prototypes)
        reach = -2 * self.width**2 * _spacing(distances)
        prior = (1 - self.own) * np.exp(distances / reach) + self.own * np.eye(len(prototypes))
        # The posterior in terms of the K clusters, of which there are fewer than tokens.
        precision = (shares.T @ shares).toarray() @ prior + self.noise * np.eye(len(prior))
        return prior @ np.linalg.solve(precision, shares.T @ observed)

    def predict(self, members: Sequence[Memberships]) -> NDArray[np.str_]:
        """Role of every token, shape=(T,).

        Raises
        ------
        BadInputError
            The number of learners differs from that of `fit`.
        """
        return self.roles_[self._score(members).argmax(axis=1)]

    def probabilities(self, members: Sequence[Memberships]) -> NDArray[np.float64]:
        """Probability of every role for every token, shape=(T, R).

        Learners are combined by their geometric mean; `predict` returns the argmax.
        """
        shares: NDArray[np.float64] = np.exp(self._score(members) / len(members))
        return shares / shares.sum(axis=1, keepdims=True)

    def _score(self, members: Sequence[Memberships]) -> NDArray[np.float64]:
        """Summed log scores, shape=(T, R)."""
        if len(members) != len(self.values_):
            raise BadInputError(f"fitted on {len(self.values_)} learners, given {len(members)}")
        total = np.zeros((len(members[0].clusters), len(self.roles_)))
        for found, values in zip(members, self.values_, strict=True):
            # Values may lie outside [0, 1]; a single learner must not exclude a role.
            score = np.clip(_matrix(found, len(values)) @ values, 1e-3, 1)
            total += np.log(score / score.sum(axis=1, keepdims=True))
        return total


def _matrix(found: Memberships, n_clusters: int) -> csr_array:
    """Shares of all K clusters as a sparse matrix, shape=(T, K)."""
    n_tokens, n = found.clusters.shape
    edges = np.arange(0, n_tokens * n + 1, n)
    parts = (found.shares.ravel().astype(np.float64), found.clusters.ravel(), edges)
    return csr_array(parts, shape=(n_tokens, n_clusters))


def _distances(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared distances, shape=(len(x), len(y))."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    squares = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y)
    return np.maximum(squares - 2 * x @ y.T, 0)


def _spacing(distances: NDArray[np.float64]) -> float:
    """Mean squared distance of a prototype from the nearest other one."""
    others = distances + np.diag(np.full(len(distances), np.inf))
    spacing = float(others.min(axis=1).mean())
    # With one distinct prototype, any unit will do.
    return spacing if 0 < spacing < np.inf else 1.0
