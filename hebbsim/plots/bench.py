"""Figures of `hebbsim bench` and `hebbsim run stream`: roofline, time and memory."""

from __future__ import annotations

import textwrap

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style
from hebbsim.plots.style import INK, MUTED, Axes
from hebbsim.plots.tables import NothingToDrawError, column, need, numbers, select

#: Limits that are drawn as a roof, and their line styles.
ROOFS = {"weights read+write": "-", "DRAM read+write": marks.DASHES}
#: One colour and marker for each work or line.
COLORS = ("#0072B2", "#D55E00", "#00785A", "#A8487F")
MARKERS = ("o", "s", "D", "^")

_MEMORY, _TIME = "#0072B2", "#B84F00"  # along a stream

AXIS_LABELS = {
    "tokens": "tokens in the stream", "vocabulary": "word types V", "timescales": "timescales S",
    "K": "prototypes K", "dimension": "dimension D",
}  # fmt: skip


@style.styled
def plot_roofline(results: DataFrame, contenders: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Roofline: arithmetic rate by operations per byte, and limits of the machine (Williams 2009).

    Filled points are hebbsim's; open ones are the peers', at the arithmetic intensity of the same
    work.

    Parameters
    ----------
    contenders : DataFrame
        Rows of the table of that name.
    """
    limits = results[results["metric"] == "limit"].groupby("model")["mean"].median()
    known = contenders[(contenders["flops"] > 0) & (contenders["status"] == "measured")]
    need(known[known["bytes"] > 0], "contenders with operations and bytes")
    if "FMA peak" not in limits:
        raise NothingToDrawError("the table has no rows to draw: limits of the machine")
    peers = bool((known["ours"].astype(str) != "True").any())
    ax = style.axes(ax, 3.3)
    peak = limits["FMA peak"]
    x = np.geomspace(0.08, 6, 200)
    roof = np.full(len(x), peak)
    ax.plot(x, roof, color=MUTED, lw=0.8, ls=":", label=f"FMA peak {peak:.0f} GFLOP/s")
    for name, dashes in ROOFS.items():
        if name in limits:
            ax.plot(x, np.minimum(peak, x * limits[name]), color=MUTED, lw=0.8, ls=dashes,
                    label=f"{name} {limits[name]:.0f} GB/s")  # fmt: skip
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
    marks.log_scale(ax)
    marks.log_scale(ax, "y")
    ax.set_xticks([0.1, 0.2, 0.5, 1, 2, 5])
    ax.set(xlabel="operations per byte", ylabel="GFLOP/s")
    marks.legend(ax)
    return style.caption(
        ax,
        "What the machine allows, and what is reached on one core",
        "Median over rounds. Filled: hebbsim, at the bytes it must move"
        + "; open: peers, at the intensity of the same work" * peers
        + ".",
    )


@style.styled
def plot_growth(results: DataFrame, axis: str, *, ax: Axes | None = None) -> Axes:
    """Microseconds per token along one axis, with quartiles as whiskers.

    Parameters
    ----------
    axis : str
        A key of `AXIS_LABELS`.
    """
    table = select(results, split=f"growth/{axis}", metric="microseconds_per_token")
    title = f"Cost by {axis}, everything else the same"
    return _lines(table, axis, "microseconds per token", title, ax)


@style.styled
def plot_memory(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Peak memory of a process by the length of its stream."""
    table = results[results["metric"] == "peak_memory"]
    return _lines(
        table, "tokens", "peak memory (MB)", "Memory by length of the stream", ax, linear=True,
        note="One process, all of it counted.",
    )  # fmt: skip


@style.styled
def plot_stream(table: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Resident memory (left axis) and CPU time per token (right axis), one point per chunk."""
    need(table, "along the stream")
    ax = style.axes(ax, 2.4)
    tokens = table["tokens"] / 1e6
    ax.plot(tokens, table["memory"], color=_MEMORY)
    ax.set_ylim(0, 1.25 * max(1.0, table["memory"].max()))
    ax.set_ylabel("memory (MB)", color=_MEMORY)
    ax.set_xlabel("tokens (millions)", color=INK)
    other = ax.twinx()
    cost = 1e6 * table["seconds"] / table["n_tokens"]
    # Without the first chunk, whose time includes compilation.
    shown = cost[1:] if len(cost) > 1 else cost
    other.plot(tokens[-len(shown) :], shown, color=_TIME, linewidth=0.8)
    other.set_ylim(0, 1.6 * shown.quantile(0.95))
    other.set_ylabel("CPU time per token (µs)", color=_TIME)
    other.spines["right"].set_visible(True)
    return style.caption(
        ax,
        "Memory and time along a stream",
        f"One point per {table['n_tokens'].iloc[0]:,.0f} tokens; the first time is left out.",
    )


def _lines(
    table: DataFrame,
    axis: str,
    unit: str,
    title: str,
    ax: Axes | None,
    *,
    linear: bool = False,
    note: str = "Median and quartiles over rounds, one core.",
) -> Axes:
    """A line for each ``line=`` of the conditions, over their ``value=``."""
    need(table, f"growth along {axis}")
    ax = style.axes(ax, 2.5)
    lines = [name.replace("-", " ") for name in column(table, "line")]
    table = table.assign(line=lines, value=numbers(table, "value"))
    ends = []
    for (line, rows), color, marker in zip(
        table.groupby("line", sort=False), COLORS, MARKERS, strict=False
    ):
        marks.dots(ax, rows, rows["value"], color=color, fmt=f"{marker}-", label=line,
                   upright=True, bounds=(0.0, np.inf), elinewidth=0.8)  # fmt: skip
        ends.append((textwrap.fill(line, 11), float(rows.sort_values("value")["mean"].iloc[-1]),
                     color, marks.glyph(marker)))  # fmt: skip
    ax.set_ylim(table["mean"].min() / 2, table["mean"].max() * 4)
    marks.log_scale(ax)
    if linear:
        ax.set_ylim(0, max(500.0, 1.1 * table["mean"].max()))
    else:
        marks.log_scale(ax, "y")
    ax.set_xticks(sorted(set(table["value"])))
    ax.minorticks_off()
    ax.set_xlabel(AXIS_LABELS[axis], color=INK)
    ax.set_ylabel(unit)
    style.caption(ax, title, note)
    if len(ends) > 1:
        marks.name_ends(ax, ends)
    return ax
