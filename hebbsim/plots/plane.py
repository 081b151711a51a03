"""Accuracy over the plane of timescales, drawn from the table of a sweep alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["plot_plane"]


@style.styled
def plot_plane(
    table: DataFrame, *, title: str, metric: str, note: str = "", ax: Axes | None = None
) -> Axes:
    """Means by the faster and the slower timescale; one timescale alone on the diagonal.

    Parameters
    ----------
    table : DataFrame
        Columns ``timescales`` (text such as ``2,8``: one or two of them) and ``value``; rows
        of the same timescales are averaged.
    title, metric, note : str
    ax : Axes, optional
    """
    means = table.groupby("timescales")["value"].mean()
    cells = {tuple(sorted(map(float, name.split(",")))): mean for name, mean in means.items()}
    cells = {taus: mean for taus, mean in cells.items() if len(taus) <= 2}
    ticks = sorted({tau for taus in cells for tau in taus})
    if not ticks:
        raise BadInputError("no run with one or two timescales to draw")
    grid = np.full((len(ticks), len(ticks)), np.nan)
    for taus, mean in cells.items():
        grid[ticks.index(taus[-1]), ticks.index(taus[0])] = mean
    own = ax is None
    if ax is None:
        ax = style.new_axes(1.2 + 0.36 * len(ticks))
    low, high = np.nanmin(grid), np.nanmax(grid)
    spread = max(high - low, 1e-9)
    ax.imshow(grid, cmap="Blues", vmin=low - 0.4 * spread, vmax=high + 0.2 * spread,
              origin="lower", aspect="auto")  # fmt: skip
    best = np.unravel_index(np.nanargmax(grid), grid.shape)
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            at_best = (row, column) == best
            text = f"{value:.3f}" if high < 10 else f"{value:.0f}"
            ax.text(column, row, text.removeprefix("0"), ha="center", va="center",
                    color="white" if value > low + 0.75 * spread else style.INK,
                    fontweight="bold" if at_best else "normal")  # fmt: skip
    names = [f"{tau:g}" for tau in ticks]
    ax.set_xticks(range(len(ticks)), names)
    ax.set_yticks(range(len(ticks)), names)
    ax.set_xlabel("faster timescale, in tokens")
    ax.set_ylabel("slower timescale, in tokens")
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
    alone = "On the diagonal one timescale alone; the best in bold."
    style.caption(ax, title, f"{metric}. {alone} {note}".strip(), whole_figure=own)
    return ax
