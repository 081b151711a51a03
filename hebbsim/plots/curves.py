"""Accuracy by labelled sentences and by tokens read; recall by role with few labels."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from pandas import DataFrame

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.rows import colour_note
from hebbsim.plots.style import (
    DEPENDENCE_COLORS,
    GUIDE,
    INK,
    MODEL_COLORS,
    MODEL_MARKERS,
    MODEL_NAMES,
    Axes,
)

#: Panels in a row.
_COLUMNS = 3
_NAMES = {"hebbian": "Hebbian, soft read-out", "bigru": "BiGRU"}


@style.styled
def plot_labels(
    results: DataFrame,
    *,
    split: str = "test",
    n_sentences: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of the BiGRU by number of labelled sentences, beside the zero-label learner.

    Parameters
    ----------
    n_sentences : int, optional
        Number of sentences that ``labels=all`` stands for (default: unknown; that point is
        named "all" and placed after the others).
    """
    table, accuracy, learner = tables.scores(results, "accuracy", split)
    curve = tables.select(accuracy, {"labels": None}, model="bigru")
    hebbian = tables.select(accuracy, learner, model="hebbian")
    lookup = tables.select(accuracy, {}, model="lookup")
    curve = curve.assign(x=tables.numbers(curve, "labels"), labels=tables.column(curve, "labels"))
    most = 100.0 if curve["x"].isna().all() else curve["x"].max()
    curve.loc[curve["labels"] == "all", "x"] = float(n_sentences or most * 10**0.5)
    curve = curve.dropna(subset="x").drop_duplicates("x").sort_values("x")
    tables.need(curve.iloc[1:], f"label curve of the BiGRU on {split}")
    tables.need(hebbian, f"accuracy of the learner on {split}")

    ax = style.axes(ax, 3.3)
    x = curve["x"].to_numpy(float)
    ax.set_xscale("log")
    ax.set_xlim(x[0] / 1.25, x[-1] * 1.12)
    last, color, _ = marks.curve(
        ax, x, curve, MODEL_COLORS["bigru"], MODEL_MARKERS["bigru"], label="_bigru", markersize=4
    )
    ends = [("bigru", last, color)]
    mean, color = float(hebbian["mean"].iloc[0]), MODEL_COLORS["hebbian"]
    low, high = marks.interval(hebbian)
    ax.axhspan(low[0], high[0], color=color, alpha=0.2, lw=0)
    ax.axhline(mean, color=color, label="_hebbian")
    ends.append(("hebbian", mean, color))
    for value in lookup["mean"]:
        ax.axhline(value, color=MODEL_COLORS["lookup"], ls=marks.DASHES, label="_lookup")
        ends.append(("lookup", float(value), MODEL_COLORS["lookup"]))
    for readout, name, look in (
        ({"readout": "soft"}, "soft read-out", {"ls": "-", "mfc": color}),
        ({}, "majority", {"ls": (0, (1, 1.2)), "mfc": "white"}),
    ):
        few = tables.select(accuracy, {**learner, "labels": None, **readout}, model="hebbian")
        few = few.assign(x=tables.numbers(few, "labels")).dropna(subset="x").sort_values("x")
        if len(few):
            label = f"Hebbian, clusters named by few labels: {name}"
            ax.plot(few["x"], few["mean"], marker="D", ms=4, color=color, label=label, **look)
    notes = ""
    for place, text, note in _met(tables.select(table, model="hebbian", split=split), learner):
        ax.plot(place, mean, "o", color=color, mfc="white", zorder=4, label=text)
        notes += note
    ax.margins(y=0.1)
    ax.set_ylim(ax.get_ylim())
    ax.set_xticks(x, _tick_names(curve, n_sentences))
    ax.minorticks_off()
    ax.set(xlabel="labelled sentences", ylabel="accuracy (fraction of tokens)")
    if ax.get_legend_handles_labels()[0]:
        marks.legend(ax, columns=1)
    style.caption(
        ax,
        f"Accuracy by labelled sentences: {wording.where(table, split)}",
        f"Mean; bands: 95\u00a0% interval over {tables.count_note(curve)}. "
        "Hebbian: learned without labels; line: its clusters named by all of dev."
        + notes
        + tables.population_note(learner),
    )
    named = [(f"{MODEL_NAMES[name]}\n{v:.3f}", v, color) for name, v, color in ends]
    return marks.name_ends(ax, named)


def _met(rows: DataFrame, learner: Mapping[str, str]) -> Iterator[tuple[float, str, str]]:
    """Numbers of labelled sentences at which the BiGRU equals the learner, with label and note."""
    # Beyond the curve's ends the table gives the end and says so.
    beyond = {"": "as good as the BiGRU with", "above": "better than the BiGRU with",
              "below": "worse than the BiGRU with"}  # fmt: skip
    for place, relation in beyond.items():
        condition = {**learner, "curve": place} if place else {**learner}
        met = tables.select(rows, condition, metric="label_equivalence")
        for value, low, high in met[["mean", "low", "high"]].itertuples(index=False):
            text = f"{relation} {value:,.0f} labelled sentences"
            note = f" Two-level bootstrap of the {value:,.0f}: {low:,.0f} to {high:,.0f}."
            yield value, text, note if not place and low < high else ""


def _tick_names(curve: DataFrame, n_sentences: int | None) -> list[str]:
    names = [f"{count:,.0f}" for count in curve["x"]]
    if curve["labels"].iloc[-1] == "all":
        names[-1] = f"all\n{n_sentences:,}" if n_sentences else "all"
        if len(names) > 1 and curve["x"].iloc[-1] < 2 * curve["x"].iloc[-2]:
            names[-2] = ""  # too close to be told apart on a logarithmic axis
    return names


@style.styled
def plot_learning_curve(
    results: DataFrame,
    *,
    split: str = "test",
    n_tokens: int | None = None,
    passes: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy of a learner by the tokens it has read, on test and on generalization.

    Parameters
    ----------
    split : str
        The split that is drawn beside the generalization splits.
    n_tokens : int, optional
        Number of tokens in one pass over the training sentences (default: unknown; neither the
        end of learning nor passes are drawn).
    passes : int
        Number of passes.
    """
    table, _, learner = tables.scores(results, "accuracy", split)
    ends = [n_tokens * number for number in range(1, passes + 1)] if n_tokens else []
    curves = {name: _curve(table, learner, name, ends) for name in (split, "gen")}
    tables.need(curves[split].iloc[1:], f"accuracy by tokens read on {split}")

    ax = style.axes(ax, 2.9)
    named, dashed = [], False
    for name, rows in curves.items():
        if rows.empty:
            continue
        said, color, marker = name, MODEL_COLORS["hebbian"], "o"
        if name == "gen":
            said, color, marker = "generalization", "#007A5A", "D"
        last, *_ = marks.curve(ax, rows["tokens"], rows, color, marker, label=said, zorder=3)
        named.append((f"{said}\n{last:.3f}", last, color))
        lookup = tables.select(table, {}, model="lookup", metric="accuracy", split=name)
        for value in lookup["mean"]:
            dashed = True
            label = f"word lookup, {said}"
            ax.axhline(value, color=color, lw=0.9, ls=marks.DASHES, zorder=2, label=label)
            named.append((f"{label}\n{value:.3f}".replace(", ", ",\n"), float(value), color))
    x = curves[split]["tokens"].to_numpy(float)
    ax.set_xlim(x[0] / 1.06, x[-1] * 1.06)
    marks.log_scale(ax, "x", (1, 2, 5) if x[-1] > 20 * x[0] else (1, 2, 3, 5, 7))
    within = [end for end in ends if x[0] < end]
    for end in within:
        ax.axvline(end, color=GUIDE, lw=0.8, zorder=1)
    ax.margins(y=0.08)
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top)
    ax.set_yticks([tick for tick in ax.get_yticks() if bottom <= tick <= top])
    ax.set(xlabel="tokens read", ylabel="accuracy (fraction of tokens)")
    counted = tables.count_note(curves[split])
    style.caption(
        ax,
        f"Accuracy by tokens read: {wording.corpus_of(table)}",
        ("One seed. " if counted == "1 seed" else
         f"Mean; bands: 95\u00a0% interval over {counted}. ")
        + "Learned without labels; clusters named on dev at every point."
        + (" Last point: the end of learning." if ends else "")
        + (f" Grey lines: end of {'each' if len(within) > 1 else 'the'} pass over the training "
           "sentences." if within else "")
        + (" Dashed: word lookup, which has all labels." if dashed else ""),
    )  # fmt: skip
    return marks.name_ends(ax, named)


def _curve(table: DataFrame, learner: Mapping[str, str], split: str, ends: list[int]) -> DataFrame:
    """Rows of all seeds by tokens read, the end of learning last; with a column ``tokens``."""
    accuracy = tables.select(table, model="hebbian", metric="accuracy", split=split)
    rows = tables.select(accuracy, {**learner, "tokens": None})
    rows = rows.assign(tokens=tables.numbers(rows, "tokens"))
    # A mean over some of the seeds is not a point of the same curve.
    rows = rows[(rows["tokens"] > 0) & (rows["n"] == rows["n"].max())]
    if ends and len(rows):
        last = tables.select(accuracy, {**learner}).assign(tokens=float(ends[-1]))
        rows = pd.concat([rows, last], ignore_index=True)
    return rows.sort_values("tokens").reset_index(drop=True)


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
