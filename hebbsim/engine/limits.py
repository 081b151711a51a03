"""Kernels that run at the limits of the machine, for benchmarks to measure learners against."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hebbsim.engine._jit import njit

#: Accumulators of the multiply-add kernels: twelve registers of 256 and of 512 bits. Fewer
#: than twelve would wait for one another, more than sixteen would not fit into registers.
MULTIPLY_ADD_WIDTHS = (96, 192)


def multiply_add(width: int) -> Callable[..., Any]:
    """A kernel ``f(x, a, b, n)``: n times ``x <- a x + b``, with x in registers.

    x is float32 of shape=(width,), `width` one of `MULTIPLY_ADD_WIDTHS`; 2 n width operations.
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
def store(x, n):
    """Fill x, float32, n times: 4 n len(x) bytes written."""
    for m in range(n):
        value = np.float32(m)
        for i in range(len(x)):
            x[i] = value


@njit
def update(x, n):
    """``x <- -x``, float32, n times: 8 n len(x) bytes read and written."""
    for _ in range(n):
        for i in range(len(x)):
            x[i] = -x[i]


@njit
def learn_nothing(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    """The kernel of a rule that does nothing, which leaves the cost of the traces."""
