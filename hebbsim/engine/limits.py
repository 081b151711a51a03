"""What the machine can do at most, and what a plain hash map does: kernels to measure against.

Nothing here learns. A benchmark divides the rate of a learner by the rate of one of these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hebbsim.engine._jit import njit

__all__ = [
    "MULTIPLY_ADD_WIDTHS",
    "count_pairs",
    "learn_nothing",
    "multiply_add",
    "read",
    "store",
    "update",
]

#: Accumulators of the multiply-add kernels: twelve registers of 256 and of 512 bits. Fewer
#: than twelve would wait for one another, more than sixteen would not stay in registers.
MULTIPLY_ADD_WIDTHS = (96, 192)


def multiply_add(width: int) -> Callable[..., Any]:
    """A kernel ``f(x, a, b, n)``: n times ``x <- a x + b``, all of x in registers.

    Parameters
    ----------
    width : int
        Length of x, float32; one of `MULTIPLY_ADD_WIDTHS`. The work is 2 n width operations.
    """

    @njit
    def kernel(x, a, b, n):
        # The width is a constant here, so that LLVM unrolls the inner loop into registers.
        total = np.empty(width, np.float32)
        for i in range(width):
            total[i] = x[i]
        for _ in range(n):
            for i in range(width):
                total[i] = a * total[i] + b
        for i in range(width):
            x[i] = total[i]

    return kernel


@njit
def read(x, n):
    """Sum x, n times over: 4 n len(x) bytes read. The sums differ by no more than rounding.

    Parameters
    ----------
    x : float32, shape=(N,)
    n : int
    """
    total = np.float32(0)
    for _ in range(n):
        part = np.float32(0)
        for i in range(len(x)):
            part += x[i]
        # Something to carry over, so that no pass can be left out.
        x[0] = part * np.float32(1e-30)
        total += part
    return total


@njit
def store(x, n):
    """Fill x, n times over: 4 n len(x) bytes written.

    Parameters
    ----------
    x : float32, shape=(N,)
    n : int
    """
    for m in range(n):
        value = np.float32(m)
        for i in range(len(x)):
            x[i] = value


@njit
def update(x, n):
    """``x <- -x``, n times over: 8 n len(x) bytes read and written.

    Parameters
    ----------
    x : float32, shape=(N,)
    n : int
    """
    for _ in range(n):
        for i in range(len(x)):
            x[i] = -x[i]


@njit
def learn_nothing(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    """A rule as in `hebbsim.engine.rules` that looks at nothing: what is left is the traces."""


@njit
def count_pairs(ids, offsets, n_words, weights, places):
    """What `hebbsim.engine.contexts.sum_word_contexts` adds up, in a hash map of pairs.

    Parameters
    ----------
    ids : int32, shape=(T,)
    offsets : int64, shape=(N + 1,)
    n_words : int
    weights : float32, shape=(S, reach)
        As there.
    places : numba.typed.Dict of int64 to int64
        From a word, a side and a column as one number to a row of the sums; filled.

    Returns
    -------
    float32, shape=(P, S)
        The sums, grown as pairs are met.
    """
    n_scales, reach = weights.shape
    sums = np.zeros((1024, n_scales), np.float32)
    for n in range(len(offsets) - 1):
        start, stop = offsets[n], offsets[n + 1]
        for t in range(start, stop):
            for side in range(2):
                step = -1 if side == 0 else 1
                for k in range(reach):
                    at = t + step * (k + 1)
                    if at < start - 1 or at > stop:
                        break
                    if at < start or at == stop:
                        column = n_words + 1
                    else:
                        column = min(np.int64(ids[at]), n_words)
                    pair = (np.int64(ids[t]) * 2 + side) * (n_words + 2) + column
                    if pair in places:
                        place = places[pair]
                    else:
                        place = len(places)
                        places[pair] = place
                        if place == len(sums):
                            grown = np.zeros((2 * place, n_scales), np.float32)
                            grown[:place] = sums
                            sums = grown
                    for s in range(n_scales):
                        sums[place, s] += weights[s, k]
    return sums
