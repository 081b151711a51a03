"""Competition for prototypes, one input at a time, and the winners once it has settled.

Sixteen inputs at a time are compared with all prototypes, four by four, so that every value
loaded is used four times. In the competition one prototype moves after every input; what
that changes for the inputs still to come follows from the products among the inputs alone:

    x_j . (p + s (x_i - p)) = x_j . p + s (x_j . x_i - x_j . p)

so nothing is compared twice, and nothing competes with a prototype of yesterday.
"""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply_rows

__all__ = ["compete", "nearest"]


@njit
def compete(x, order, conscience, memory, prototypes, squares, wins, share, spread):
    """Winner-take-all with conscience: the winner moves towards the input, alone.

        winner = argmin_k |x - p_k|^2 + conscience * spread * (K share_k - 1)
        p_winner += (x - p_winner) / min(wins_winner, memory)

    The conscience (DeSieno 1988) holds back prototypes that win more than their share 1/K,
    in units of `spread`, the running mean of the winner's squared distance, so that it means
    the same for inputs of any size. With 1/wins as step a prototype is the mean of what it
    won (MacQueen 1967).

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
    order : ndarray of int64, shape=(M,)
        Rows of `x` in the order in which they compete; a row may come again.
    conscience : float
        0 is plain k-means, online.
    memory : float
        A step never falls below 1 / memory. Above about 2**20 a prototype of float32 stands
        still: what it is to move by is lost in rounding.
    prototypes : ndarray of float32, shape=(K, D)
        Updated in place.
    squares : ndarray of float32, shape=(K,)
        Squared norm of every prototype; kept up to date.
    wins : ndarray of float64, shape=(K,)
        Inputs won; updated in place. Rounded to float32 as long as that counts one by one,
        up to 2**24, and no longer.
    share : ndarray of float32, shape=(K,)
        Running share of the wins, over the last 20 K inputs; updated in place.
    spread : ndarray of float32, shape=(1,)
        Updated in place.
    """
    n_prototypes, width = prototypes.shape
    unit = prototypes.dtype.type
    rate = unit(1.0 / (20 * n_prototypes))
    block = np.empty((16, width), prototypes.dtype)
    among = np.empty((16, 16), prototypes.dtype)
    dots = np.empty((16, n_prototypes), prototypes.dtype)
    score = np.empty(n_prototypes, prototypes.dtype)
    for start in range(0, len(order), 16):
        n = min(16, len(order) - start)
        for i in range(n):
            source = order[start + i]
            for d in range(width):
                block[i, d] = x[source, d]
        rows = block[:n]
        for k in range(0, n_prototypes, 4):
            for i in range(0, n, 4):
                multiply_rows(rows, i, prototypes, k, dots)
        for i in range(0, n, 4):
            for j in range(i, n, 4):
                multiply_rows(rows, i, rows, j, among)
        faded = unit(1)  # what is left, by now, of the shares at the start of the block
        for i in range(n):
            pull = unit(conscience) * spread[0] * n_prototypes * faded
            for k in range(n_prototypes):
                score[k] = 2 * dots[i, k] - squares[k] - pull * share[k]
            winner = 0
            best = unit(-3.0e38)
            for k in range(n_prototypes):
                if score[k] > best:
                    best = score[k]
                    winner = k
            faded -= rate * faded
            share[winner] += rate / faded
            won = wins[winner] + 1.0
            if won < 16777216.0:
                won = np.float64(unit(won))
            wins[winner] = won
            step = unit(1) / unit(min(won, memory))
            distance = unit(0)
            for d in range(width):
                away = block[i, d] - prototypes[winner, d]
                distance += away * away
            for d in range(width):
                prototypes[winner, d] += step * (block[i, d] - prototypes[winner, d])
            square = unit(0)
            for d in range(width):
                square += prototypes[winner, d] * prototypes[winner, d]
            squares[winner] = square
            for j in range(i + 1, n):
                dots[j, winner] += step * (among[i, j] - dots[j, winner])
            spread[0] += unit(0.001) * (distance - spread[0])
        for k in range(n_prototypes):
            share[k] *= faded


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
