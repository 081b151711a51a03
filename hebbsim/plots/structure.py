"""Figures of structure beside content: against lag and timescale, as a plane, by memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.tables import NothingToDrawError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["PROPERTIES", "plot_memories", "plot_plane", "plot_structure"]

#: Name, colour and marker of each property; content is dark, structure is coloured.
PROPERTIES = {
    "word": ("word (content)", "#222222", "s"),
    "position": ("position", "#0072B2", "o"),
    "pos": ("part of speech", "#E69F00", "^"),
    "role": ("role", "#009E73", "D"),
    "depth": ("clause depth", "#CC79A7", "v"),
    "subject_number": ("number of subject", "#D55E00", "P"),
}
_CANCELLED = "word, by cancellation"
_MEMORIES = {
    "traces": ("traces", "#0072B2", "o"),
    "traces-learned": ("traces, learned codes", "#56B4E9", "o"),
    "window": ("window", "#6B6B6B", "s"),
    "lmu": ("LMU", "#009E73", "^"),
    "fast-weights": ("fast weights", "#CC79A7", "D"),
    "gru": ("GRU, untrained", "#E69F00", "v"),
    "bigru": ("BiGRU, forward half", "#D55E00", "P"),
}
#: Properties whose name stands below their point, where neighbours would hide it.
_BELOW = ("pos", "depth", "word")
_OFFSETS = {"pos": (0, -12), "depth": (0, -12), "word": (-7, -3)}
#: Memories of the past on the plane.
_PASTS = ("traces", "traces-learned")
#: Lag at which memories are compared for structure.
_AT = "1"


def _rows(results: DataFrame, split: str, model: str, **said: str | None) -> DataFrame:
    """Rows of ``share`` whose condition has exactly these words; None for any value."""
    return tables.select(
        results, {"property": None, **said}, split=split, metric="share", model=model
    )


def _word(rows: DataFrame, key: str) -> list[str]:
    return [tables.words(text)[key] for text in rows["condition"]]


def _curve(ax: Axes, rows: DataFrame, key: str, look: tuple[str, str, str], **more: Any) -> None:
    name, color, marker = look
    x = np.array([float(value) for value in _word(rows, key)])
    order = np.argsort(x)
    low, high = style.interval(rows)
    ax.fill_between(x[order], low[order], high[order], color=color, alpha=0.18, linewidth=0)
    ax.plot(
        x[order], rows["mean"].to_numpy()[order], color=color, marker=marker, markersize=3.5,
        label=name, clip_on=False, **more,
    )  # fmt: skip


def _two_panels(
    ax: Axes | None, ratios: tuple[float, float], *, sharey: bool
) -> tuple[list[Axes], Axes]:
    """Two axes side by side, and below them one that holds their legend alone.

    Within `ax`, which then shows nothing itself, where it is given.
    """
    if ax is not None:
        ax.set_axis_off()
        left = ax.inset_axes((0, 0.3, 0.46, 0.7))
        right = ax.inset_axes((0.54, 0.3, 0.46, 0.7), sharey=left if sharey else None)
        legend = ax.inset_axes((0, 0, 1, 0.12))
    else:
        ax = style.new_axes(3.0)
        figure = ax.figure.canvas.figure
        ax.remove()
        grid = figure.add_gridspec(2, 2, width_ratios=ratios, height_ratios=(1, 0.2))
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left if sharey else None)
        legend = figure.add_subplot(grid[1, :])
    if sharey:
        right.tick_params(labelleft=False)
    legend.set_axis_off()
    return [left, right], legend


@style.styled
def plot_structure(results: DataFrame, *, model: str = "traces", ax: Axes | None = None) -> Axes:
    """Share of each property that a state tells, against lag and against timescale.

    Two panels on one axis of values: traces at several timescales by lag, and one trace alone
    by its timescale, read at lag 1.

    Parameters
    ----------
    results : DataFrame
        Rows of a results table.
    model : str
        ``traces`` or, of learned codes, ``traces-learned``.
    ax : Axes, optional
        Both panels are drawn within it; a new figure without.

    Returns
    -------
    Axes
        `ax`, or the first panel.
    """
    by_lag = _rows(results, "structure", model, lag=None)
    by_tau = _rows(results, "structure", model, lag=None, timescales=None)
    if by_lag.empty:
        raise NothingToDrawError("no row of structure by lag")
    panels, below = _two_panels(ax, (1.15, 1), sharey=True)
    for name, look in PROPERTIES.items():
        for panel, rows, key in zip(panels, (by_lag, by_tau), ("lag", "timescales"), strict=True):
            of_property = [said == name for said in _word(rows, "property")]
            chosen = rows[np.array(of_property, dtype=bool)]
            if len(chosen):
                _curve(panel, chosen, key, look)
    cancelled = _rows(results, "structure", "cancellation", lag=None, precision="float32")
    dashed = bool(len(cancelled)) and model == "traces"
    if dashed:
        look = (_CANCELLED, "#222222", "s")
        _curve(panels[0], cancelled, "lag", look, linestyle=(0, (3, 1.5)), markerfacecolor="white")
    panels[0].set_ylim(0, 1.04)
    panels[0].set_xlim(0, 8)
    panels[0].set_xticks(range(0, 9, 2))
    panels[0].set_xlabel("lag in tokens")
    panels[0].set_ylabel("share of its bits that a state tells")
    panels[1].set_xlabel("timescale of one trace, lag 1")
    panels[1].set_xscale("log", base=2)
    panels[1].set_xticks([1, 2, 4, 8, 16, 32, 64], ["1", "2", "4", "8", "16", "32", "64"])
    panels[1].minorticks_off()
    handles, labels = panels[0].get_legend_handles_labels()
    below.legend(handles, labels, loc="center", ncols=3)
    corpus = tables.corpus_of(by_lag)
    codes = "random" if model == "traces" else "learned"
    host = panels[0] if ax is None else ax
    style.caption(
        host,
        f"Structure and content in traces of {codes} codes, {corpus}",
        "A linear probe"
        + "; dashed: successive cancellation, float32" * dashed
        + f". {tables.interval_note(by_lag)}",
        whole_figure=ax is None,
    )
    return host


@style.styled
def plot_plane(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """One point a property: what the word alone tells of it against what its past tells.

    Parameters
    ----------
    results : DataFrame
        Rows of a results table.
    ax : Axes, optional
        A new figure without.
    """
    rows = {model: _rows(results, "plane", model) for model in ("word", *_PASTS)}
    if rows["word"].empty or all(rows[model].empty for model in _PASTS):
        raise NothingToDrawError("no row of the plane of structure and content")
    whole_figure = ax is None
    ax = style.new_axes(3.3) if ax is None else ax
    points = {}
    for model, table in rows.items():
        low, high = style.interval(table)
        for i, name in enumerate(_word(table, "property")):
            points[model, name] = (float(table["mean"].iloc[i]), low[i], high[i])
    highest = max(high for (model, _), (_, _, high) in points.items() if model != "word")
    top = max(0.5, 1.15 * highest)
    for name, (label, color, marker) in PROPERTIES.items():
        found = [model for model in _PASTS if (model, name) in points]
        if ("word", name) not in points or not found:
            continue
        x, x_low, x_high = points["word", name]
        heights = [points[model, name][0] for model in found]
        ax.plot([x] * len(found), heights, color=color, linewidth=0.8, zorder=1)
        for model in found:
            y, y_low, y_high = points[model, name]
            ax.errorbar(
                x, y, xerr=[[x - x_low], [x_high - x]], yerr=[[y - y_low], [y_high - y]],
                fmt=marker, color=color, markersize=5.5, elinewidth=0.8, clip_on=False, zorder=3,
                markerfacecolor="white" if model == "traces" else color,
            )  # fmt: skip
        # Below where there is room, for those whose neighbours' names stand above.
        below = name == "word" or (name in _BELOW and min(heights) > 0.12 * top)
        beside = "left" if x < 0.15 or (name in _BELOW and x < 0.85) else "center"
        ax.annotate(
            label, (x, min(heights) if below else max(heights)),
            xytext=_OFFSETS.get(name, (0, 7)) if below else (0, 7), textcoords="offset points",
            ha="right" if x > 0.85 else beside, color=color, fontsize=7,
        )  # fmt: skip
    ax.plot([0, top], [0, top], color=style.GUIDE, linewidth=0.8, zorder=0)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, min(top, 1.02))
    ax.set_xlabel("content: share of its bits that the word alone tells")
    ax.set_ylabel("structure: share that traces\nof the words before it tell")
    style.caption(
        ax,
        f"What is structure, and what is content, {tables.corpus_of(rows['word'])}",
        "Word: counts of labels by word. Traces: a linear probe on the state before the word"
        + "; white: of random codes" * (not rows["traces"].empty)
        + "; filled: of learned codes" * (not rows["traces-learned"].empty)
        + ". "
        f"{tables.interval_note(rows['word'])}",
        whole_figure=whole_figure,
    )
    return ax


@style.styled
def plot_memories(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Memories of equal size: content by lag, and structure against content.

    Parameters
    ----------
    results : DataFrame
        Rows of a results table.
    ax : Axes, optional
        Both panels are drawn within it; a new figure without.

    Returns
    -------
    Axes
        `ax`, or the first panel.
    """
    of_memory = {name: _rows(results, "structure", name, lag=None) for name in _MEMORIES}
    of_memory = {name: rows for name, rows in of_memory.items() if len(rows)}
    if not of_memory:
        raise NothingToDrawError("no row of a memory")
    panels, below = _two_panels(ax, (1.15, 1), sharey=False)
    for name, rows in of_memory.items():
        label, color, marker = _MEMORIES[name]
        properties, lags = np.array(_word(rows, "property")), np.array(_word(rows, "lag"))
        content = rows[properties == "word"]
        if content.empty:
            continue
        _curve(panels[0], content, "lag", (label, color, marker))
        told = rows[(properties != "word") & (properties != "subject_number") & (lags == _AT)]
        panels[1].plot(
            content["mean"].mean(), told["mean"].mean(), marker=marker, color=color,
            markersize=6, clip_on=False, linestyle="none",
        )  # fmt: skip
    panels[0].set_ylim(0, 1.04)
    panels[0].set_xlim(0, 8)
    panels[0].set_xticks(range(0, 9, 2))
    panels[0].set_xlabel("lag in tokens")
    panels[0].set_ylabel("share of the word's bits")
    panels[1].set_xlim(0, 1.02)
    panels[1].set_ylim(0, 1.02)
    panels[1].set_xlabel("word, mean over lags")
    panels[1].set_ylabel(f"structure at lag {_AT}, mean share")
    handles, labels = panels[0].get_legend_handles_labels()
    below.legend(handles, labels, loc="center", ncols=3)
    rows = next(iter(of_memory.values()))
    host = panels[0] if ax is None else ax
    style.caption(
        host,
        f"Memories of equal size under the same linear probe, {tables.corpus_of(rows)}",
        "Structure: mean of position, part of speech, role and clause depth. "
        + tables.interval_note(rows),
        whole_figure=ax is None,
    )
    return host
