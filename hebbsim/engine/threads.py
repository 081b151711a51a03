"""Process independent sentences in threads: kernels release the interpreter lock."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError


def for_each_part(
    do: Callable[[int, int], None], bounds: NDArray[np.int64], n_jobs: int | None
) -> None:
    """Call ``do(first, last)`` on runs of whole sentences of about equal length, in threads.

    Sentence ``i`` is ``bounds[i]:bounds[i + 1]``. `n_jobs` is the number of threads, as in
    scikit-learn: None means 1, -1 one per core; BadInputError for 0, numbers below -1 and anything
    but a whole number. Runs share no token, so that results by token do not depend on `n_jobs`.
    """
    if n_jobs is not None and (
        not isinstance(n_jobs, int | np.integer) or n_jobs < -1 or n_jobs == 0
    ):
        raise BadInputError(f"n_jobs is {n_jobs!r}: give a number of threads, or -1 for all cores")
    n = (os.cpu_count() or 1) if n_jobs == -1 else int(n_jobs or 1)
    aims = np.linspace(bounds[0], bounds[-1], n + 1)
    cuts = np.unique(bounds[np.searchsorted(bounds, aims)])
    parts = list(pairwise(cuts.tolist()))
    if len(parts) < 2:
        for part in parts:
            do(*part)
        return
    with ThreadPoolExecutor(len(parts)) as threads:
        list(threads.map(do, *zip(*parts, strict=True)))
