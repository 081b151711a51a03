"""Vector operations that several rules share."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.memory import copy_values


@njit
def dot(w, h):
    total = np.float32(0)
    for j in range(len(h)):
        total += w[j] * h[j]
    return total


@njit
def four_dots(weights, i, h):
    """Products of rows i to i + 3 with h, in one pass; past the end, the last row is repeated."""
    last = len(weights) - 1
    i1, i2, i3 = min(i + 1, last), min(i + 2, last), min(i + 3, last)
    s0 = s1 = s2 = s3 = np.float32(0)
    for j in range(len(h)):
        s0 += weights[i, j] * h[j]
        s1 += weights[i1, j] * h[j]
        s2 += weights[i2, j] * h[j]
        s3 += weights[i3, j] * h[j]
    return s0, s1, s2, s3


@njit
def respond(weights, h, y):
    """y = W h."""
    for i in range(0, len(weights), 4):
        products = four_dots(weights, i, h)
        for k in range(min(4, len(weights) - i)):
            y[i + k] = products[k]


@njit
def fill_post(weights, h, x, clamped, y):
    """y = x if the post side is clamped to the token, else y = W h."""
    if clamped:
        copy_values(x, y)
    else:
        respond(weights, h, y)


@njit
def add_scaled(w, factor, h):
    """w += factor h."""
    for j in range(len(h)):
        w[j] += factor * h[j]


@njit
def count(seen, tau):
    """Count a token; return the step ``1 / min(t, tau)`` of a running mean.

    The mean is then unbiased from the first token on. `seen`, one float32 of the state, is exact:
    it counts no further than tau, or 2**24.
    """
    seen[0] = min(seen[0] + np.float32(1), max(tau, np.float32(1)))
    return np.float32(1) / seen[0]


@njit
def normalise(h, power, step, floor, along):
    """Update the power of every input, fill `along` with h / power; return 1 + h · along.

    The power is a running mean square; below `floor` it counts as `floor`.
    """
    for j in range(len(h)):
        power[j] += step * (h[j] * h[j] - power[j])
    for j in range(len(h)):
        # Power 0 means input 0: with a floor of 0, this would be 0 / 0.
        along[j] = h[j] / max(power[j], floor) if power[j] > 0 else np.float32(0)
    return np.float32(1) + dot(h, along)


@njit
def share_out(y):
    """y = softmax(y)."""
    largest = y[0]
    for i in range(len(y)):
        largest = max(largest, y[i])
    for i in range(len(y)):
        y[i] = np.exp(y[i] - largest)
    total = np.float32(0)
    for i in range(len(y)):
        total += y[i]
    for i in range(len(y)):
        y[i] /= total
