"""Start-up: CPU seconds from the start of a process to its first result."""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace

from hebbsim.bench.harness import Contender, Work

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
    """Processes that report the CPU seconds they had used when the result was ready."""
    processes = _Processes()
    cached = functools.partial(processes.start, os.environ)

    def plain(name: str, code: str, package: str = "numpy", ours: bool = False) -> Contender:
        return Contender(name, lambda n: lambda: cached(code), package, ours, most=1, unit="starts")

    return Work(
        "startup",
        "start-up, CPU seconds from the start of a process",
        [
            plain("import hebbsim", "import hebbsim", ours=True),
            plain("first result, kernels cached", FIRST_RESULT, ours=True),
            replace(
                plain("first result, kernels compiled", "", ours=True),
                prepare=lambda n: processes.start_uncached,
            ),
            plain("Python alone", ""),
            plain("import numba", "import numba", "numba"),
            plain("JAX first result", JAX_RESULT, "jax"),
            plain("torch first result", TORCH_RESULT, "torch"),
            plain("import gensim", "import gensim", "gensim"),
        ],
        clock=processes.clock,
        rounds=3,
        bounded=False,
    )


class _Processes:
    """Child processes, and a clock of the CPU seconds that they used up to their results."""

    seconds = 0.0

    def clock(self) -> float:
        return self.seconds

    def start(self, environment: Mapping[str, str], code: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", f"{code}\nimport time; print(time.process_time())"],
            env=dict(environment), stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        self.seconds += float(done.stdout.split()[-1])

    def start_uncached(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.start({**os.environ, "NUMBA_CACHE_DIR": folder}, FIRST_RESULT)
