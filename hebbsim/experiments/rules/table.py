"""The table that `hebbsim run rules` prints."""

import itertools
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from hebbsim.runs.results import Results
from hebbsim.runs.terminal import Console, print_ending

_SPLITS = ("test", "gen")


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the table of a run."""
    console = console or Console()
    config = results.config
    taus = ", ".join(f"{tau:g}" for tau in config["timescales"])
    n = f"{config['seeds']} seed{'s' if config['seeds'] > 1 else ''}"
    passes = f"{config['passes']} pass{'es' if config['passes'] > 1 else ''}"
    console.print()
    console.print(
        f"What each rule contributes on {config['corpus']}: accuracy of roles\n"
        f"Timescales {taus}; K = {config['clusters']}; {passes}, {n}",
        soft_wrap=True,
    )
    console.print(_table(results))
    console.print(
        "Differences are to the unchanged network, ± half of the 95 % interval; behind and\n"
        "ahead are shown after Holm's correction over this table. The lookup gives each\n"
        "word its most frequent role, without memory."
    )
    if any(each.idle for each in results.tables["ablations"]):
        console.print("* learns nothing there: the same roles as with learning off")
    for each in results.tables["ablations"]:
        if each.failed:
            console.print(f"No score for {each.condition}: {each.failed}")
    print_ending(console, results, folder, "Tables")


def _table(results: Results) -> Table:
    whole = f"K={results.config['clusters']}"
    rows = results.select(metric="accuracy")
    means = {(row.model, row.condition, row.split): row.mean for row in rows}
    compared = {(each.condition, each.split): each for each in results.tables["comparisons"]}
    splits = [split for split in _SPLITS if ("hebbian", whole, split) in means]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for split in splits:
        table.add_column(split, justify="right", no_wrap=True)
        table.add_column("difference", no_wrap=True)
        table.add_column("", no_wrap=True)
    for group, ablated in itertools.groupby(results.tables["ablations"], lambda each: each.group):
        if group:
            table.add_row(Text(group, style="bold"))
        for each in ablated:
            if each.failed:
                table.add_row(f"  {each.name}", "none")
                continue
            name = f"{each.name} *" if each.idle else each.name
            condition = f"{whole} {each.condition}".strip()
            cells = [f"  {name}" if group else name]
            for split in splits:
                cells.append(_number(means["hebbian", condition, split]))
                cells += _difference(compared.get((condition, split)))
            table.add_row(*cells)
        if not group:
            found = ((_number(means["lookup", "", split]), "", "") for split in splits)
            table.add_row("lookup", *itertools.chain(*found))
    return table


def _difference(compared: Any) -> tuple[str, str]:
    if compared is None:
        return "", ""
    sign = "-" if compared.difference < 0 else "+"
    words = sign + _number(abs(compared.difference))
    if compared.low is not None:
        words += f" ±{_number((compared.high - compared.low) / 2)}"
    return words, "" if compared.verdict == "no difference shown" else compared.verdict


def _number(value: float) -> str:
    """Format with three digits and without a leading zero."""
    return f"{value:.3f}".removeprefix("0")
