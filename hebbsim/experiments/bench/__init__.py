"""The benchmark: works, the peers that do the same, and the limits of the machine.

A work is one file here: `traces`, `delta`, `sparse`, `compete`, `roles`, `startup`, and
`growth` for how costs grow. To add a contender, add a line to its work.
"""

from __future__ import annotations

from hebbsim.experiments.bench.run import DEFAULT_WORKS, WORKS, BenchConfig, run_bench

__all__ = ["DEFAULT_WORKS", "WORKS", "BenchConfig", "run_bench"]
