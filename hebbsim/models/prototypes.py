"""Prototypes that inputs compete for, with everything the competition remembers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.competition import compete, nearest

__all__ = ["MEMORY", "Prototypes", "softmax", "unit_rows"]

#: Inputs that a prototype is a mean of, at most: a step is never below 1 / MEMORY. A smaller
#: one is lost in the rounding of float32, and the prototype would stand still for ever.
MEMORY = 2.0**20


def unit_rows(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows at length one; a row of zeros stays."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x))[:, None]
    return x / np.maximum(length, np.float32(1e-12))


def softmax(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """Shares of every row, in place of the scores."""
    score -= score.max(axis=1, keepdims=True)
    np.exp(score, out=score)
    score /= score.sum(axis=1, keepdims=True)
    return score


def rounded(wins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wins as `hebbsim.engine.competition.compete` counts them."""
    return np.where(wins < 2**24, np.float32(wins), wins)


class Prototypes:
    """K prototypes in D dimensions, started from inputs, moved by competition alone.

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
        The prototypes start at K of these rows.
    n_prototypes : int
    weights : ndarray, shape=(N,), or None
        How likely each row is to be a start.
    conscience : float
    memory : float
        See `hebbsim.engine.competition.compete`.
    rng : numpy.random.Generator
    """

    def __init__(
        self,
        x: NDArray[np.float32],
        n_prototypes: int,
        *,
        rng: np.random.Generator,
        weights: NDArray[np.float64] | None = None,
        conscience: float = 3.0,
        memory: float = MEMORY,
    ) -> None:
        p = None if weights is None else weights / weights.sum()
        enough = len(x) if p is None else int((p > 0).sum())
        start = rng.choice(len(x), n_prototypes, replace=enough < n_prototypes, p=p)
        self.conscience = float(conscience)
        self.memory = float(memory)
        self.centres = np.ascontiguousarray(x[start], dtype=np.float32)
        self.squares = np.einsum("kd,kd->k", self.centres, self.centres)
        self.wins = np.ones(n_prototypes)
        self.share = np.full(n_prototypes, 1 / n_prototypes, dtype=np.float32)
        self.spread = np.zeros(1, dtype=np.float32)

    def learn(self, x: NDArray[np.float32], order: NDArray[np.int64], *, fair: bool = True) -> None:
        """Let rows of `x` compete in the order given; without conscience if not `fair`."""
        compete(
            np.ascontiguousarray(x),
            order,
            np.float32(self.conscience if fair else 0),
            self.memory,
            self.centres,
            self.squares,
            self.wins,
            self.share,
            self.spread,
        )

    def forget(self, keep: float) -> None:
        """Let the past weigh less, so that prototypes move faster in the next epoch."""
        self.wins = np.maximum(rounded(self.wins * float(np.float32(keep))), 1.0)

    def winners(self, x: NDArray[np.float32]) -> NDArray[np.int32]:
        """Number of the closest prototype of every row, shape=(N,)."""
        out = np.empty(len(x), dtype=np.int32)
        nearest(np.ascontiguousarray(x), self.centres, self.squares, out)
        return out

    def soft(self, x: NDArray[np.float32], sharpness: float) -> NDArray[np.float32]:
        """Soft winners, shape=(N, K): softmax of `sharpness` times the cosine."""
        return softmax(np.float32(sharpness) * (unit_rows(x) @ unit_rows(self.centres).T))
