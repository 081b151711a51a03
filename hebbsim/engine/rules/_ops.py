"""Steps that several rules share."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit


@njit
def dot(w, h):
    total = np.float32(0)
    for j in range(len(h)):
        total += w[j] * h[j]
    return total


@njit
def respond(weights, h, y):
    """y = W h."""
    for i in range(len(weights)):
        y[i] = dot(weights[i], h)


@njit
def fill_post(weights, h, x, clamped, y):
    """y = x where the post side is clamped to the token, else y = W h."""
    if clamped:
        y[:] = x
    else:
        respond(weights, h, y)


@njit
def add_scaled(w, factor, h):
    """w += factor h."""
    for j in range(len(h)):
        w[j] += factor * h[j]
