"""The table that `hebbsim run rules` prints."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from hebbsim.cli.terminal import Console
from hebbsim.experiments.results import Results

_NAMES = {"": "learned", "learning=off": "not learned", "view=own": "own code alone"}


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print what a run found."""
    console = console or Console(highlight=False)
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    console.print()
    console.print(
        f"Rule {config['rule']}, eta {config['eta']:g}, on {config['corpus']}; timescales {taus}; "
        f"K = {config['clusters']}",
        markup=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("units", no_wrap=True)
    for split in ("dev", "test"):
        table.add_column(split, justify="right", no_wrap=True)
        table.add_column("V-measure", justify="right", no_wrap=True)
    for words, name in _NAMES.items():
        said = dict(word.split("=") for word in words.split())
        cells = []
        for split in ("dev", "test"):
            for metric in ("accuracy", "v_measure"):
                (row,) = results.select(said, split=split, metric=metric)
                known = row.low is not None and row.high is not None
                half = f" ±{(row.high - row.low) / 2:.3f}" if known else ""  # type: ignore[operator]
                cells.append(f"{row.mean:.3f}{half}")
        table.add_row(name, *cells)
    console.print(table)
    for note in results.notes:
        console.print(f"Note: {note}", markup=False)
    console.print(f"Tables: {folder}", markup=False, soft_wrap=True)
