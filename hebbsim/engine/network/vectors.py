"""Vector operations that the kernels of the layers share."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import dot, respond

#: Number of inputs in a running mean.
MEAN_OVER = 20_000


@njit
def to_unit(x):
    """Scale x to length one, unless it is zero."""
    square = dot(x, x)
    if square > 0:
        scale = np.float32(1) / np.sqrt(square)
        for j in range(len(x)):
            x[j] *= scale


@njit
def centre(x, mean, step):
    """mean += step (x - mean); x -= mean."""
    if step > 0:
        for j in range(len(x)):
            mean[j] += step * (x[j] - mean[j])
    for j in range(len(x)):
        x[j] -= mean[j]


@njit
def over_lengths(rows, out):
    """Fill `out` with one over the length of each row, or 0."""
    for i in range(len(rows)):
        square = dot(rows[i], rows[i])
        out[i] = np.float32(1) / np.sqrt(square) if square > 0 else np.float32(0)


@njit
def coordinates(directions, scales, x, y):
    """Fill y with the coordinates of x along `directions`, whose `over_lengths` are `scales`."""
    respond(directions, x, y)
    for i in range(len(directions)):
        y[i] *= scales[i]


@njit
def along(w, x):
    """x · w / |w|, or 0 if w is zero."""
    product = square = np.float32(0)
    for j in range(len(x)):
        product += w[j] * x[j]
        square += w[j] * w[j]
    return product / np.sqrt(square) if square > 0 else np.float32(0)


@njit
def shares(centres, x, inverse_temperature, y):
    """Fill y with softmax(inverse_temperature * cosine(centre, x)) for a unit vector x."""
    largest = np.float32(-np.inf)
    for i in range(len(centres)):
        y[i] = inverse_temperature * along(centres[i], x)
        largest = max(largest, y[i])
    total = np.float32(0)
    for i in range(len(centres)):
        y[i] = np.exp(y[i] - largest)
    for i in range(len(centres)):
        total += y[i]
    for i in range(len(centres)):
        y[i] /= total
