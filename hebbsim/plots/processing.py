"""Figure of deeper processing: what a linear probe finds, below what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbsim.plots import marks, style, tables
from hebbsim.plots.tables import NothingToDrawError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_LAYERS = {
    "cancellation": ("steps of\ncancellation", "#0072B2", "o"),
    "tanh": ("random layers\nof tanh", "#D55E00", "s"),
}


@style.styled
def plot_processing(results: DataFrame, *, ax: Axes | None = None) -> Axes:
    """Bits about all past tokens by depth of processing, beside those of the exact posterior."""
    rows = tables.select(results, split="processing", metric="total_bits")
    exact = rows[rows["model"] == "exact"]
    if exact.empty:
        raise NothingToDrawError("no row of deeper processing")
    ax = style.axes(ax, 2.6)
    top = float(exact["mean"].iloc[0])
    ends: list[tuple[str, float, str]] = [("what the state\nholds (exact\nposterior)", top,
                                           style.INK)]  # fmt: skip
    deepest = 0
    for kind, (label, color, marker) in _LAYERS.items():
        found = tables.select(rows, {"layers": kind, "depth": None}, model="linear")
        depth = [int(tables.words(text)["depth"]) for text in found["condition"]]
        look = {"bounds": (0.0, top * 1.1), "label": label.replace("\n", " ")}
        ends.append((label, *marks.curve(ax, depth, found, color, marker, **look)))  # type: ignore[arg-type]
        deepest = max(deepest, *depth)
    ax.axhline(top, color=style.INK, linewidth=1, linestyle=marks.DASHES)
    ax.set_xlim(0, deepest)
    ax.set_ylim(0, top * 1.1)
    ax.set_xlabel("depth of processing")
    ax.set_ylabel("bits about six tokens")
    style.caption(
        ax,
        "Deeper processing adds no information, but a linear probe may find more",
        f"Six tokens of four types, noise at 15 dB. {tables.interval_note(rows)}",
    )
    marks.name_ends(ax, ends)
    return ax
