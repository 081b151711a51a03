"""Start-up: from the start of a process to a first result, in CPU seconds."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from hebbsim.experiments.bench.harness import Contender
from hebbsim.experiments.bench.work import Work

__all__ = ["startup"]

FIRST_RESULT = """
from hebbsim import TraceEngine
TraceEngine(1000).run([0, 1, 2, 3, 4])
"""
JAX_RESULT = """
import jax, jax.numpy as jnp
step = lambda h, x: (0.5 * h + 0.5 * x,) * 2
jax.jit(lambda x: jax.lax.scan(step, jnp.zeros(64), x)[1])(jnp.ones((5, 64))).block_until_ready()
"""
TORCH_RESULT = """
import torch
h = torch.zeros(64)
for x in torch.ones(5, 64):
    h.mul_(0.5).add_(x, alpha=0.5)
"""


def startup() -> Work:
    """Processes that each end with a first result; child processes alone are on the clock."""
    one: dict[str, Any] = {"most": 1, "unit": "starts"}
    return Work(
        "startup",
        "start-up, CPU seconds of a process",
        [
            Contender("import hebbsim", _process("import hebbsim"), ours=True, **one),
            Contender("first result, kernels cached", _process(FIRST_RESULT), ours=True, **one),
            Contender("first result, kernels compiled", _uncached, ours=True, **one),
            Contender("Python alone", _process("pass"), **one),
            Contender("import numba", _process("import numba"), "numba", **one),
            Contender("JAX first result", _process(JAX_RESULT), "jax", **one),
            Contender("torch first result", _process(TORCH_RESULT), "torch", **one),
            Contender("import gensim", _process("import gensim"), "gensim", **one),
        ],
        clock=child_seconds,
        bounded=False,
    )


def child_seconds() -> float:
    """CPU seconds of the child processes that have ended."""
    try:
        import resource
    except ImportError:  # not a Unix: coarser
        times = os.times()
        return times.children_user + times.children_system
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _process(code: str, **environment: str) -> Callable[[int], Callable[[], None]]:
    def run() -> None:
        subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, check=True)

    return lambda n: run


def _uncached(n: int) -> Callable[[], None]:
    def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            _process(FIRST_RESULT, NUMBA_CACHE_DIR=folder)(1)()

    return run
