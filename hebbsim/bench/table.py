"""The tables that `hebbsim bench` prints; they fit 80 columns."""

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from hebbsim.plots.marks import short
from hebbsim.runs.results import Results, Row
from hebbsim.runs.terminal import Console, print_ending, print_heading


def show(results: Results, folder: Path, console: Console | None = None) -> None:
    """Print the machine, its limits, and a table or two for every work."""
    console = console or Console()
    about = results.provenance["machine"]
    caches = ", ".join(f"{name} {size // 1024:,} KB" for name, size in about["caches"].items())
    console.print(f"{about['cpu']}, {about['cores']} cores; {caches}")
    console.print("One core; medians with quartiles over the rounds; CPU time.")
    _show_limits(results, console)
    works = dict.fromkeys(row.split for row in results.rows)
    for work in works:
        rows = [row for row in results.rows if row.split == work]
        print_heading(console, str(results.config["titles"][work]))
        if work.startswith("growth/"):
            _show_growth(rows, console)
        elif work == "startup":
            _show_startup(rows, console)
        else:
            _show_work(rows, console)
    console.print()
    print_ending(console, results, folder)


def _show_limits(results: Results, console: Console) -> None:
    """Over all works beside which they were measured: the median of the medians."""
    rows = results.select(metric="limit")
    if not rows:
        return
    print_heading(console, "Limits of the machine, one core")
    table = _table("limit", "rate", "unit")
    for name in dict.fromkeys(row.model for row in rows):
        mine = sorted(row.mean for row in rows if row.model == name)
        unit = next(row.unit for row in rows if row.model == name)
        table.add_row(name, f"{mine[len(mine) // 2]:.3g}", unit)
    console.print(table)


def _show_work(rows: Sequence[Row], console: Console) -> None:
    ours = [row for row in rows if row.model == "hebbian" and row.metric == "rate"]
    unit = ours[0].unit.removesuffix("/s")
    table = _table("hebbsim", f"{unit}/s", "quartiles", "GFLOP/s", "GB/s", "of limit")
    for row in ours:
        way = row.words["way"]
        flops, moved = (_find(rows, metric, way) for metric in ("flops", "bytes"))
        limit = _find(rows, "share_of_limit", way)
        table.add_row(
            _name(way), _short(row.mean), _range(row), _three(flops), _three(moved),
            f"{limit.mean:.2f} {_name(limit.words['over'])}" if limit else "",
        )  # fmt: skip
    console.print(table)
    peers = [row for row in rows if row.model != "hebbian" and row.metric == "rate"]
    if not peers:
        return
    ways = [row.words["way"] for row in ours]
    console.print(f"{'hebbsim is so many times as fast:':>79}")
    table = _table("peer", f"{unit}/s", "quartiles", *(_name(way) for way in ways))
    for row in peers:
        ratios = (_find(rows, "ratio", way, over=row.words["way"]) for way in ways)
        table.add_row(row.model, _short(row.mean), _range(row), *map(_three, ratios))
    console.print(table)


def _show_startup(rows: Sequence[Row], console: Console) -> None:
    table = _table("process", "CPU s", "quartiles")
    for row in rows:
        spread = "" if row.low is None else f"{row.low:.2f} to {row.high:.2f}"
        table.add_row(_name(row.words["way"]), f"{row.mean:.2f}", spread)
    console.print(table)


def _show_growth(rows: Sequence[Row], console: Console) -> None:
    values = list(dict.fromkeys(row.words["value"] for row in rows))
    table = _table("microseconds a token", *(_short(float(value)) for value in values))
    for line in dict.fromkeys(row.words["line"] for row in rows):
        cells = {row.words["value"]: row for row in rows if row.words["line"] == line}
        unit = f" ({row.unit})" if (row := next(iter(cells.values()))).unit != "us" else ""
        table.add_row(_name(line) + unit, *(_three(cells.get(value)) for value in values))
    console.print(table)


def _find(rows: Sequence[Row], metric: str, way: str, **words: str) -> Row | None:
    for row in rows:
        said = row.words
        if row.metric == metric and said["way"] == way and row.model == "hebbian":
            if all(said.get(key) == value for key, value in words.items()):
                return row
    return None


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first, no_wrap=True, overflow="ellipsis", max_width=32)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=column in ("quartiles", "of limit"))
    return table


def _name(word: str) -> str:
    return word.replace("-", " ")


def _short(value: float) -> str:
    """Three digits with k or M."""
    return short(float(f"{value:.3g}"))


def _range(row: Row) -> str:
    if row.low is None or row.high is None:
        return ""
    return f"{_short(row.low)} to {_short(row.high)}"


def _three(row: Row | None) -> str:
    return "" if row is None else f"{row.mean:.3g}" if row.mean < 1000 else f"{row.mean:,.0f}"
