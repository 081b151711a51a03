"""Recall by role of the learner and the BiGRU on the same few labelled sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.style import DEPENDENCE_COLORS, INK, MODEL_COLORS, MODEL_MARKERS, MUTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["plot_few_labels"]

#: Panels in a row.
_COLUMNS = 4


@style.styled
def plot_few_labels(
    results: DataFrame,
    *,
    comparisons: DataFrame | None = None,
    split: str = "test",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Recall of each role against the number of labelled sentences, one panel a role.

    Parameters
    ----------
    results : DataFrame
        Rows of the results table.
    comparisons : DataFrame, optional
        Table ``comparisons`` of the run: markers are filled where it shows a difference.
    split : str
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by role; such roles' names are coloured and come first.
    ax : Axes, optional
        Drawn on a new figure without; panels are laid into it.

    Raises
    ------
    NothingToDrawError
        No recall of both models at two numbers of labelled sentences on `split`.
    """
    table, every, learner = tables.scores(results, "recall", split)
    few = {
        "hebbian": tables.select(
            every, {**learner, "labels": None, "readout": "soft"}, model="hebbian"
        ),
        "bigru": tables.select(every, {"labels": None}, model="bigru"),
    }
    for model, rows in few.items():
        counts = [tables.words(text)["labels"] for text in rows["condition"]]
        rows = rows.assign(labels=[float(n) if n.isdigit() else np.nan for n in counts])
        few[model] = rows[rows["labels"].notna()].sort_values("labels")
    both = sorted(set(few["hebbian"]["labels"]) & set(few["bigru"]["labels"]))
    tables.need(few["hebbian"] if len(both) > 1 else few["hebbian"][:0],
                f"recall by labelled sentences of both models on {split}")  # fmt: skip
    dependence = dependence or {}
    mean = few["hebbian"].groupby("role")["mean"].mean()
    first = {"structure": 0, "content": 2}
    roles = sorted(mean.index, key=lambda r: (first.get(dependence.get(r, ""), 1), r))
    shown = _shown(comparisons, learner, split)

    own = ax is None
    n_rows = math.ceil(len(roles) / _COLUMNS)
    ax = style.new_axes(1.1 + 1.0 * n_rows) if ax is None else ax
    ax.set_axis_off()
    width, height = 0.95 / _COLUMNS, 1 / n_rows
    for place, role in enumerate(roles):
        row, column = divmod(place, _COLUMNS)
        bounds = (0.05 + column * width, 1 - (row + 0.84) * height, 0.86 * width, 0.66 * height)
        panel = ax.inset_axes(bounds)
        panel.set_in_layout(False)  # room for its labels is inside the bounds of all panels
        for model, rows in few.items():
            chosen = rows[(rows["role"] == role) & rows["labels"].isin(both)]
            low, high = style.interval(chosen)
            color = MODEL_COLORS[model]
            panel.fill_between(chosen["labels"], low, high, color=color, alpha=0.2, lw=0)
            panel.plot(chosen["labels"], chosen["mean"], color=color, lw=1.2)
            filled = np.array([(role, n) in shown for n in chosen["labels"]], dtype=bool)
            for select, face in ((filled, color), (~filled, "white")):
                panel.plot(
                    chosen["labels"][select], chosen["mean"][select], MODEL_MARKERS[model],
                    color=color, mfc=face, ms=3.6, clip_on=False, zorder=3,
                )  # fmt: skip
        panel.set_xscale("log")
        panel.set_ylim(0, 1)
        panel.set_yticks([0, 0.5, 1], ["0", ".5", "1"] if column == 0 else ["", "", ""])
        last = place + _COLUMNS >= len(roles)
        panel.set_xticks(both, _ticks(both) if last else [""] * len(both))
        panel.tick_params(labelsize=5.6, length=2)
        panel.minorticks_off()
        panel.set_title(
            role, fontsize=6.8, pad=4, color=DEPENDENCE_COLORS.get(dependence.get(role, ""), INK)
        )
        panel.grid(axis="y", color=MUTED, alpha=0.2)
    for model, name in (("hebbian", "Hebbian, soft read-out"), ("bigru", "BiGRU")):
        ax.plot([], [], color=MODEL_COLORS[model], marker=MODEL_MARKERS[model], label=name)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    hues = {"structure": "green", "content": "purple"}
    named = [f"{hues[kind]}: {kind}-dependent" for kind in hues if kind in
             {dependence.get(role) for role in roles}]  # fmt: skip
    style.caption(
        ax,
        f"Recall by role on the same labelled sentences: {tables.corpus_of(table)}, {split}",
        "x: labelled sentences, the same draws for both. "
        f"Mean; bands: 95\u00a0% interval over {tables.count_note(few['bigru'], 'seeds')}."
        + (" Filled: a difference is shown (Holm-corrected p\u00a0<\u00a0.05)." if shown else "")
        + (f" Names in {'; '.join(named)}." if named else "")
        + tables.population_note(learner),
        whole_figure=own,
    )
    return ax


def _ticks(counts: Sequence[float]) -> list[str]:
    """Short numbers of sentences, every other one where there are many: 30, 300, 3k."""
    names = [f"{n / 1000:g}k" if n >= 1000 else f"{n:.0f}" for n in counts]
    return [n if len(names) < 4 or not i % 2 else "" for i, n in enumerate(names)]


def _shown(
    comparisons: DataFrame | None, learner: Mapping[str, str], split: str
) -> set[tuple[str, float]]:
    """Roles and numbers of labelled sentences at which a difference is shown."""
    found: set[tuple[str, float]] = set()
    if comparisons is None:
        return found
    for row in comparisons.to_dict("records"):
        said = tables.words(row["condition"])
        labels, readout = said.pop("labels", ""), said.pop("readout", "")
        said.pop("K", None)
        if (
            labels.isdigit() and readout == "soft" and said == dict(learner)
            and row["split"] == split and row["role"]
            and row["verdict"] in ("ahead", "behind")
        ):  # fmt: skip
            found.add((row["role"], float(labels)))
    return found
