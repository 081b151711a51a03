"""The closest prototype: which category a token falls into once it has learned."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply_rows

__all__ = ["nearest"]


@njit
def nearest(x, prototypes, squares, out):
    """The closest prototype of every row of `x`, the first where two are equally close.

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
    prototypes : ndarray of float32, shape=(K, D)
    squares : ndarray of float32, shape=(K,)
        Their squared norms.
    out : ndarray of int32, shape=(N,)
        Filled.
    """
    n_prototypes = len(prototypes)
    unit = prototypes.dtype.type
    dots = np.empty((16, n_prototypes), prototypes.dtype)
    for start in range(0, len(x), 16):
        n = min(16, len(x) - start)
        rows = x[start : start + n]
        for k in range(0, n_prototypes, 4):
            for i in range(0, n, 4):
                multiply_rows(rows, i, prototypes, k, dots)
        for i in range(n):
            winner = 0
            best = unit(-3.0e38)
            for k in range(n_prototypes):
                score = 2 * dots[i, k] - squares[k]
                if score > best:
                    best = score
                    winner = k
            out[start + i] = winner
