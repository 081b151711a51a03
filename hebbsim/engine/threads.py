"""Independent sentences in threads: kernels leave the interpreter to the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError

__all__ = ["for_each_part", "n_threads"]


def n_threads(n_jobs: int | None) -> int:
    """Threads that `n_jobs` asks for, as in scikit-learn: None is 1, -1 as many as cores.

    Raises
    ------
    BadInputError
        For 0, numbers below -1, and what is not a whole number.

    Examples
    --------
    >>> n_threads(None), n_threads(3)
    (1, 3)
    """
    if n_jobs is None:
        return 1
    if not isinstance(n_jobs, int | np.integer) or n_jobs < -1 or n_jobs == 0:
        raise BadInputError(f"n_jobs is {n_jobs!r}: give a number of threads, or -1 for all cores")
    return (os.cpu_count() or 1) if n_jobs == -1 else int(n_jobs)


def for_each_part(
    do: Callable[[int, int], None], bounds: NDArray[np.int64], n_jobs: int | None
) -> None:
    """Call ``do(first, last)`` for runs of whole sentences of about equal length, in threads.

    Parameters
    ----------
    do : callable
        Given the first token and the end of a run. The runs of two calls have no token in
        common, so that what it writes by token does not depend on the number of threads.
    bounds : ndarray of int64, shape=(N + 1,)
        Sentence ``i`` is ``bounds[i]:bounds[i + 1]``.
    n_jobs : int or None
        See :func:`n_threads`.
    """
    n = n_threads(n_jobs)
    aims = np.linspace(bounds[0], bounds[-1], n + 1)
    cuts = np.unique(bounds[np.searchsorted(bounds, aims)])
    parts = list(pairwise(cuts.tolist()))
    if len(parts) < 2:
        for part in parts:
            do(*part)
        return
    with ThreadPoolExecutor(len(parts)) as threads:
        for done in [threads.submit(do, *part) for part in parts]:
            done.result()
