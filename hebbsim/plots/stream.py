"""Figure of `hebbsim run stream`: memory and time per token along the stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbsim.plots import style
from hebbsim.plots.style import INK
from hebbsim.plots.tables import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_MEMORY, _TIME = "#0072B2", "#B84F00"


@style.styled
def plot_stream(table: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Resident memory (left axis) and CPU time per token (right axis), one point per chunk."""
    need(table, "along the stream")
    ax = style.axes(ax, 2.4)
    tokens = table["tokens"] / 1e6
    ax.plot(tokens, table["memory"], color=_MEMORY)
    ax.set_ylim(0, 1.25 * max(1.0, table["memory"].max()))
    ax.set_ylabel("memory (MB)", color=_MEMORY)
    ax.set_xlabel("tokens (millions)", color=INK)
    other = ax.twinx()
    cost = 1e6 * table["seconds"] / table["n_tokens"]
    # Without the first chunk, whose time includes compilation.
    shown = cost[1:] if len(cost) > 1 else cost
    other.plot(tokens[-len(shown) :], shown, color=_TIME, linewidth=0.8)
    other.set_ylim(0, 1.6 * shown.quantile(0.95))
    other.set_ylabel("CPU time per token (µs)", color=_TIME)
    other.spines["right"].set_visible(True)
    style.caption(
        ax,
        "Memory and time along a stream",
        f"One point per {table['n_tokens'].iloc[0]:,.0f} tokens; the first time is left out.",
    )
    return ax
