"""`hebbsim bench` and `hebbsim warmup`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from hebbsim.cli.options import Json, Run

if TYPE_CHECKING:
    from hebbsim.bench.run import BenchConfig


def bench(config: BenchConfig) -> Run:
    """Measure hebbsim beside other packages and the limits of the machine, on one core.

    All take turns, so that a busy machine slows all alike; times are CPU time. Medians
    with quartiles over the rounds.
    """
    from hebbsim.bench.table import show

    return Run("bench", "bench", show)


def warmup(json: Json = False) -> None:
    """Compile all kernels now and keep them, so that no later run waits for it."""
    from hebbsim.bench.warmup import warm_up

    done = warm_up()
    if json:
        from dataclasses import asdict

        from hebbsim.runs.results import json_text

        sys.stdout.write(json_text(asdict(done)))
    else:
        typer.echo(str(done))
