"""Figures of structure beside content: against lag and timescale, by property, by memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import GUIDE, INK, Axes
from hebbsim.plots.tables import NothingToDrawError

#: Name, colour and marker of each property; content is dark, structure is coloured.
PROPERTIES = {
    "word": ("word (content)", "#222222", "s"),
    "position": ("position", "#0072B2", "o"),
    "pos": ("part of speech", "#E69F00", "^"),
    "role": ("role", "#009E73", "D"),
    "depth": ("clause depth", "#CC79A7", "v"),
    "subject_number": ("number of subject", "#D55E00", "P"),
}
_MEMORIES = {
    "traces": ("traces", "#0072B2", "o"),
    "traces-learned": ("traces, learned codes", "#56B4E9", "<"),
    "window": ("window", "#6B6B6B", "s"),
    "lmu": ("LMU", "#009E73", "^"),
    "fast-weights": ("fast weights", "#CC79A7", "D"),
    "gru": ("GRU, untrained", "#E69F00", "v"),
    "bigru": ("BiGRU, forward half", "#D55E00", "P"),
}
#: Sources of information on a property: the word alone, or a memory of the words before it.
_SOURCES = {
    "word": ("the word alone (content)", {"color": INK, "marker": "s"}),
    "traces": ("words before it, random codes", {"color": "#0072B2", "mfc": "white"}),
    "traces-learned": ("words before it, learned codes", {"color": "#0072B2"}),
}
#: Lag at which memories are compared for structure.
_AT = 1


def _rows(results: DataFrame, split: str, model: str, **said: str | None) -> DataFrame:
    """Rows of ``share`` whose condition has exactly these words (None: any value)."""
    condition = {"property": None, **said}
    rows = tables.select(results, condition, split=split, metric="share", model=model)
    return rows.assign(property=tables.column(rows, "property"))


def _by_lag(ax: Axes, what: str) -> None:
    ax.set(xlim=(0, 8), ylim=(0, 1.04), xticks=range(0, 9, 2), xlabel="lag in tokens", ylabel=what)


@style.styled
def plot_structure(results: DataFrame, *, model: str = "traces", ax: Axes | None = None) -> Axes:
    """Share of the bits of each property read from a state, against lag and against timescale.

    Two panels: traces at several timescales by lag, and a single trace by its timescale, read at
    lag 1. `model` is ``traces`` or, of learned codes, ``traces-learned``.
    """
    by_lag = _rows(results, "structure", model, lag=None)
    by_tau = _rows(results, "structure", model, lag=None, timescales=None)
    if by_lag.empty:
        raise NothingToDrawError("no row of structure by lag")
    host, panels = style.panels(ax, 4.4, 2, 1)
    ends: list[list[Any]] = [[], []]
    note = ""
    for name, (label, *look) in PROPERTIES.items():
        for i, (rows, key) in enumerate(((by_lag, "lag"), (by_tau, "timescales"))):
            chosen = rows[rows["property"] == name]
            if len(chosen):
                x = tables.numbers(chosen, key)
                end = marks.curve(panels[i], x, chosen, *look, label=label)
                if len(x) > 1:
                    ends[i].append((label, *end))
                else:
                    note += f" Single point: {label}, {end[0]:.2f}."
    cancelled = _rows(results, "structure", "cancellation", lag=None, precision="float32")
    if len(cancelled) and model == "traces":
        lags = tables.numbers(cancelled, "lag")
        end = marks.curve(panels[0], lags, cancelled, INK, "s", label="word, by cancellation",
                          mfc="white", linestyle=(0, (3, 1.5)))  # fmt: skip
        ends[0].append(("word, by\ncancellation,\nfloat32", *end))
    _by_lag(panels[0], "share of its bits read")
    panels[1].set_xlabel("timescale of one trace in tokens, lag 1")
    panels[1].set(ylabel="share of its bits read", ylim=(0, 1.04))
    panels[1].set_xscale("log", base=2)
    panels[1].set_xticks([1, 2, 4, 8, 16, 32, 64], ["1", "2", "4", "8", "16", "32", "64"])
    panels[1].minorticks_off()
    if len(by_tau):
        panels[1].set_xlim(1, tables.numbers(by_tau, "timescales").max())
    codes = "random" if model == "traces" else "learned"
    style.caption(
        host,
        f"Structure and content in traces of {codes} codes: {wording.corpus_of(by_lag)}",
        f"A linear probe on the state. {tables.interval_note(by_lag)}{note}",
    )
    for panel, named in zip(panels, ends, strict=True):
        marks.name_ends(panel, named)
    return host


@style.styled
def plot_plane(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of the bits of each property read from the word alone, and from the words before it."""
    rows = {model: _rows(results, "plane", model) for model in _SOURCES}
    rows = {model: found for model, found in rows.items() if len(found)}
    if "word" not in rows or len(rows) == 1:
        raise NothingToDrawError("no row of the plane of structure and content")
    share = {model: r.set_index("property")["mean"] for model, r in rows.items()}
    past = list(share)[-1]
    both = [name for name in share[past].index if name in share["word"].index]
    order = sorted(both, key=lambda name: share[past][name] - share["word"][name])
    ax = style.axes(ax, 1.5 + 0.3 * len(order))
    # The word in the middle of its row, both pasts beside it: no whisker hides another.
    for shift, model in zip((0.0, 0.2, -0.2), rows, strict=False):
        label, look = _SOURCES[model]
        here = rows[model][rows[model]["property"].isin(order)]
        places = [order.index(name) + shift for name in here["property"]]
        marks.dots(ax, here, places, label=label, **look)  # type: ignore[arg-type]
    ax.set_yticks(
        range(len(order)), [PROPERTIES[name][0] if name in PROPERTIES else name for name in order]
    )
    ax.set_ylim(-0.6, len(order) - 0.4)
    ax.hlines(np.arange(len(order) - 1) + 0.5, 0, 1, color=GUIDE, lw=0.5, zorder=0)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1.0), xlabel="share of its bits read")
    marks.legend(ax, columns=1, side="right")
    return style.caption(
        ax,
        f"What is structure, and what is content: {wording.corpus_of(rows['word'])}",
        "Word: counts of labels by word. Words before it: a linear probe on their traces. "
        "Top: structure, which is better read from the words before. "
        f"{tables.interval_note(rows['word'])}",
    )


@style.styled
def plot_memories(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Memories of equal size: content by lag, and structure and content, in two panels."""
    of_memory = {name: _rows(results, "structure", name, lag=None) for name in _MEMORIES}
    of_memory = {n: r for n, r in of_memory.items() if (r["property"] == "word").any()}
    if not of_memory:
        raise NothingToDrawError("no row of a memory")
    host, panels = style.panels(ax, 4.4, 2, 1)
    ends, points = [], []
    for name, rows in of_memory.items():
        label, *look = _MEMORIES[name]
        content = rows[rows["property"] == "word"]
        x = tables.numbers(content, "lag")
        ends.append((label, *marks.curve(panels[0], x, content, *look, label=label)))
        other = ~rows["property"].isin(["word", "subject_number"])
        told = rows[other & (tables.numbers(rows, "lag") == _AT)]
        points.append((told["mean"].mean(), content["mean"].mean(), *_MEMORIES[name]))
    _by_lag(panels[0], "share of the word's bits")
    points.sort()
    for place, (structure, content, _, color, marker) in enumerate(points):
        panels[1].plot([structure, content], [place, place], color=color, lw=0.6)
        panels[1].plot(structure, place, marker, color=color, clip_on=False)
        panels[1].plot(content, place, marker, color=color, mfc="white", clip_on=False)
    panels[1].set_yticks(range(len(points)), [label for _, _, label, *_ in points])
    panels[1].tick_params(axis="y", length=0)
    panels[1].set(ylim=(-0.6, len(points) - 0.4), xlim=(0, 1), xlabel="mean share of bits")
    rows = next(iter(of_memory.values()))
    style.caption(
        host,
        f"Memories of equal size under the same linear probe: {wording.corpus_of(rows)}",
        f"Below, filled: structure at lag {_AT} (position, part of speech, role, clause depth); "
        f"open: content, the word, over all lags. {tables.interval_note(rows)}",
    )
    marks.name_ends(panels[0], ends)
    return host
