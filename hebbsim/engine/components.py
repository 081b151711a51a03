"""Principal components, learned one input at a time."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit

__all__ = ["learn_components"]


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
def learn_components(x, order, amnesia, mean, components, seen):
    """Sanger's rule with the step size that needs no tuning (candid form, CCIPCA).

    Component i takes in the part of the input that components 0 .. i-1 leave over, by the
    Hebbian product of that part with its own response:

        v_i <- (1 - w) v_i + w (u_i . v_i / |v_i|) u_i,   w = (1 + amnesia) / n,
        u_{i+1} = u_i - (u_i . v_i) v_i / |v_i|^2,   u_0 = x - mean

    |v_i| tends to the eigenvalue, its direction to the eigenvector. Source: Weng, Zhang &
    Hwang (2003), "Candid covariance-free incremental principal component analysis", IEEE
    TPAMI 25(8), equations 10 and 11; the rule is Sanger's (1989), normalised.

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
        Inputs so far; updated in place. More than 2**20 count as 2**20: a smaller step would
        be lost in the rounding of float32, and the components would stand still for ever.
    """
    n_components, width = components.shape
    unit = components.dtype.type
    # Copies whose rows are whole vectors, unrolled: no rest of a row to go through one by one.
    vectors = np.zeros((n_components, (width + 63) // 64 * 64), components.dtype)
    residual = np.zeros(vectors.shape[1], components.dtype)
    squares = np.zeros(n_components, components.dtype)
    for i in range(n_components):
        for d in range(width):
            vectors[i, d] = components[i, d]
        square = unit(0)
        for d in range(len(residual)):
            square += vectors[i, d] * vectors[i, d]
        squares[i] = square
    for m in range(len(order)):
        row = order[m]
        seen[0] += 1
        n = min(seen[0], 1 << 20)
        step = min(1.0, (1.0 + amnesia) / n) if n > 2 * amnesia else 1.0 / n
        rate = unit(1.0 / n)
        w = unit(step)
        for d in range(width):
            mean[d] += rate * (x[row, d] - mean[d])
        for d in range(width):
            residual[d] = x[row, d] - mean[d]
        dot = unit(0)
        for d in range(len(residual)):
            dot += vectors[0, d] * residual[d]
        for i in range(min(n_components, n)):
            if squares[i] <= 0:  # its first input
                square = unit(0)
                for d in range(len(residual)):
                    vectors[i, d] = residual[d]
                for d in range(len(residual)):
                    square += residual[d] * residual[d]
                squares[i] = square
                break
            square, dot = take_in(vectors, i, residual, w, dot, squares)
            squares[i] = square
            if i + 1 == n_components:
                break
            out = dot / square if square > 0 else unit(0)
            dot = leave_over(vectors, i, residual, out)
    for i in range(n_components):
        for d in range(width):
            components[i, d] = vectors[i, d]
