"""Recall by role of the learner and of the rivals that learn without labels."""

from __future__ import annotations

from collections.abc import Mapping

from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.rows import colour_note, recall_dots
from hebbsim.plots.style import DEPENDENCE_COLORS, INK, MODEL_NAMES, Axes
from hebbsim.rivals import RIVALS

#: Height of a role in inches, with several models one below another.
_ROW = 0.26


@style.styled
def plot_rivals(
    results: DataFrame,
    *,
    split: str = "test",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Recall of each role by the learner and by each rival without labels.

    Roles are sorted by the difference to the best rival, with the learner's best on top.
    """
    table, every, learner = tables.scores(results, "recall", split)
    recall = {
        "hebbian": tables.select(every, learner, model="hebbian"),
        **{name: tables.select(every, {}, model=name) for name in RIVALS},
    }
    hebbian = tables.need(recall["hebbian"], f"recall by role of the learner on {split}")
    shown = [name for name in RIVALS if len(recall[name])]
    tables.need(
        hebbian if shown else hebbian[:0], f"recall by role of rivals without labels on {split}"
    )
    mean = hebbian.set_index("role")["mean"]
    plain = every["condition"].map(lambda text: tables.words(text).keys() <= {"K"})
    best = every[every["model"].isin(shown) & plain]
    lead = mean - best.groupby("role")["mean"].max().reindex(mean.index).fillna(0.0)
    order = sorted(mean.index, key=lambda role: (lead[role], role))

    ax = style.axes(ax, 1.25 + _ROW * len(order))
    models = ("hebbian", *shown)
    shift = {model: 0.36 - 0.72 * number / len(shown) for number, model in enumerate(models)}
    look = {model: {"markersize": 3.2} for model in models}
    recall_dots(ax, {m: recall[m] for m in models}, order, shift, labels=MODEL_NAMES, look=look)
    ax.set_yticks(range(len(order)), [wording.role(role) for role in order])
    for label, role in zip(ax.get_yticklabels(), order, strict=True):
        label.set_color(DEPENDENCE_COLORS.get((dependence or {}).get(role, ""), INK))
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.6, len(order) - 0.4)
    for line in range(1, len(order)):
        ax.axhline(line - 0.5, color=style.GUIDE, lw=0.5, zorder=0)
    marks.legend(ax, columns=min(3, len(shown) + 1), side="right")
    return style.caption(
        ax,
        f"Recall by role without labels: {wording.where(table, split)}",
        f"Clusters of every model are named from dev by majority. {tables.interval_note(hebbian)}"
        + tables.population_note(learner)
        + colour_note(order, dependence),
    )
