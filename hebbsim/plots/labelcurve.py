"""The label curve of the BiGRU beside the learner that has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.labels import label_points, name_ends
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
    results : DataFrame
        Rows of the results table.
    split : str
    n_sentences : int, optional
        Number of sentences that ``labels=all`` stands for; without, that point
        takes the next place on the axis and is named "all".
    ax : Axes, optional
        Drawn on a new figure without.

    Raises
    ------
    NothingToDrawError
        Fewer than two label counts of the BiGRU, or no accuracy of the learner.
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

    own = ax is None
    ax = style.new_axes(2.9) if ax is None else ax
    x = curve["x"].to_numpy(float)
    color = MODEL_COLORS["bigru"]
    ax.set_xscale("log")
    ax.set_xlim(x[0] / 1.25, x[-1] * 1.12)
    low, high = style.interval(curve)
    ax.fill_between(x, low, high, color=color, alpha=0.2, lw=0)
    ax.plot(x, curve["mean"], color=color, marker=MODEL_MARKERS["bigru"], label="bigru")
    mean = float(hebbian["mean"].iloc[0])
    low, high = style.interval(hebbian)
    ax.axhspan(low[0], high[0], color=MODEL_COLORS["hebbian"], alpha=0.2, lw=0)
    ax.axhline(mean, color=MODEL_COLORS["hebbian"], label="hebbian")
    ends = [("bigru", float(curve["mean"].iloc[-1])), ("hebbian", mean)]
    if len(lookup):
        ends.append(("lookup", float(lookup["mean"].iloc[0])))
        ax.axhline(ends[-1][1], color=MODEL_COLORS["lookup"], ls=(0, (4, 2)), label="lookup")
    model_rows = tables.select(table, model="hebbian", split=split)
    color = MODEL_COLORS["hebbian"]
    for readout, name, look in (
        ({"readout": "soft"}, "soft read-out", {"ls": "-", "mfc": color}),
        ({}, "majority", {"ls": (0, (1, 1.2)), "mfc": "white"}),
    ):
        few = _by_count(
            tables.select(model_rows, {**learner, "labels": None, **readout}, metric="accuracy")
        )
        if few:
            label = f"hebbian, few labels, {name}"
            ax.plot(*zip(*few, strict=True), marker="D", ms=4, color=color, label=label, **look)
    marks = _marks(model_rows, learner, mean)
    for mark in marks:
        ax.plot(mark.x, mark.y, "o", color=color, mfc="white", zorder=4, label=mark.name)
    ax.margins(y=0.1)
    ax.set_ylim(ax.get_ylim())
    ax.set_xticks(x, _tick_names(curve, n_sentences))
    ax.minorticks_off()
    ax.set_xlabel("labelled sentences")
    ax.set_ylabel("accuracy (fraction of tokens)")
    path = np.geomspace(x[0], x[-1], 60)
    heights = np.interp(np.log(path), np.log(x), curve["mean"])
    obstacles = [((x[0], level), (x[-1], level)) for _, level in ends[1:]]
    obstacles += [((a, b), (a, b)) for a, b in zip(path, heights, strict=True)]
    style.caption(
        ax,
        f"Accuracy by labelled sentences: {tables.corpus_of(table)}, {split}",
        f"Mean; bands: 95\u00a0% interval over {tables.count_note(curve, 'seeds')}. "
        "Hebbian: learnt without labels; line: its clusters named by all of dev."
        + _few_note(ax)
        + "".join(mark.note for mark in marks)
        + tables.population_note(learner),
        whole_figure=own,
    )
    name_ends(ax, [(MODEL_NAMES[model], value, MODEL_COLORS[model]) for model, value in ends])
    if marks:
        label_points(
            ax,
            [mark.x for mark in marks],
            [mark.y for mark in marks],
            [mark.text for mark in marks],
            colors=[color] * len(marks),
            obstacles=obstacles,
            fontsize=6.5,
        )
    return ax


class _Mark(NamedTuple):
    """A point of the zero-label learner on the plane of the label curve, with its name."""

    name: str
    x: float
    y: float
    text: str
    note: str = ""


def _marks(rows: DataFrame, learner: Mapping[str, str], mean: float) -> list[_Mark]:
    """Where the BiGRU meets the learner."""
    marks = []
    # Beyond the curve's ends the table gives the end and says so.
    beyond = {"": "equals", "above": "more than", "below": "fewer than"}
    for place, relation in beyond.items():
        condition = {**learner, "curve": place} if place else {**learner}
        found = tables.select(rows, condition, metric="label_equivalence")
        for value, low, high in found[["mean", "low", "high"]].itertuples(index=False):
            text = f"{relation} {value:,.0f}\nlabelled sentences"
            note = f" Equals {low:,.0f} to {high:,.0f}: two-level bootstrap."
            within = not place and low < high
            marks.append(_Mark("equivalence", value, mean, text, note if within else ""))
    return marks


def _few_note(ax: Axes) -> str:
    """What the curves of few labels are, where they are drawn."""
    drawn = [str(line.get_label()) for line in ax.lines]
    looks = {"soft read-out": "filled", "majority": "open"}
    said = [f"{looks[name]}: by {name}" for name in looks
            if f"hebbian, few labels, {name}" in drawn]  # fmt: skip
    return f" Diamonds: named by few labels alone ({', '.join(said)})." if said else ""


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
