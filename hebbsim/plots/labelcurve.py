"""The label curve of the BiGRU beside the learner that has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import MODEL_COLORS, MODEL_MARKERS, MODEL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


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
        Number of sentences that ``labels=all`` stands for; without, that point
        takes the next place on the axis and is named "all".
    """
    table, accuracy, learner = tables.scores(results, "accuracy", split)
    curve = tables.select(accuracy, {"labels": None}, model="bigru")
    hebbian = tables.select(accuracy, learner, model="hebbian")
    lookup = tables.select(accuracy, {}, model="lookup")
    labels = [tables.words(condition)["labels"] for condition in curve["condition"]]
    counts = {label: float(label) for label in labels if label.isdigit()}
    if "all" in labels:
        counts["all"] = float(n_sentences or max(counts.values(), default=100.0) * 10**0.5)
    curve = curve.assign(x=[counts.get(label, np.nan) for label in labels], labels=labels)
    curve = curve[curve["x"].notna()].drop_duplicates("x").sort_values("x")
    tables.need(curve.iloc[1:], f"label curve of the BiGRU on {split}")
    tables.need(hebbian, f"accuracy of the learner on {split}")

    ax = style.axes(ax, 3.3)
    x = curve["x"].to_numpy(float)
    ax.set_xscale("log")
    ax.set_xlim(x[0] / 1.25, x[-1] * 1.12)
    last, color = marks.curve(
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
    model_rows = tables.select(table, model="hebbian", split=split)
    for readout, name, look in (
        ({"readout": "soft"}, "soft read-out", {"ls": "-", "mfc": color}),
        ({}, "majority", {"ls": (0, (1, 1.2)), "mfc": "white"}),
    ):
        few = _by_count(
            tables.select(model_rows, {**learner, "labels": None, **readout}, metric="accuracy")
        )
        if few:
            label = f"Hebbian, clusters named by few labels: {name}"
            ax.plot(*zip(*few, strict=True), marker="D", ms=4, color=color, label=label, **look)
    notes = ""
    for place, text, note in _met(model_rows, learner):
        ax.plot(place, mean, "o", color=color, mfc="white", zorder=4, label=text)
        notes += note
    ax.margins(y=0.1)
    ax.set_ylim(ax.get_ylim())
    ax.set_xticks(x, _tick_names(curve, n_sentences))
    ax.minorticks_off()
    ax.set_xlabel("labelled sentences")
    ax.set_ylabel("accuracy (fraction of tokens)")
    if ax.get_legend_handles_labels()[0]:
        marks.legend(ax, columns=1)
    style.caption(
        ax,
        f"Accuracy by labelled sentences: {wording.where(table, split)}",
        f"Mean; bands: 95\u00a0% interval over {tables.count_note(curve, 'seeds')}. "
        "Hebbian: learnt without labels; line: its clusters named by all of dev."
        + notes
        + tables.population_note(learner),
    )
    marks.name_ends(ax, [(f"{MODEL_NAMES[name]}\n{v:.3f}", v, color) for name, v, color in ends])
    return ax


def _met(rows: DataFrame, learner: Mapping[str, str]) -> Iterator[tuple[float, str, str]]:
    """Where the BiGRU meets the learner: labelled sentences, in words, and a note."""
    # Beyond the curve's ends the table gives the end and says so.
    beyond = {"": "as good as the BiGRU with", "above": "better than the BiGRU with",
              "below": "worse than the BiGRU with"}  # fmt: skip
    for place, relation in beyond.items():
        condition = {**learner, "curve": place} if place else {**learner}
        met = tables.select(rows, condition, metric="label_equivalence")
        for value, low, high in met[["mean", "low", "high"]].itertuples(index=False):
            text = f"{relation} {value:,.0f} labelled sentences"
            note = f" As good as with {low:,.0f} to {high:,.0f}: two-level bootstrap."
            yield value, text, note if not place and low < high else ""


def _by_count(rows: DataFrame) -> list[tuple[int, float]]:
    """Number of labelled sentences and mean of the rows that name such a number."""
    labels = [tables.words(condition)["labels"] for condition in rows["condition"]]
    return sorted(
        (int(label), value)
        for label, value in zip(labels, rows["mean"], strict=True)
        if label.isdigit()
    )


def _tick_names(curve: DataFrame, n_sentences: int | None) -> list[str]:
    names = [f"{count:,.0f}" for count in curve["x"]]
    if curve["labels"].iloc[-1] == "all":
        names[-1] = f"all\n{n_sentences:,}" if n_sentences else "all"
        if len(names) > 1 and curve["x"].iloc[-1] < 2 * curve["x"].iloc[-2]:
            names[-2] = ""  # too close to be told apart on a logarithmic axis
    return names
