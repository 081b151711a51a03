"""The delta rule as a predictor of codes, from dense inputs and a few active features."""

from __future__ import annotations

from hebbsim.engine._jit import njit

__all__ = ["learn_prediction"]


@njit
def learn_prediction(
    x, target, order, eta, power, weights, bias, active, n_active, feature_weights, error
):
    """Predict the target from the input, correct every weight by its share of the error.

        e = target - (W x + F a + b),   W += eta_n e (g * x)' / (x' g x + |a| + 1),  g = 1 / power

    a is a binary vector with few ones. The delta rule (Widrow & Hoff 1960), normalised by
    the input (NLMS), each input gained by its own mean square (`power`), so that common and
    rare inputs are learned alike; eta_n is `eta` of the n-th input.

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
    target : ndarray of float32, shape=(N, P)
    order : ndarray of int64, shape=(M,)
        Rows in the order in which they are learned.
    eta : ndarray of float32, shape=(M,)
        Between 0 and 1.
    power : ndarray of float32, shape=(D,)
        Mean square of every input, above 0.
    weights : ndarray of float32, shape=(D, P)
        Updated in place, as are the next two.
    bias : ndarray of float32, shape=(P,)
    active : ndarray of int32, shape=(N, A)
        Features of every row; the first ``n_active[row]`` count.
    n_active : ndarray of int32, shape=(N,)
    feature_weights : ndarray of float32, shape=(F, P)
    error : ndarray of float32, shape=(P,)
        Work space.
    """
    width = x.shape[1]
    n_out = target.shape[1]
    unit = type(bias[0])
    for m in range(len(order)):
        row = x[order[m]]
        goal = target[order[m]]
        features = active[order[m]]
        size = unit(1 + n_active[order[m]])
        for p in range(n_out):
            error[p] = goal[p] - bias[p]
        for d in range(width):
            value = row[d]
            if value != 0:
                w = weights[d]
                for p in range(n_out):
                    error[p] -= value * w[p]
                size += value * value / power[d]
        for a in range(n_active[order[m]]):
            w = feature_weights[features[a]]
            for p in range(n_out):
                error[p] -= w[p]
        rate = eta[m] / size
        for p in range(n_out):
            bias[p] += rate * error[p]
        for d in range(width):
            if row[d] != 0:
                w = weights[d]
                pull = rate * row[d] / power[d]
                for p in range(n_out):
                    w[p] += pull * error[p]
        for a in range(n_active[order[m]]):
            w = feature_weights[features[a]]
            for p in range(n_out):
                w[p] += rate * error[p]
