"""Principal components, learned one input at a time."""

from __future__ import annotations

from hebbsim.engine._jit import njit

__all__ = ["learn_components"]


@njit
def learn_components(x, order, amnesia, mean, components, seen, residual):
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
        Inputs so far; updated in place.
    residual : ndarray of float32, shape=(D,)
        Work space.
    """
    n_components, width = components.shape
    for m in range(len(order)):
        row = x[order[m]]
        seen[0] += 1
        n = seen[0]
        step = min(1.0, (1.0 + amnesia) / n) if n > 2 * amnesia else 1.0 / n
        rate = type(mean[0])(1.0 / n)
        w = type(mean[0])(step)
        for d in range(width):
            mean[d] += rate * (row[d] - mean[d])
        for d in range(width):
            residual[d] = row[d] - mean[d]
        for i in range(min(n_components, n)):
            v = components[i]
            square = v[0] * 0
            dot = v[0] * 0
            for d in range(width):
                square += v[d] * v[d]
            for d in range(width):
                dot += v[d] * residual[d]
            if square <= 0:  # its first input
                for d in range(width):
                    v[d] = residual[d]
                break
            pull = w * dot / square ** type(mean[0])(0.5)
            for d in range(width):
                v[d] += pull * residual[d] - w * v[d]
            square = v[0] * 0
            dot = v[0] * 0
            for d in range(width):
                square += v[d] * v[d]
            for d in range(width):
                dot += v[d] * residual[d]
            if square > 0:
                out = dot / square
                for d in range(width):
                    residual[d] -= out * v[d]
