"""Figure of `hebbsim run rules`: accuracy of a network with one of its parts changed."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import GUIDE, INK, MODEL_COLORS, SMALL, Axes

#: Height of a row in inches, and rows that a heading takes.
_ROW, _HEADING = 0.125, 1.35
#: The axis is logarithmic in the difference of the accuracy from this.
_BEYOND = 1.05
_COLORS = {"behind": "#D55E00", "ahead": "#00785A", "no difference shown": MODEL_COLORS["hebbian"]}
_NAMES = {"behind": "behind the network", "ahead": "ahead of it",
          "no difference shown": "no difference shown"}  # fmt: skip


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
    ablations : DataFrame
        Columns ``condition``, ``group``, ``name`` and ``idle``, all text, groups in order.
    comparisons : DataFrame
        Columns ``condition``, ``split``, ``verdict``.
    """
    table = tables.tidy(results)
    table = table[(table["split"] == split) & (table["metric"] == "accuracy")]
    network = tables.need(table[table["model"] == "hebbian"], f"accuracy on {split}")
    rows = {
        " ".join(word for word in row["condition"].split() if not word.startswith("K=")): row
        for _, row in network.iterrows()
    }
    # A rule that learns nothing has the row of learning off. The best of each group is on top.
    learning = ablations[ablations["idle"] != "True"]
    ordered = learning.assign(
        order=[-rows[said]["mean"] if said in rows else 1.0 for said in learning["condition"]]
    )
    groups = [
        (str(group), part.sort_values("order", kind="stable"))
        for group, part in ordered.groupby("group", sort=False)
        if group
    ]
    n_rows = sum(len(part) + _HEADING for _, part in groups)
    ax = style.axes(ax, 1.3 + _ROW * n_rows)
    compared = comparisons[comparisons["split"] == split]
    verdicts = dict(zip(compared["condition"], compared["verdict"], strict=True))
    left = max(0.0, float(network["mean"].min()) - 0.04)
    # Logarithmic in the error, because most accuracies are near 1.
    ax.set_xscale(
        "function", functions=(lambda x: -np.log(_BEYOND - np.minimum(x, 1.0)),
                               lambda y: _BEYOND - np.exp(-y)),
    )  # fmt: skip
    ax.set_xlim(left, 1.0)
    ticks_at = [at for at in (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1) if at >= left]
    ax.set_xticks(ticks_at, [f"{at:g}" for at in ticks_at])
    ax.minorticks_off()
    whole = rows[""]
    low, high = marks.interval(network[network["condition"] == whole["condition"]])
    ax.axvspan(low[0], high[0], color=GUIDE, linewidth=0, zorder=0)
    ax.axvline(whole["mean"], color=MODEL_COLORS["hebbian"], linewidth=0.9, zorder=1)
    above = [("network", float(whole["mean"]), MODEL_COLORS["hebbian"])]
    lookup = table[table["model"] == "lookup"]
    if len(lookup):
        mean = float(lookup["mean"].iloc[0])
        ax.axvline(mean, color=MODEL_COLORS["lookup"], linewidth=0.9, linestyle="--", zorder=1)
        above.append(("word lookup", mean, MODEL_COLORS["lookup"]))
    y, ticks = 0.0, []
    shown = set()
    for group, part in groups:
        y += _HEADING
        ax.annotate(
            group, (0, y - 1), xycoords=("axes fraction", "data"), xytext=(-4, 0),
            textcoords="offset points", ha="right", va="center", fontsize=SMALL, fontweight="bold",
            color=INK, annotation_clip=False,
        )  # fmt: skip
        ax.axhline(y - 1, color=GUIDE, linewidth=0.5, zorder=0)
        for _, each in part.iterrows():
            scored = each["condition"] in rows
            ticks.append((y, each["name"] + ("" if scored else " (no score)")))
            if scored:
                row = network[network["condition"] == rows[each["condition"]]["condition"]]
                verdict = verdicts.get(row["condition"].iloc[0], "no difference shown")
                marks.dots(
                    ax, row, [y], _COLORS[verdict], markersize=3, bounds=(left, 1.0),
                    label=None if verdict in shown else _NAMES[verdict],
                    markerfacecolor=_COLORS[verdict] if verdict != "no difference shown" else "w",
                )  # fmt: skip
                shown.add(verdict)
            y += 1
    ax.set_ylim(y - 0.3, -0.2)
    ax.set_yticks([at for at, _ in ticks], [name for _, name in ticks], fontsize=SMALL)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"accuracy on {split}")
    if shown:
        marks.legend(ax, columns=3, side="right", lift=1.6)
    marks.name_ends(ax, above, above=True)
    return style.caption(
        ax,
        f"What each rule contributes: {wording.where(table, split)}",
        f"{tables.interval_note(network)} Bold: part, and the rule that it has. Grey band: "
        "interval of the network as it is; dashed: each word's commonest role."
        + " Rules that learn nothing there are left out."
        * (len(learning) < len(ablations)),
    )
