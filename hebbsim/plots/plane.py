"""Accuracy over the plane of timescales, drawn from the table of a sweep alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.plots import style
from hebbsim.plots.figures import Failed, each

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

__all__ = ["draw_planes", "plot_plane"]

#: Figures of one sweep at most, one for each combination of what else varies.
_MOST = 12


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


def draw_planes(
    table: DataFrame, axes: Sequence[str], folder: Path, *, metric: str, split: str
) -> tuple[list[Path], Failed]:
    """Write figures, one for each combination of what else varies.

    Parameters
    ----------
    table : DataFrame
        Those scores of a sweep's table that are to be drawn.
    axes : sequence of str
        Columns that vary.
    folder : Path
    metric, split : str
        What `value` is.

    Returns
    -------
    paths : list of Path
    failed : dict of str to Exception
        The figures that could not be drawn, and why; they keep no other from being drawn.
    """
    others = [axis for axis in axes if axis != "timescales" and axis in table.columns]
    groups = table.groupby(others, sort=False) if others else [((), table)]
    drawn: dict[str, tuple[Sequence[object], DataFrame]] = {}
    for number, (values, group) in enumerate(groups):
        taus = {name for name in group["timescales"] if name.count(",") < 2}
        if number < _MOST and len(taus) >= 3:
            drawn["plane" if not others else f"plane-{number}"] = values, group

    def one(name: str) -> list[Path]:
        values, group = drawn[name]
        said = [
            f"{axis.rpartition('.')[2]} {value}"
            for axis, value in zip(others, values, strict=True)
            if axis != "corpus"
        ]
        seeds = int(group.groupby("timescales")["seed"].nunique().min())
        ax = plot_plane(
            group,
            title=", ".join([str(group["corpus"].iloc[0]), *said]),
            metric=f"{metric.replace('_', ' ').capitalize()} on {split}",
            note=f"Mean over {seeds} seed{'s' * (seeds != 1)}.",
        )
        return style.save(ax.figure.canvas.figure, folder, name)

    paths, failed = each(drawn, one)
    return [path for of_one in paths for path in of_one], failed
