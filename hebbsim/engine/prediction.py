"""The delta rule as a predictor, from dense inputs and a few active features."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import add_rows, multiply_rows

__all__ = ["learn_categories", "learn_prediction"]


@njit
def _in_sixteens(n):
    """n, rounded up so that loops over rows are whole vectors."""
    return (n + 15) // 16 * 16


@njit
def learn_prediction(
    x, target, order, eta, power, weights, bias, active, n_active, feature_weights, error
):
    """Predict the target from the input, correct every weight by its share of the error.

        e = target - (W x + F a + b),   W += eta_n e (g * x)' / (x' g x + |a| + 1),  g = 1 / power

    a is a binary vector with few ones. The delta rule (Widrow & Hoff 1960), normalised by
    the input (NLMS), each input gained by its own mean square (`power`), so that common and
    rare inputs are learned alike; eta_n is `eta` of the n-th input.

    Sixteen inputs at a time are multiplied with the weights as they stand; what the first
    of them teach, the later ones see through the products among the inputs. Equal to one
    correction after another, to rounding.

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
    width, n_out = weights.shape
    unit = weights.dtype.type
    columns = np.zeros((n_out, _in_sixteens(width)), weights.dtype)
    for p in range(n_out):
        for d in range(width):
            columns[p, d] = weights[d, p]
    gain = np.empty(width, weights.dtype)
    for d in range(width):
        gain[d] = 1 / power[d]
    inputs = np.zeros((16, columns.shape[1]), weights.dtype)
    gained = np.zeros(inputs.shape, weights.dtype)
    answers = np.empty((16, n_out), weights.dtype)
    among = np.empty((16, 16), weights.dtype)
    change = np.empty((16, n_out), weights.dtype)
    for start in range(0, len(order), 16):
        n = min(16, len(order) - start)
        for i in range(n):
            source = order[start + i]
            for d in range(width):
                inputs[i, d] = x[source, d]
            for d in range(width):
                gained[i, d] = gain[d] * inputs[i, d]
        for p in range(0, n_out, 4):
            for i in range(0, n, 4):
                multiply_rows(inputs, i, columns, p, answers)
        for i in range(0, n, 4):
            for j in range(0, i + 1, 4):
                multiply_rows(inputs, i, gained, j, among)
        for i in range(n):
            source = order[start + i]
            n_features = n_active[source]
            for p in range(n_out):
                error[p] = target[source, p] - bias[p] - answers[i, p]
            for j in range(i):
                for p in range(n_out):
                    error[p] -= among[i, j] * change[j, p]
            for a in range(n_features):
                feature = active[source, a]
                for p in range(n_out):
                    error[p] -= feature_weights[feature, p]
            rate = eta[start + i] / (among[i, i] + unit(1 + n_features))
            for p in range(n_out):
                error[p] *= rate
            for p in range(n_out):
                change[i, p] = error[p]
            for p in range(n_out):
                bias[p] += error[p]
            for a in range(n_features):
                feature = active[source, a]
                for p in range(n_out):
                    feature_weights[feature, p] += error[p]
        for i in range(n, 16):  # a last block that is not full
            for p in range(n_out):
                change[i, p] = 0
        add_rows(change, gained, columns)
    for d in range(width):
        for p in range(n_out):
            weights[d, p] = columns[p, d]


@njit
def learn_categories(
    x, target, order, eta, power, weights, bias, active, n_active, feature_weights, error
):
    """Predict a distribution over categories, correct every weight by its share of the error.

        e = target - softmax(W x + F a + b),   W += eta_n e (g * x)' / (x' g x + |a| + 1)

    As `learn_prediction`, but for the softmax: every input says how much more likely it makes
    each category, and what the inputs say is multiplied, not averaged. The correction is the
    gradient of the cross entropy (softmax regression; Bridle 1990), and as local as that of
    the delta rule.

    Parameters
    ----------
    x : ndarray of float32, shape=(N, D)
    target : ndarray of float32, shape=(N, P)
        Rows sum to one.
    order, eta, power, weights, bias, active, n_active, feature_weights
        As of `learn_prediction`, but that `eta` may be above 1: errors are small where the
        answer is nearly right.
    error : ndarray of float32, shape=(P,)
        Work space.
    """
    width, n_out = weights.shape
    unit = weights.dtype.type
    gained = np.empty(width, weights.dtype)
    for m in range(len(order)):
        source = order[m]
        n_features = n_active[source]
        for p in range(n_out):
            error[p] = bias[p]
        norm = unit(1 + n_features)
        for d in range(width):
            gained[d] = x[source, d] / power[d]
        for d in range(width):
            norm += gained[d] * x[source, d]
        for d in range(width):
            value = x[source, d]
            if value != 0:
                for p in range(n_out):
                    error[p] += value * weights[d, p]
        for a in range(n_features):
            feature = active[source, a]
            for p in range(n_out):
                error[p] += feature_weights[feature, p]
        highest = error.max()
        for p in range(n_out):
            error[p] = np.exp(error[p] - highest)
        total = unit(0)
        for p in range(n_out):
            total += error[p]
        rate = eta[m] / norm
        for p in range(n_out):
            error[p] = rate * (target[source, p] - error[p] / total)
        for p in range(n_out):
            bias[p] += error[p]
        for d in range(width):
            value = gained[d]
            if value != 0:
                for p in range(n_out):
                    weights[d, p] += value * error[p]
        for a in range(n_features):
            feature = active[source, a]
            for p in range(n_out):
                feature_weights[feature, p] += error[p]
