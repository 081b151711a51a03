"""Compile every kernel in advance, so that no later run has to wait."""

import os
import time
from dataclasses import dataclass

import numpy as np

from hebbsim.doctor import kernel_folder


@dataclass(frozen=True)
class Warmup:
    """What `warm_up` did."""

    #: Kernels that were not in the cache, including those that others call.
    compiled: int
    #: Kernels that were in the cache.
    loaded: int
    seconds: float
    #: Folder of the cache; None if a kernel could not be cached.
    folder: str | None

    def __str__(self) -> str:
        if not self.compiled + self.loaded:
            return "Nothing to compile: NUMBA_DISABLE_JIT is set"
        done = f"{self.compiled} kernels compiled, {self.loaded} found in the cache"
        kept = (
            f"Cache: {self.folder}"
            if self.folder
            else "They could not be cached, so every process compiles them again.\nSet "
            "NUMBA_CACHE_DIR to a writable folder."
        )
        return f"{done}; {self.seconds:.1f} s\n{kept}"


def warm_up() -> Warmup:
    """Run a tiny example of everything that has kernels, through public functions.

    >>> print(warm_up())  # doctest: +SKIP
    0 kernels compiled, 38 found in the cache; 1.4 s
    Cache: /home/user/hebbsim/engine
    """
    from hebbsim.engine._jit import KERNELS

    began = time.perf_counter()
    _run_engine()
    _run_learners()
    ready = [kernel for kernel in KERNELS if kernel.signatures]
    loaded = sum(
        len(kernel.signatures) == sum(kernel.stats.cache_hits.values()) for kernel in ready
    )
    kept = [folder for kernel in ready if (folder := kernel_folder(kernel))]
    return Warmup(
        compiled=len(ready) - loaded,
        loaded=loaded,
        seconds=time.perf_counter() - began,
        folder=os.path.commonpath(kept) if len(kept) == len(ready) > 0 else None,
    )


def _run_engine() -> None:
    from hebbsim.engine import TraceEngine, dense_traces, get_rule
    from hebbsim.engine.rules import builtin_names
    from hebbsim.engine.traces import last_traces

    tokens = np.arange(8) % 3
    for name in builtin_names():
        blocks = get_rule(name).learn_blocks is not None
        for in_order in {True, not blocks}:
            TraceEngine(3, dim=4, rule=name, in_order=in_order).run(tokens)
    for traces in (dense_traces, last_traces):
        traces(np.eye(3), tokens=tokens)


def _run_learners() -> None:
    from hebbsim.models import RoleNetwork

    sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 20
    learner = RoleNetwork(n_clusters=4, settings=["words.size=4"]).fit(sentences, text=sentences)
    learner.predict([["the", "unknown", "cat"]])
