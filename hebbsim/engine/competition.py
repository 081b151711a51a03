"""Nearest prototype: the cluster of a token once the prototypes have been learned."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply_rows


@njit
def nearest(x, prototypes, squares, out):
    """Fill `out`, int32 of shape=(N,), with the nearest prototype of every row of `x`.

    `x`, shape=(N, D), and `prototypes`, shape=(K, D), are float32; `squares` are the squared
    norms of the prototypes. Of equally near ones, the first.
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
