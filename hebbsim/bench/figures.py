"""The figures of `hebbsim bench`."""

import pandas as pd

from hebbsim.plots import tables
from hebbsim.plots.bench import AXIS_LABELS, plot_growth, plot_memory, plot_roofline
from hebbsim.plots.tables import NothingToDrawError
from hebbsim.runs.figures import FigureSpec
from hebbsim.runs.finished import RunTables


def _numbers(table: pd.DataFrame | None) -> pd.DataFrame:
    """A table of text with numbers where they are; without rows where there is no table."""
    if table is None:
        raise NothingToDrawError("the run folder lacks a table")
    for name in ("mean", "low", "high", "flops", "bytes"):
        if name in table:
            table[name] = pd.to_numeric(table[name], errors="coerce")
    return table


def _results(run: RunTables) -> pd.DataFrame:
    return _numbers(tables.read_text(run.folder / "results.csv"))


def _growth(axis: str) -> FigureSpec:
    return FigureSpec(plot_growth, lambda run: {"results": _results(run), "axis": axis})


FIGURES = {
    "roofline": FigureSpec(
        plot_roofline,
        lambda run: {"results": _results(run), "contenders": _numbers(run.table("contenders"))},
    ),
    **{f"growth_{axis.lower()}": _growth(axis) for axis in AXIS_LABELS},
    "growth_memory": FigureSpec(plot_memory, lambda run: {"results": _results(run)}),
}
