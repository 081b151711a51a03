"""Principal components, learned one input at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import njit

__all__ = ["CCIPCA", "MOST_SEEN", "learn_components", "learn_input"]

#: Inputs that count: a smaller step than one over this would be lost in the rounding of float32,
#: and the components would stand still for ever.
MOST_SEEN = 1 << 20


def _take_in(vectors, i, residual, w, dot, squares):
    unit = vectors.dtype.type
    vectors[i] = (unit(1) - w) * vectors[i] + w * dot / squares[i] ** unit(0.5) * residual
    return vectors[i] @ vectors[i], vectors[i] @ residual


@njit(plain=_take_in)
def take_in(vectors, i, residual, w, dot, squares):
    """v_i <- (1 - w) v_i + w dot / |v_i| u; its square and its product with u."""
    unit = vectors.dtype.type
    fade = unit(1) - w
    pull = w * dot / squares[i] ** unit(0.5)
    for d in range(len(residual)):
        vectors[i, d] = fade * vectors[i, d] + pull * residual[d]
    square = unit(0)
    dot = unit(0)
    for d in range(len(residual)):
        square += vectors[i, d] * vectors[i, d]
        dot += vectors[i, d] * residual[d]
    return square, dot


def _leave_over(vectors, i, residual, out):
    residual -= out * vectors[i]
    return vectors[i + 1] @ residual


@njit(plain=_leave_over)
def leave_over(vectors, i, residual, out):
    """u <- u - out v_i; v_{i+1} . u."""
    for d in range(len(residual)):
        residual[d] -= out * vectors[i, d]
    dot = vectors.dtype.type(0)
    for d in range(len(residual)):
        dot += vectors[i + 1, d] * residual[d]
    return dot


@njit
def unrolled(components):
    """A copy whose rows are whole vectors, and their squares.

    Loops over such rows are unrolled, with no rest of a row to go through one by one.
    """
    n_components, width = components.shape
    vectors = np.zeros((n_components, (width + 63) // 64 * 64), components.dtype)
    squares = np.empty(n_components, components.dtype)
    for i in range(n_components):
        for d in range(width):
            vectors[i, d] = components[i, d]
        square = components.dtype.type(0)
        for d in range(vectors.shape[1]):
            square += vectors[i, d] * vectors[i, d]
        squares[i] = square
    return vectors, squares


@njit
def learn_input(x, row, n, rate, amnesia, mean, vectors, squares, residual, response):
    """Take in one row of `x`, the n-th input.

    Parameters
    ----------
    rate : float
        Factor of the step, 1 in the paper; with 0 nothing changes but `response`.
    mean, vectors, squares
        Updated in place.
    residual : ndarray, of the width of `vectors`, zero beyond `mean`
        Work space.
    response : ndarray, shape=(P,)
        Filled with u_i . v_i / |v_i|, by the v_i of before.
    """
    n_components = len(vectors)
    unit = vectors.dtype.type
    learning = rate > 0
    step = (1.0 + amnesia) / n if n > 2 * amnesia else 1.0 / n
    w = unit(min(1.0, rate * step))
    if learning:
        share = unit(1.0 / n)
        for d in range(len(mean)):
            mean[d] += share * (x[row, d] - mean[d])
    for d in range(len(mean)):
        residual[d] = x[row, d] - mean[d]
    for i in range(n_components):
        response[i] = 0
    dot = unit(0)
    for d in range(len(residual)):
        dot += vectors[0, d] * residual[d]
    for i in range(n_components):
        square = squares[i]
        if square > 0:
            response[i] = dot / square ** unit(0.5)
            if learning and i < n:
                square, dot = take_in(vectors, i, residual, w, dot, squares)
                squares[i] = square
        elif not learning:
            break
        else:  # its first input
            for d in range(len(residual)):
                vectors[i, d] = residual[d]
            for d in range(len(residual)):
                square += residual[d] * residual[d]
            squares[i] = square
            break
        if i + 1 == n_components:
            break
        out = dot / square if square > 0 else unit(0)
        dot = leave_over(vectors, i, residual, out)


@njit
def learn_components(x, order, amnesia, mean, components, seen):
    """Candid covariance-free incremental principal components (CCIPCA).

    Component i takes in the part of the input that components 0 .. i-1 leave over, by the
    Hebbian product of that part with its own response:

        v_i <- (1 - w) v_i + w (u_i . v_i / |v_i|) u_i,   w = (1 + amnesia) / n,
        u_{i+1} = u_i - (u_i . v_i) v_i / |v_i|^2,   u_0 = x - mean

    |v_i| tends to the eigenvalue, its direction to the eigenvector. Source: Weng, Zhang &
    Hwang (2003), "Candid covariance-free incremental principal component analysis", IEEE
    TPAMI 25(8), equations 10 and 11. It is Sanger's rule (1989), normalised, with a step size
    that needs no tuning.

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
    order : ndarray of int64, shape=(M,)
        Rows of `x` in the order in which they are seen; a row may come again.
    amnesia : float
        Weight on recent inputs (2 to 4 while earlier responses were poor, 0 for a plain mean).
    mean : ndarray of float32, shape=(D,)
        Running mean; updated in place.
    components : ndarray of float32, shape=(P, D)
        Updated in place; all zero before the first input.
    seen : ndarray of int64, shape=(1,)
        Inputs so far; updated in place. More than `MOST_SEEN` count as that many.
    """
    vectors, squares = unrolled(components)
    residual = np.zeros(vectors.shape[1], components.dtype)
    response = np.empty(len(components), components.dtype)
    for m in range(len(order)):
        seen[0] += 1
        n = min(seen[0], MOST_SEEN)
        learn_input(x, order[m], n, 1.0, amnesia, mean, vectors, squares, residual, response)
    for i in range(len(components)):
        for d in range(components.shape[1]):
            components[i, d] = vectors[i, d]


class CCIPCA:
    """The P directions of largest variance of inputs in D dimensions, and their mean (CCIPCA).

    Parameters
    ----------
    n_components, n_inputs : int
        P and D.
    amnesia : float
        See `learn_components`.
    """

    def __init__(self, n_components: int, n_inputs: int, amnesia: float = 2.0) -> None:
        self.amnesia = float(amnesia)
        self.mean = np.zeros(n_inputs, dtype=np.float32)
        self.components = np.zeros((min(n_components, n_inputs), n_inputs), dtype=np.float32)
        self.seen = np.zeros(1, dtype=np.int64)

    def learn(self, x: NDArray[np.float32], order: NDArray[np.int64]) -> None:
        """Take in rows of `x` in the order given."""
        learn_components(
            np.ascontiguousarray(x),
            order,
            np.float32(self.amnesia),
            self.mean,
            self.components,
            self.seen,
        )

    def project(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates of every row along the components, shape=(N, P)."""
        length = np.sqrt(np.einsum("pd,pd->p", self.components, self.components))
        directions = self.components / np.maximum(length, np.float32(1e-12))[:, None]
        # The mean is taken away afterwards: x may be large, and is not to be copied.
        return x @ directions.T - directions @ self.mean
