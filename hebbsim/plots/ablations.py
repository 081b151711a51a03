"""Figure of `hebbsim run rules`: accuracy of a network with each thing about it changed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.style import GUIDE, INK, MODEL_COLORS, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["plot_ablations"]

#: Height of a row in inches, and rows that a heading takes.
_ROW, _HEADING = 0.105, 1.35
#: Accuracies are drawn by the logarithm of what they lack to this.
_BEYOND = 1.05
_COLORS = {"behind": "#D55E00", "ahead": "#00785A", "no difference shown": MODEL_COLORS["hebbian"]}
_NAMES = {
    "behind": "behind the network",
    "ahead": "ahead of it",
    "no difference shown": "no difference shown",
}


@style.styled
def plot_ablations(
    results: DataFrame,
    *,
    ablations: DataFrame,
    comparisons: DataFrame,
    split: str = "test",
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of a network with a rule replaced, learning off, or a layer left out.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    ablations : DataFrame
        Columns ``condition``, ``group``, ``name`` and ``idle``, all text, groups in order.
    comparisons : DataFrame
        Columns ``condition``, ``split``, ``verdict``.
    split : str
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        No accuracy of the network on `split`.
    """
    table = tables.tidy(results)
    table = table[(table["split"] == split) & (table["metric"] == "accuracy")]
    network = tables.need(table[table["model"] == "hebbian"], f"accuracy on {split}")
    rows = {
        " ".join(word for word in row["condition"].split() if not word.startswith("K=")): row
        for _, row in network.iterrows()
    }
    # A rule that learns nothing has the row of learning off. Of a group, what does best is on top.
    learning = ablations[ablations["idle"] != "True"]
    ordered = learning.assign(
        order=[-rows[said]["mean"] if said in rows else 1.0 for said in learning["condition"]]
    )
    groups = [
        (group, part.sort_values("order", kind="stable"))
        for group, part in ((g, ordered[ordered["group"] == g]) for g in _unique(ordered["group"]))
        if group
    ]
    n_rows = sum(len(part) + _HEADING for _, part in groups)
    own = ax is None
    ax = style.new_axes(1.05 + _ROW * n_rows) if ax is None else ax
    verdicts = {
        row["condition"]: row["verdict"]
        for _, row in comparisons.iterrows()
        if row["split"] == split
    }
    left = max(0.0, float(network["mean"].min()) - 0.04)
    # Near 1, where most are, the same difference takes more room: errors by their logarithm.
    ax.set_xscale(
        "function", functions=(lambda x: -np.log(_BEYOND - np.minimum(x, 1.0)),
                               lambda y: _BEYOND - np.exp(-y)),
    )  # fmt: skip
    ax.set_xlim(left, 1.0)
    marks = [mark for mark in (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1) if mark >= left]
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    ax.minorticks_off()
    whole = rows[""]
    low, high = style.interval(network[network["condition"] == whole["condition"]])
    ax.axvspan(low[0], high[0], color=GUIDE, linewidth=0, zorder=0)
    ax.axvline(whole["mean"], color=MODEL_COLORS["hebbian"], linewidth=0.9, zorder=1)
    above: list[tuple[float, str, str]] = [(whole["mean"], "network", MODEL_COLORS["hebbian"])]
    lookup = table[table["model"] == "lookup"]
    if len(lookup):
        mean = float(lookup["mean"].iloc[0])
        ax.axvline(mean, color=MODEL_COLORS["lookup"], linewidth=0.9, linestyle="--", zorder=1)
        above.append((mean, "look-up", MODEL_COLORS["lookup"]))
    y, ticks = 0.0, []
    shown: dict[str, None] = {}
    for group, part in groups:
        y += _HEADING
        ax.annotate(
            group, (0, y - 1), xycoords=("axes fraction", "data"), xytext=(-4, 0),
            textcoords="offset points", ha="right", va="center", fontsize=6, fontweight="bold",
            color=INK, annotation_clip=False,
        )  # fmt: skip
        ax.axhline(y - 1, color=GUIDE, linewidth=0.5, zorder=0)
        for _, each in part.iterrows():
            ticks.append((y, each["name"]))
            if each["condition"] in rows:
                row = network[network["condition"] == rows[each["condition"]]["condition"]]
                verdict = verdicts.get(row["condition"].iloc[0], "no difference shown")
                style.dots(
                    ax, row, [y], color=_COLORS[verdict], markersize=3,
                    bounds=(left, 1.0),
                    label=None if verdict in shown else _NAMES[verdict],
                    markerfacecolor=_COLORS[verdict] if verdict != "no difference shown" else "w",
                )  # fmt: skip
                shown[verdict] = None
            else:
                ax.annotate("no score", (left, y), xytext=(3, 0), textcoords="offset points",
                            va="center", fontsize=5.5, color=MUTED)  # fmt: skip
            y += 1
    ax.set_ylim(y - 0.3, -0.2)
    ax.set_yticks([at for at, _ in ticks], [name for _, name in ticks], fontsize=5.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"accuracy on {split}")
    for (at, word, color), side in zip(sorted(above), ("right", "left"), strict=False):
        ax.annotate(
            word, (at, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
            textcoords="offset points", ha=side, va="bottom", fontsize=6, color=color,
        )  # fmt: skip
    if shown:
        ax.legend(loc="upper right", bbox_to_anchor=(1.02, -0.36 / (_ROW * n_rows)), ncols=3,
                  fontsize=5.6, handletextpad=0.1, columnspacing=0.8)  # fmt: skip
    style.caption(
        ax,
        f"What each rule contributes: {tables.corpus_of(table)}, {split}",
        f"{tables.interval_note(network)} Bold: part, and the rule that it has. Grey band: "
        "interval of the network as it is; dashed: each word's commonest role."
        + (
            " Rules that learn nothing there are left out."
            if len(learning) < len(ablations)
            else ""
        ),
        whole_figure=own,
    )
    return ax


def _unique(values: Any) -> list[str]:
    return [value for value, _ in itertools.groupby(values)]
