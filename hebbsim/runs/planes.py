"""The figures of a sweep: scores over pairs of timescales."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hebbsim.plots import plane, style
from hebbsim.runs.figures import Failed, each

if TYPE_CHECKING:
    from pandas import DataFrame

#: Maximum number of figures per sweep.
_MOST = 12


def draw_planes(
    table: DataFrame, axes: Sequence[str], folder: Path, *, metric: str, split: str
) -> tuple[list[Path], Failed]:
    """Draw one figure for each combination of the other `axes` (options that vary).

    `table` holds the scores, values of `metric` on `split`. Returns the paths of the figures and
    the errors.
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
        shown = [
            f"{axis.rpartition('.')[2]} {value}"
            for axis, value in zip(others, values, strict=True)
            if axis != "corpus"
        ]
        seeds = int(group.groupby("timescales")["seed"].nunique().min())
        ax = plane.plot_plane(
            group,
            title=", ".join([str(group["corpus"].iloc[0]), *shown]),
            metric=f"{metric.replace('_', ' ').capitalize()} on {split}",
            note=f"Mean over {seeds} seed{'s' * (seeds != 1)}.",
        )
        return style.save(ax.figure.canvas.figure, folder, name)

    paths, failed = each(drawn, one)
    return [path for of_one in paths for path in of_one], failed
