"""Accuracy of the BiGRU by number of labels, beside the zero-label learner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

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
    ax.set_xlabel("labelled sentences")
    ax.set_ylabel("accuracy (fraction of tokens)")
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
    marks.name_ends(ax, [(f"{MODEL_NAMES[name]}\n{v:.3f}", v, color) for name, v, color in ends])
    return ax


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
