"""`hebbsim bench` and `hebbsim warmup`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hebbsim.cli.carry_out import Overwrite, carry_out


def bench(
    works: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[WORK...]",
            help="traces, delta, sparse, compete, startup, roles, growth "
            "(default: all but growth).",
        ),
    ] = None,
    peers: Annotated[
        str,
        typer.Option(
            metavar="all|none|NAME,...", help="Packages to measure beside hebbsim, if installed."
        ),
    ] = "all",
    rounds: Annotated[int, typer.Option(help="Rounds in which every contender runs once.")] = 7,
    seconds: Annotated[float, typer.Option(help="Approximate duration of one run.")] = 0.2,
    corpus: Annotated[
        str,
        typer.Option(help="Corpus of the work roles: a name or path as in `hebbsim run roles`."),
    ] = "builtin",
    out: Annotated[
        Path | None, typer.Option(help="Run folder (default: a new runs/bench).")
    ] = None,
    overwrite: Overwrite = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document instead of tables.")
    ] = False,
) -> None:
    """Measure hebbsim beside other packages and the limits of the machine, on one core.

    All take turns, so that a busy machine slows all alike; times are CPU time. Medians
    with quartiles over the rounds.
    """
    from hebbsim.bench.run import DEFAULT_WORKS, BenchConfig, run_bench
    from hebbsim.bench.table import show

    config = BenchConfig(
        works=tuple(dict.fromkeys(works or DEFAULT_WORKS)),
        peers=() if peers == "none" else tuple(peers.split(",")),
        rounds=rounds,
        seconds=seconds,
        corpus=corpus,
        offline=offline,
    )
    carry_out(run_bench, show, config, out, Path("runs") / "bench", overwrite=overwrite, json=json)


def warmup(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compile all kernels now and keep them, so that no later run waits for it."""
    from hebbsim.bench.warmup import warm_up

    done = warm_up()
    if json:
        from dataclasses import asdict

        from hebbsim.runs.results import json_text

        sys.stdout.write(json_text(asdict(done)))
    else:
        typer.echo(str(done))
