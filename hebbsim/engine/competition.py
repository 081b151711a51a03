"""Competition for prototypes, one input at a time, and the winners once it has settled."""

from __future__ import annotations

from hebbsim.engine._jit import njit

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
    unit = type(squares[0])
    zero = unit(0)
    rate = unit(1.0 / (20 * n_prototypes))
    for m in range(len(order)):
        row = x[order[m]]
        bias = unit(conscience) * spread[0]
        winner = 0
        best = unit(-3.0e38)
        for k in range(n_prototypes):
            p = prototypes[k]
            dot = zero
            for d in range(width):
                dot += row[d] * p[d]
            score = 2 * dot - squares[k] - bias * (n_prototypes * share[k] - 1)
            if score > best:
                best = score
                winner = k
        for k in range(n_prototypes):
            share[k] -= rate * share[k]
        share[winner] += rate
        wins[winner] += 1
        step = unit(1) / min(wins[winner], unit(memory))
        p = prototypes[winner]
        distance = zero
        for d in range(width):
            distance += (row[d] - p[d]) * (row[d] - p[d])
        for d in range(width):
            p[d] += step * (row[d] - p[d])
        square = zero
        for d in range(width):
            square += p[d] * p[d]
        squares[winner] = square
        spread[0] += unit(0.001) * (distance - spread[0])


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
    n_prototypes, width = prototypes.shape
    unit = type(squares[0])
    for n in range(len(x)):
        row = x[n]
        winner = 0
        best = unit(-3.0e38)
        for k in range(n_prototypes):
            p = prototypes[k]
            dot = unit(0)
            for d in range(width):
                dot += row[d] * p[d]
            score = 2 * dot - squares[k]
            if score > best:
                best = score
                winner = k
        out[n] = winner
