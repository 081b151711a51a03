"""Figure of deeper processing: what a linear probe finds, below what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hebbsim.plots import style, tables
from hebbsim.plots.tables import NothingToDrawError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["plot_processing"]

_LAYERS = {
    "cancellation": ("steps of cancellation", "#0072B2", "o"),
    "tanh": ("random layers of tanh", "#D55E00", "s"),
}


@style.styled
def plot_processing(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits about all past tokens by depth of processing, beside those of the exact posterior.

    Parameters
    ----------
    results : DataFrame
        Rows of a results table.
    ax : Axes, optional
        A new figure without.
    """
    rows = tables.select(results, split="processing", metric="total_bits")
    exact = rows[rows["model"] == "exact"]
    if exact.empty:
        raise NothingToDrawError("no row of deeper processing")
    whole_figure = ax is None
    ax = style.new_axes(2.6) if ax is None else ax
    top = float(exact["mean"].iloc[0])
    deepest = 0
    for kind, (label, color, marker) in _LAYERS.items():
        found = tables.select(rows, {"layers": kind, "depth": None}, model="linear")
        depth = np.array([int(tables.words(text)["depth"]) for text in found["condition"]])
        low, high = style.interval(found, (0.0, top * 1.1))
        ax.fill_between(depth, low, high, color=color, alpha=0.2, linewidth=0)
        ax.plot(depth, found["mean"], color=color, marker=marker, label=label, clip_on=False)
        deepest = max(deepest, *depth)
    ax.axhline(top, color=style.INK, linewidth=1, linestyle=(0, (4, 2)))
    ax.annotate(
        "what the state holds (exact posterior)", (0, top), xytext=(0, -9),
        textcoords="offset points", fontsize=6.5,
    )  # fmt: skip
    ax.set_xlim(0, deepest)
    ax.set_ylim(0, top * 1.1)
    ax.set_xlabel("depth of processing")
    ax.set_ylabel("bits about six tokens")
    ax.legend(loc="lower right")
    style.caption(
        ax,
        "Deeper processing adds no information, but a linear probe may find more",
        f"Six tokens of four types, noise at 15 dB. {tables.interval_note(rows)}",
        whole_figure=whole_figure,
    )
    return ax
