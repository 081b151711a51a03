"""Cache-aligned memory, and the array operations that numba is slow at."""

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import njit

LINE = 64  # bytes: a cache line, and the widest vector register


def aligned_empty(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An uninitialized float32 array that starts at a cache line.

    NumPy aligns arrays to 16 bytes, so that three of four vector accesses straddle two lines.

    >>> aligned_empty((2, 3)).ctypes.data % 64
    0
    """
    size = int(np.prod(shape)) * np.dtype(np.float32).itemsize
    raw = np.empty(size + LINE, dtype=np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(np.float32).reshape(shape)


def aligned_copy(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """A contiguous float32 copy that starts at a cache line."""
    copy = aligned_empty(array.shape)
    copy[...] = array
    return copy


@njit
def all_finite(values):
    """Whether no value is infinite or NaN; float32, shape=(N,)."""
    total = np.float32(0)
    for i in range(len(values)):
        total += np.float32(0) * values[i]  # NaN for any value that is not finite
    return total == 0


@njit
def copy_values(source, target):
    """``target[:] = source`` for vectors of equal length; numba takes seconds to compile that."""
    for i in range(len(source)):
        target[i] = source[i]
