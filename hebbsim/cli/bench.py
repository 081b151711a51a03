"""`hebbsim warmup`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from hebbsim.cli.options import Json
from hebbsim.cli.run_command import print_json


def warmup(json: Json = False) -> None:
    """Compile all kernels now, so that no later run has to wait."""
    from hebbsim.bench.warmup import warm_up

    done = warm_up()
    if json:
        print_json(asdict(done))
    else:
        typer.echo(str(done))
