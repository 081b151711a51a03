"""Naming clusters softly: tokens belong to several, and clusters learn from their neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from hebbsim.errors import BadInputError

#: Tokens compared with all prototypes at a time, which bounds the memory.
_BLOCK = 4096


class Memberships(NamedTuple):
    """The M clusters that share each token, the nearest first.

    Attributes
    ----------
    clusters : ndarray of int32, shape=(T, M)
        Cluster numbers.
    shares : ndarray of float32, shape=(T, M)
        How much of the token each cluster has; rows sum to one.

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
    """Share every token among its nearest prototypes. No label is used.

    A prototype at distance d gets a share in proportion to exp(-d^2 / s^2), where s is the root
    mean square distance of a prototype from the nearest other one.

    Parameters
    ----------
    vectors : ndarray, shape=(T, D)
    prototypes : ndarray, shape=(K, D)
    n : int, default=8
        M, the number of prototypes that share a token (K if that is less); with 1 the nearest
        takes all.

    Returns
    -------
    Memberships

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
        # Of prototypes that coincide the first, as in `engine.competition.nearest`.
        clusters[block, 0] = distances.argmin(axis=1)
        found = np.take_along_axis(found, order, axis=1)
        weights = np.exp((found[:, :1] - found) / scale)
        shares[block] = weights / weights.sum(axis=1, keepdims=True)
    return Memberships(clusters, shares)


class SoftReadout:
    """Map clusters to shares of roles, fitted only on a labelled development set.

    A token's score for a role is the mean of its clusters' values, by its shares in them:

        score[t, r] = sum_c share[t, c] * value[c, r]

    The values are the posterior mean of a Gaussian process over prototypes (Rasmussen &
    Williams 2006, eq. 2.25) whose observations are the roles of the labelled tokens and whose
    mean are their frequencies. A part of the prior covariance is common to prototypes that lie
    near one another, so that a few labelled sentences also name clusters that no labelled
    token fell into; the rest is each cluster's own. P learners vote by their summed log scores.

    Parameters
    ----------
    width : float, default=2.5
        Standard deviation of the Gaussian that the common part falls off with, in units of the
        root mean square distance of a prototype from the nearest other one (above 0).
    own : float, default=0.2
        Part of the covariance that is a cluster's own (0 to 1).
    noise : float, default=0.1
        Variance of one labelled token (above 0).

    Attributes
    ----------
    roles_ : ndarray of str, shape=(R,)
        The roles seen, sorted.
    values_ : list of P ndarrays of float64, shape=(K, R)

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
        self.width = width
        self.own = own
        self.noise = noise

    def fit(
        self,
        members: Sequence[Memberships],
        roles: NDArray[np.str_],
        prototypes: Sequence[NDArray[np.floating]],
    ) -> SoftReadout:
        """Learn the values of the clusters of every learner.

        Parameters
        ----------
        members : sequence of P Memberships
            Memberships of the same labelled tokens in each learner.
        roles : array-like of str, shape=(T,)
        prototypes : sequence of P ndarrays, shape=(K, D)

        Raises
        ------
        BadInputError
            There are no tokens, roles or prototypes do not fit the memberships, or a parameter
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
        """Posterior mean of a process with mean zero, shape=(K, R)."""
        shares = _matrix(found, len(prototypes))
        distances = _distances(prototypes, prototypes)
        reach = -2 * self.width**2 * _spacing(distances)
        prior = (1 - self.own) * np.exp(distances / reach) + self.own * np.eye(len(prototypes))
        # The posterior written over the K clusters, of which there are fewer than tokens.
        precision = (shares.T @ shares).toarray() @ prior + self.noise * np.eye(len(prior))
        deviation: NDArray[np.float64] = prior @ np.linalg.solve(precision, shares.T @ observed)
        return deviation

    def predict(self, members: Sequence[Memberships]) -> NDArray[np.str_]:
        """Role of every token, shape=(T,).

        Raises
        ------
        BadInputError
            If the memberships are not of as many learners as it was fitted on.
        """
        return self.roles_[self._score(members).argmax(axis=1)]

    def probabilities(self, members: Sequence[Memberships]) -> NDArray[np.float64]:
        """Of every role for every token, shape=(T, R), the learners' geometric mean.

        The largest is that of the role that `predict` gives.
        """
        shares: NDArray[np.float64] = np.exp(self._score(members) / len(members))
        return shares / shares.sum(axis=1, keepdims=True)

    def _score(self, members: Sequence[Memberships]) -> NDArray[np.float64]:
        """Summed log scores, shape=(T, R)."""
        if len(members) != len(self.values_):
            raise BadInputError(f"fitted on {len(self.values_)} learners, given {len(members)}")
        total = np.zeros((len(members[0].clusters), len(self.roles_)))
        for found, values in zip(members, self.values_, strict=True):
            # A regression may leave [0, 1]; no learner alone rules a role out.
            score = np.clip(_matrix(found, len(values)) @ values, 1e-3, 1)
            total += np.log(score / score.sum(axis=1, keepdims=True))
        return total


def _matrix(found: Memberships, n_clusters: int) -> csr_array:
    """Shares of all clusters, shape=(T, K)."""
    n_tokens, n = found.clusters.shape
    edges = np.arange(0, n_tokens * n + 1, n)
    parts = (found.shares.ravel().astype(np.float64), found.clusters.ravel(), edges)
    return csr_array(parts, shape=(n_tokens, n_clusters))


def _distances(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared distances, shape=(len(x), len(y))."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    squares = np.einsum("ij,ij->i", x, x)[:, None] + np.einsum("ij,ij->i", y, y)
    found: NDArray[np.float64] = np.maximum(squares - 2 * x @ y.T, 0)
    return found


def _spacing(distances: NDArray[np.float64]) -> float:
    """Mean squared distance of a prototype from the nearest other one."""
    others = distances + np.diag(np.full(len(distances), np.inf))
    spacing = float(others.min(axis=1).mean())
    # A single prototype, or none that lies apart: any unit will do.
    return spacing if 0 < spacing < np.inf else 1.0
