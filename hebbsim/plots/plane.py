"""Accuracy by pairs of timescales, drawn from the table of a sweep alone."""

from __future__ import annotations

import numpy as np
from pandas import DataFrame

from hebbsim.plots import marks, style
from hebbsim.plots.style import Axes


@style.styled
def plot_plane(
    table: DataFrame, *, title: str, metric: str, note: str = "", ax: Axes | None = None
) -> Axes:
    """Means by the faster and the slower timescale; single timescales are on the diagonal.

    `table` has columns ``timescales`` (text such as ``2,8``; rows of more than two are left out)
    and ``value``.
    """
    means = table.groupby("timescales")["value"].mean()
    cells = {tuple(sorted(map(float, name.split(",")))): mean for name, mean in means.items()}
    cells = {taus: mean for taus, mean in cells.items() if len(taus) <= 2}
    ticks = sorted({tau for taus in cells for tau in taus})
    grid = np.full((len(ticks), len(ticks)), np.nan)
    for taus, mean in cells.items():
        grid[ticks.index(taus[-1]), ticks.index(taus[0])] = mean
    ax = style.axes(ax, 1.3 + 0.36 * len(ticks))
    names = [f"{tau:g}" for tau in ticks]
    marks.cells(ax, grid, names, names, origin="lower")
    best = np.unravel_index(np.nanargmax(grid), grid.shape)
    for text in ax.texts:
        if text.get_position() == best[::-1]:
            text.set_fontweight("bold")
    ax.set(xlabel="faster timescale, in tokens", ylabel="slower timescale, in tokens")
    alone = "On the diagonal one timescale alone; the best in bold."
    return style.caption(ax, title, f"{metric}. {alone} {note}".strip())
