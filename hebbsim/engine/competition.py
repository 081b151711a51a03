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

__all__ = ["compete", "nearest"]


@njit
def _multiply_rows(a, i, b, k, out):
    """out[i : i + 4, k : k + 4] = a[i : i + 4] @ b[k : k + 4].T, as far as there are rows.

    Sixteen sums in one loop over whole arrays: views would be counted references, and an
    array to add to might overlap the others for all that the compiler knows. Past the end
    the last row is taken again, so that every product is the same sum in the same order.
    """
    i1, i2, i3 = min(i + 1, len(a) - 1), min(i + 2, len(a) - 1), min(i + 3, len(a) - 1)
    k1, k2, k3 = min(k + 1, len(b) - 1), min(k + 2, len(b) - 1), min(k + 3, len(b) - 1)
    zero = out.dtype.type(0)
    s00 = s01 = s02 = s03 = zero
    s10 = s11 = s12 = s13 = zero
    s20 = s21 = s22 = s23 = zero
    s30 = s31 = s32 = s33 = zero
    for d in range(a.shape[1]):
        a0, a1, a2, a3 = a[i, d], a[i1, d], a[i2, d], a[i3, d]
        b0, b1, b2, b3 = b[k, d], b[k1, d], b[k2, d], b[k3, d]
        s00 += a0 * b0
        s01 += a0 * b1
        s02 += a0 * b2
        s03 += a0 * b3
        s10 += a1 * b0
        s11 += a1 * b1
        s12 += a1 * b2
        s13 += a1 * b3
        s20 += a2 * b0
        s21 += a2 * b1
        s22 += a2 * b2
        s23 += a2 * b3
        s30 += a3 * b0
        s31 += a3 * b1
        s32 += a3 * b2
        s33 += a3 * b3
    out[i, k], out[i, k1], out[i, k2], out[i, k3] = s00, s01, s02, s03
    out[i1, k], out[i1, k1], out[i1, k2], out[i1, k3] = s10, s11, s12, s13
    out[i2, k], out[i2, k1], out[i2, k2], out[i2, k3] = s20, s21, s22, s23
    out[i3, k], out[i3, k1], out[i3, k2], out[i3, k3] = s30, s31, s32, s33


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
        A step never falls below 1 / memory.
    prototypes : ndarray of float32, shape=(K, D)
        Updated in place.
    squares : ndarray of float32, shape=(K,)
        Squared norm of every prototype; kept up to date.
    wins : ndarray of float32, shape=(K,)
        Inputs won; updated in place.
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
                _multiply_rows(rows, i, prototypes, k, dots)
        for i in range(0, n, 4):
            for j in range(i, n, 4):
                _multiply_rows(rows, i, rows, j, among)
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
            wins[winner] += 1
            step = unit(1) / min(wins[winner], unit(memory))
            distance = unit(0)
            square = unit(0)
            for d in range(width):
                away = block[i, d] - prototypes[winner, d]
                moved = prototypes[winner, d] + step * away
                prototypes[winner, d] = moved
                distance += away * away
                square += moved * moved
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
                _multiply_rows(rows, i, prototypes, k, dots)
        for i in range(n):
            winner = 0
            best = unit(-3.0e38)
            for k in range(n_prototypes):
                score = 2 * dots[i, k] - squares[k]
                if score > best:
                    best = score
                    winner = k
            out[start + i] = winner
