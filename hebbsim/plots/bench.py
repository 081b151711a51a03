"""Figures of `hebbsim bench`: the roofline, and cost by what grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hebbsim.plots import style
from hebbsim.plots.style import INK, MUTED
from hebbsim.plots.tables import NothingToDrawError, need, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

#: Limits that a roof is drawn for.
ROOFS = ("weights read+write", "DRAM read+write")
#: One colour and marker a work or line.
COLORS = ("#0072B2", "#D55E00", "#00785A", "#A8487F")
MARKERS = ("o", "s", "D", "^")

AXIS_LABELS = {
    "tokens": "tokens in the stream",
    "vocabulary": "word types V",
    "timescales": "timescales S",
    "K": "prototypes K",
    "dimension": "dimension D",
}


@style.styled
def plot_roofline(results: DataFrame, contenders: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Arithmetic rate by operations a byte, under the roofs of the machine (Williams 2009).

    Filled points are hebbsim's, open ones the peers', which stand at the intensity of the
    work that they do.

    Parameters
    ----------
    results, contenders : DataFrame
        Rows of the tables of those names.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No limits, or no contender whose operations and bytes are known.
    """
    limits = results[results["metric"] == "limit"].groupby("model")["mean"].median()
    known = contenders[(contenders["flops"] > 0) & (contenders["status"] == "measured")]
    need(known[known["bytes"] > 0], "contenders with operations and bytes")
    if "FMA peak" not in limits:
        raise NothingToDrawError("the table has no rows to draw: limits of the machine")
    peers = bool((known["ours"].astype(str) != "True").any())
    own = ax is None
    ax = style.new_axes(3.0) if ax is None else ax
    peak = limits["FMA peak"]
    x = np.geomspace(0.08, 6, 200)
    for name in ROOFS:
        if name in limits:
            ax.plot(x, np.minimum(peak, x * limits[name]), color=MUTED, lw=0.8)
            ax.text(
                x[4], 1.1 * x[4] * limits[name], f"{name} {limits[name]:.0f} GB/s", color=MUTED,
                fontsize=5.8, va="bottom", rotation=np.degrees(np.arctan(limits[name])),
                rotation_mode="anchor", transform_rotates_text=True,
            ).set_in_layout(False)  # fmt: skip
    ax.annotate(
        f"FMA peak {peak:.0f} GFLOP/s", (x[-1], peak), color=MUTED, fontsize=5.8, ha="right",
        va="bottom", xytext=(0, 1), textcoords="offset points",
    )  # fmt: skip
    rates = results[results["metric"] == "flops"]
    for (work, rows), color, marker in zip(
        known.groupby("work", sort=False), COLORS, MARKERS, strict=False
    ):
        intensity = (rows["flops"] / rows["bytes"])[rows["bytes"] > 0]
        for entry in rows.itertuples():
            way = rates["condition"].str.startswith(f"way={entry.way} ")
            mine = rates[(rates["split"] == work) & way]
            ours = str(entry.ours) == "True"
            place = entry.flops / entry.bytes if entry.bytes else intensity.iloc[0]
            ax.plot(
                [place] * len(mine), mine["mean"], marker, color=color,
                mfc=color if ours else "white", mew=0.8, zorder=4 if ours else 3,
            )  # fmt: skip
        ax.plot([], [], marker, color=color, label=work)
    ax.set_xlim(x[0], x[-1])
    _log_scales(ax)
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5])
    ax.set_xlabel("operations a byte")
    ax.set_ylabel("GFLOP/s")
    ax.legend(loc="lower right")
    style.caption(
        ax,
        "What the machine allows, and what is reached on one core",
        "Median over rounds. Filled: hebbsim, at the bytes it must move"
        + "; open: peers, at the intensity of the same work" * peers
        + ".",
        whole_figure=own,
    )
    return ax


@style.styled
def plot_growth(results: DataFrame, axis: str, *, ax: Axes | None = None) -> Axes:
    """Microseconds a token along one axis, quartiles as whiskers.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    axis : str
        A key of `AXIS_LABELS`.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No costs along that axis.
    """
    table = results[
        (results["split"] == f"growth/{axis}") & (results["metric"] == "microseconds_per_token")
    ]
    return _lines(
        table, axis, "microseconds a token", f"Cost by {axis}, everything else the same", ax
    )


@style.styled
def plot_memory(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Peak memory of a process by the length of its stream.

    Raises
    ------
    NothingToDrawError
        No peaks were measured.
    """
    table = results[results["metric"] == "peak_memory"]
    drawn = _lines(
        table, "tokens", "peak memory (MB)", "Memory by length of the stream", ax,
        note="One process, all of it counted.",
    )  # fmt: skip
    drawn.set_yscale("linear")
    drawn.set_ylim(0, max(500.0, 1.1 * table["mean"].max()))
    return drawn


def _lines(
    table: DataFrame,
    axis: str,
    unit: str,
    title: str,
    ax: Axes | None,
    note: str = "Median and quartiles over rounds, one core.",
) -> Axes:
    """A line for each ``line=`` of the conditions, over their ``value=``."""
    need(table, f"growth along {axis}")
    own = ax is None
    ax = style.new_axes(2.3) if ax is None else ax
    said = [words(condition) for condition in table["condition"]]
    table = table.assign(
        line=[s["line"].replace("-", " ") for s in said], value=[float(s["value"]) for s in said]
    )
    for (line, rows), color, marker in zip(
        table.groupby("line", sort=False), COLORS, MARKERS, strict=False
    ):
        low, high = style.interval(rows, (0.0, np.inf))
        whiskers = [rows["mean"] - low, high - rows["mean"]]
        ax.errorbar(
            rows["value"], rows["mean"], yerr=whiskers, color=color, marker=marker, label=line,
            elinewidth=0.8,
        )  # fmt: skip
    ax.set_ylim(table["mean"].min() / 2, table["mean"].max() * 4)
    _log_scales(ax)
    ax.set_xticks(sorted(set(table["value"])))
    ax.minorticks_off()
    ax.set_xlabel(AXIS_LABELS[axis], color=INK)
    ax.set_ylabel(unit)
    if table["line"].nunique() > 1:
        ax.legend()
    style.caption(ax, title, note, whole_figure=own)
    return ax


def _log_scales(ax: Axes) -> None:
    """Both axes logarithmic, with plain numbers: the house style reads no mathematics."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.set_yscale("log")
    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        steps = (1.0,) if high > 100 * low else (1.0, 2.0, 5.0)
        axis.set_major_locator(LogLocator(subs=steps))
        axis.set_major_formatter(FuncFormatter(lambda value, place: _short(value)))
        axis.set_minor_formatter(NullFormatter())


def _short(value: float) -> str:
    """A number with k or M.

    Examples
    --------
    >>> [_short(x) for x in (0.5, 200_000, 2e7)]
    ['0.5', '200k', '20M']
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
