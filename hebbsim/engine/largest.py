"""The k-th largest value of each row."""

from __future__ import annotations

from hebbsim.engine._jit import njit

__all__ = ["kth_largest"]


@njit
def kth_largest(x, held, out):
    """Fill `out` with the k-th largest value of each row of `x`; NaN count as smallest.

    The k largest so far are a heap whose root is the smallest of them. Most values are smaller,
    so that a row costs little more than one comparison a value.

    Parameters
    ----------
    x : ndarray of float, shape=(N, H)
    held : ndarray of float, shape=(k,)
        Scratch memory.
    out : ndarray of float, shape=(N,)
    """
    k = len(held)
    for row in range(len(x)):
        held[:] = -float("inf")
        for i in range(x.shape[1]):
            value = x[row, i]
            if value > held[0]:
                at = 0
                while True:
                    child = 2 * at + 1
                    if child >= k:
                        break
                    if child + 1 < k and held[child + 1] < held[child]:
                        child += 1
                    if held[child] >= value:
                        break
                    held[at] = held[child]
                    at = child
                held[at] = value
        out[row] = held[0]
