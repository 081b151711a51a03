"""Recall by role of the learner and the BiGRU on the same few labelled sentences."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.rows import colour_note
from hebbsim.plots.style import DEPENDENCE_COLORS, INK, MODEL_COLORS, MODEL_MARKERS, Axes

#: Panels in a row.
_COLUMNS = 3
_NAMES = {"hebbian": "Hebbian, soft read-out", "bigru": "BiGRU"}


@style.styled
def plot_few_labels(
    results: DataFrame,
    *,
    comparisons: DataFrame | None = None,
    split: str = "test",
    dependence: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Recall of each role against the number of labelled sentences, one panel per role.

    Parameters
    ----------
    comparisons : DataFrame, optional
        Table ``comparisons`` of the run: markers are filled where it shows a difference.
    dependence : mapping of str to str, optional
        ``structure`` or ``content`` by role; such roles' names are coloured and come first.
    """
    table, every, learner = tables.scores(results, "recall", split)
    few = {}
    for model, said in {"hebbian": {**learner, "readout": "soft"}, "bigru": {}}.items():
        rows = tables.select(every, {**said, "labels": None}, model=model)
        rows = rows.assign(labels=tables.numbers(rows, "labels"))
        few[model] = rows.dropna(subset="labels").sort_values("labels")
    both = sorted(set(few["hebbian"]["labels"]) & set(few["bigru"]["labels"]))
    tables.need(few["hebbian"] if len(both) > 1 else few["hebbian"][:0],
                f"recall by labelled sentences of both models on {split}")  # fmt: skip
    dependence = dependence or {}
    first = {"structure": 0, "content": 2}
    roles = sorted(
        set(few["hebbian"]["role"]), key=lambda r: (first.get(dependence.get(r, ""), 1), r)
    )
    shown = _shown(comparisons, learner, split)

    n_rows = math.ceil((len(roles) + 1) / _COLUMNS)  # the last panel holds the legend
    # A row that holds the legend alone is lower.
    heights = [1.0] * (n_rows - 1) + [1.0 if len(roles) % _COLUMNS else 0.4]
    host, panels = style.panels(
        ax, 1.3 + 1.05 * sum(heights), n_rows, _COLUMNS, height_ratios=heights
    )
    for place, (panel, role) in enumerate(zip(panels, roles, strict=False)):
        for model, rows in few.items():
            chosen = rows[(rows["role"] == role) & rows["labels"].isin(both)]
            color, marker = MODEL_COLORS[model], MODEL_MARKERS[model]
            marks.curve(panel, chosen["labels"], chosen, color)
            filled = np.array([(role, n) in shown for n in chosen["labels"]], dtype=bool)
            for select, face in ((filled, color), (~filled, "white")):
                if select.any():  # an empty line would ask the layout for room at the corner
                    panel.plot(
                        chosen["labels"][select], chosen["mean"][select], marker,
                        color=color, mfc=face, ms=3.6, clip_on=False, zorder=3,
                    )  # fmt: skip
        panel.set_xscale("log")
        panel.set_ylim(0, 1)
        panel.set_yticks([0, 0.5, 1], ["0", ".5", "1"] if place % _COLUMNS == 0 else [""] * 3)
        names = [marks.short(n) if len(both) < 4 or not i % 2 else "" for i, n in enumerate(both)]
        last = place + _COLUMNS >= len(roles)
        panel.set_xticks(both, names if last else [""] * len(both))
        panel.minorticks_off()
        panel.set_title(
            textwrap.fill(wording.role(role), 15), fontsize=7, fontweight="normal", pad=5,
            color=DEPENDENCE_COLORS.get(dependence.get(role, ""), INK),
        )  # fmt: skip
        panel.grid(axis="y")
    for panel in panels[len(roles) :]:
        panel.set_axis_off()
    for model, name in _NAMES.items():
        look = {"color": MODEL_COLORS[model], "marker": MODEL_MARKERS[model]}
        panels[len(roles)].plot([], [], label=name.replace(", ", ",\n"), **look)  # type: ignore[arg-type]
    panels[len(roles)].legend(loc="center left")
    return style.caption(
        host,
        f"Recall by role on the same labelled sentences: {wording.where(table, split)}",
        "x: labelled sentences, the same draws for both. y: recall. "
        f"Mean; bands: 95\u00a0% interval over {tables.count_note(few['bigru'])}."
        + (" Filled: a difference is shown (Holm-corrected p\u00a0<\u00a0.05)." if shown else "")
        + colour_note(roles, dependence)
        + tables.population_note(learner),
    )


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
