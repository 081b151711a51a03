"""`hebbsim run EXPERIMENT`."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="Run an experiment and write its tables and figures.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.callback()
def _run() -> None:
    """Run an experiment and write its tables and figures."""
