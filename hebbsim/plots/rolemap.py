"""Roles on the plane of content and structure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.labels import label_points
from hebbsim.plots.style import DEPENDENCE_COLORS, INK
from hebbsim.probes.structure import FLOOR, MARGIN, decide_role

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


@style.styled
def plot_structure_content(
    results: DataFrame,
    *,
    split: str = "dev",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Map of roles: what the word alone tells against what its neighbours alone tell.

    The shaded regions are those of `hebbsim.probes.structure.decide_role`.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    split : str
        The definition reads dev; test stands in for a split that the table lacks.
    dependence : mapping of str to str, optional
        What decides each role; by its place on the map without.
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No role has both the F1 of word lookup and that of traces alone.
    """
    from matplotlib.patches import Polygon

    table = tables.tidy(results)
    scores = tables.select(table, split=split, metric="f1")
    if scores.empty:
        split, scores = "test", tables.select(table, split="test", metric="f1")
    content = tables.select(scores, {}, model="lookup")
    traces = tables.select(scores, {"view": "traces"}, model="hebbian")
    both = content.merge(traces, on="role", suffixes=("_content", "_traces")).sort_values("role")
    tables.need(both, f"F1 by role of word lookup and of traces alone on {split}")
    roles = both["role"].tolist()
    x = both["mean_content"].to_numpy(float)
    y = both["mean_traces"].to_numpy(float)
    if dependence is None:
        dependence = {r: decide_role(a, b) for r, a, b in zip(roles, x, y, strict=True)}
    colors = [DEPENDENCE_COLORS.get(dependence.get(role, ""), INK) for role in roles]

    own = ax is None
    ax = style.new_axes(3.75) if ax is None else ax
    # From 0, or nearer where all roles are found well. The regions' names stand in
    # strips beyond the ends, where no role can be.
    start = min(0.8, max(0.0, math.floor(min(x.min(), y.min()) * 10 - 0.5) / 10))
    pad = 1.0 - start
    left, right = start - 0.04 * pad, 1.0 + 0.04 * pad
    bottom, top = start - 0.09 * pad, 1.0 + 0.09 * pad
    step = 0.2 if pad > 0.6 else 0.1 if pad > 0.3 else 0.05
    ticks = 1.0 - step * np.arange(int(pad / step + 1e-9) + 1)
    ax.set_xticks(ticks)
    ax.set_yticks(ticks)
    ax.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    corner, end = FLOOR - MARGIN, 2.0
    region = np.array([(-1, FLOOR), (corner, FLOOR), (end - MARGIN, end), (-1, end)])
    names = {
        "structure": (region, (left + 0.02 * pad, top - 0.015 * pad), ("left", "top")),
        "content": (
            region[:, ::-1],
            (right - 0.02 * pad, bottom + 0.015 * pad),
            ("right", "bottom"),
        ),
    }
    for kind, (outline, place, (ha, va)) in names.items():
        color = DEPENDENCE_COLORS[kind]
        ax.add_patch(Polygon(outline, color=color, alpha=0.09, lw=0, zorder=0))
        ax.text(*place, f"{kind}-dependent", color=color, style="italic", ha=ha, va=va)
    for role, a, b, color in zip(roles, x, y, colors, strict=True):
        marker = {"structure": "D", "content": "s"}.get(dependence.get(role, ""), "o")
        ax.plot(a, b, marker, color=color, label=role, zorder=3)
    ax.set_xlabel("content: F1 of word lookup")
    ax.set_ylabel("structure: F1 of traces alone")
    style.caption(
        ax,
        f"Structure and content by role: {tables.corpus_of(table)}, {split}",
        f"Mean over {tables.count_note(traces, 'seeds')}. Shaded: one source reaches "
        f"{FLOOR:g} and exceeds the other by {MARGIN:g} or more.",
        whole_figure=own,
    )
    label_points(
        ax,
        x,
        y,
        roles,
        colors=colors,
        obstacles=[
            ((left, 1.0 + 0.02 * pad), (right, top)),
            ((left, bottom), (right, start - 0.02 * pad)),
        ],
    )
    return ax
