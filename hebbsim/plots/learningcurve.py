"""Accuracy of a learner by the tokens that it has read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hebbsim.plots import marks, style, tables, wording
from hebbsim.plots.style import GUIDE, MODEL_COLORS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


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
    ax.set_xlabel("tokens read")
    ax.set_ylabel("accuracy (fraction of tokens)")
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
    marks.name_ends(ax, named)
    return ax


def _curve(table: DataFrame, learner: Mapping[str, str], split: str, ends: list[int]) -> DataFrame:
    """Rows of all seeds by tokens read, the end of learning last; with a column ``tokens``."""
    accuracy = tables.select(table, model="hebbian", metric="accuracy", split=split)
    rows = tables.select(accuracy, {**learner, "tokens": None})
    rows = rows.assign(tokens=tables.numbers(rows, "tokens"))
    # A mean over some of the seeds is not a point of the same curve.
    rows = rows[(rows["tokens"] > 0) & (rows["n"] == rows["n"].max())]
    if ends and len(rows):
        import pandas as pd

        last = tables.select(accuracy, {**learner}).assign(tokens=float(ends[-1]))
        rows = pd.concat([rows, last], ignore_index=True)
    return rows.sort_values("tokens").reset_index(drop=True)
