"""Elements of figures: curves, dots, tables of cells, and labels that never overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.plots.style import INK, SMALL, Axes

#: Least contrast of letters with white (WCAG 2.2, 1.4.3).
CONTRAST = 4.5
#: The characters that look like markers, filled and open.
_FILLED = dict(zip("os^DdvPx*<p", "●■▲◆◆▼✚×★◀⬟", strict=True))
_OPEN = dict(zip("os^DdvPx*<p", "○□△◇◇▽✚×☆◁⬠", strict=True))
#: Dashes of a line that is not a measurement, such as a baseline or a bound.
DASHES = (0, (4, 2))


def interval(
    table: Any, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper ends of intervals within `bounds`, or the mean; shapes (n,)."""
    mean, low, high = (table[name].to_numpy(float) for name in ("mean", "low", "high"))
    low = np.clip(np.where(np.isfinite(low), low, mean), *bounds)
    high = np.clip(np.where(np.isfinite(high), high, mean), *bounds)
    return np.minimum(low, mean), np.maximum(high, mean)


def dots(
    ax: Axes,
    table: Any,
    positions: ArrayLike,
    color: str,
    marker: str = "o",
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    upright: bool = False,
    **look: Any,
) -> None:
    """Means as dots along x, intervals as whiskers, one row each; along y if `upright`.

    `table` has columns ``mean``, ``low`` and ``high``; a missing interval has no whisker.
    `positions` are on the other axis, shape=(n,). Whiskers end at `bounds`, the values that the
    measure can take.
    """
    mean, places = table["mean"].to_numpy(float), np.asarray(positions, dtype=float)
    low, high = interval(table, bounds)
    lengths = np.vstack([mean - low, high - mean])
    bars: dict[str, Any] = {"yerr" if upright else "xerr": lengths if lengths.any() else None}
    plain: dict[str, Any] = {"fmt": marker, "color": color, "elinewidth": 1.0, "clip_on": False}
    x, y = (places, mean) if upright else (mean, places)
    ax.errorbar(x, y, **bars, **plain | look)


def curve(
    ax: Axes,
    x: Any,
    table: Any,
    color: str,
    marker: str = "None",
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    **look: Any,
) -> tuple[float, str, str]:
    """Draw a line of means over a band of intervals; returns its last mean, colour and `glyph`."""
    low, high = interval(table, bounds)
    x, mean = np.asarray(x, dtype=float), table["mean"].to_numpy(float)
    order = np.argsort(x, kind="stable")
    ax.fill_between(x[order], low[order], high[order], color=color, alpha=0.2, linewidth=0)
    plain: dict[str, Any] = {"color": color, "marker": marker, "markersize": 3.5, "clip_on": False}
    ax.plot(x[order], mean[order], **plain | look)
    return float(mean[order][-1]), color, glyph(marker, look.get("mfc") == "white")


def glyph(marker: str, hollow: bool = False) -> str:
    """The character that looks like a marker; empty for a line without one.

    >>> glyph("s"), glyph("s", hollow=True), glyph("None")
    ('■', '□', '')
    """
    return (_OPEN if hollow else _FILLED).get(marker, "")


def cells(ax: Axes, grid: NDArray[Any], x: Sequence[str], y: Sequence[str], **image: Any) -> None:
    """Draw a table of numbers, each on a shade of blue by its size; nan is an empty cell."""
    shades = ax.imshow(grid, aspect="auto", cmap="Blues", **image)
    for (row, column), value in np.ndenumerate(grid):
        if np.isfinite(value):
            text = f"{value:.0f}" if np.nanmax(grid) >= 10 else f"{value:.3f}".removeprefix("0")
            shade: Any = shades.norm(value)
            ax.text(column, row, text, ha="center", va="center", fontsize=SMALL,
                    color="white" if shade > 0.55 else INK)  # fmt: skip
    ax.set_xticks(range(len(x)), x)
    ax.set_yticks(range(len(y)), y)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def legend(ax: Axes, *, columns: int = 2, side: str = "left", lift: float = 0.2) -> None:
    """Place the legend above the Axes, `lift` font sizes higher."""
    place: dict[str, Any] = {"loc": f"lower {side}", "borderaxespad": lift}
    ax.legend(bbox_to_anchor=(float(side == "right"), 1.0), ncols=columns, **place)


def short(value: float) -> str:
    """Format a number with k or M.

    >>> [short(x) for x in (0.5, 200_000, 2e7)]
    ['0.5', '200k', '20M']
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def log_scale(ax: Axes, which: str = "x", steps: Sequence[float] = (1.0, 2.0, 5.0)) -> None:
    """Make an axis logarithmic, with plain numbers such as 50k and 2M."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set(**{f"{which}scale": "log"})
    axis = ax.xaxis if which == "x" else ax.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=steps if high < 100 * low else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, place: short(value)))
    axis.set_minor_formatter(NullFormatter())


def contrast(color: Any) -> float:
    """Contrast of a colour with white: 1 for white, 21 for black.

    >>> round(contrast("#E69F00"), 1), round(contrast("black"))
    (2.3, 21)
    """
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05))


def ink(color: Any) -> Any:
    """Darken a colour until letters in it can be read on white."""
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(color))
    while contrast(rgb) < CONTRAST:
        rgb = rgb * 0.95
    return tuple(rgb.tolist())


def name_ends(ax: Axes, ends: Sequence[tuple[Any, ...]], *, above: bool = False) -> Axes:
    """Name lines at the right edge, or vertical lines above the Axes, without overlap.

    Call it last, because positions depend on the layout; returns `ax`. `ends` are name, coordinate,
    colour and, for readers who cannot tell colours apart, the `glyph` that precedes the name.
    """
    figure = ax.figure.canvas.figure
    look: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False,
                            "fontsize": SMALL, "linespacing": 1.0}  # fmt: skip
    if above:
        look |= {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "bottom"}
    else:
        look |= {"xycoords": ("axes fraction", "data"), "ha": "left", "va": "center"}
    texts = []
    for name, value, color, *sign in ends:
        label = " ".join([*filter(None, sign), name])
        leader = {"arrowstyle": "-", "lw": 0.5, "color": color, "shrinkA": 1, "shrinkB": 1,
                  "relpos": (0, 0.5)}  # fmt: skip
        texts.append(
            ax.annotate(
                label, (value, 1.0) if above else (1.0, value), xytext=(0, 3) if above else (10, 0),
                color=ink(color), arrowprops=None if above else leader, **look,
            )
        )  # fmt: skip
    from matplotlib.text import Text

    figure.draw_without_rendering()
    scale = figure.dpi / 72
    boxes = [Text.get_window_extent(text) for text in texts]
    if above:
        wanted = [(box.x0 + box.x1) / 2 for box in boxes]
        sizes, within = [box.width + 5 * scale for box in boxes], (figure.bbox.x0, figure.bbox.x1)
    else:
        wanted = [(box.y0 + box.y1) / 2 for box in boxes]
        room = max(0.0, sum(box.height for box in boxes) - ax.bbox.height) / 2 + 4 * scale
        sizes = [box.height + scale for box in boxes]
        within = ax.bbox.y0 - room, ax.bbox.y1 + room
    moved = spread(wanted, sizes, within)
    for text, shift in zip(texts, (moved - np.array(wanted)) / scale, strict=True):
        text.set_position((shift, 3) if above else (10, shift))
    return ax


def spread(
    positions: ArrayLike, sizes: ArrayLike, within: tuple[float, float] = (-np.inf, np.inf)
) -> NDArray[np.float64]:
    """Move label centres along a line as little as possible so that none overlap, shape=(n,).

    `positions` and `sizes` are the desired centres and the extents, in one unit; labels stay
    `within` if there is room. The least-squares solution is an isotonic regression on the
    centres, minus the extents of the labels before them.

    >>> spread([0.0, 0.0, 9.0], [2.0, 2.0, 2.0]).tolist()
    [-1.0, 1.0, 9.0]
    >>> spread([0.0, 0.0, 9.0], [2.0, 2.0, 2.0], (0.0, 9.0)).tolist()
    [1.0, 3.0, 8.0]
    """
    wanted = np.asarray(positions, dtype=float)
    if not len(wanted):
        return wanted
    extent = np.asarray(sizes, dtype=float)
    order = np.argsort(wanted, kind="stable")
    steps = (extent[order][1:] + extent[order][:-1]) / 2
    room = np.concatenate([[0.0], np.cumsum(steps)])
    from sklearn.isotonic import isotonic_regression  # slow to import

    centres = isotonic_regression(wanted[order] - room)
    lowest = within[0] + extent[order][0] / 2
    highest = within[1] - extent[order][-1] / 2 - room[-1]
    result = np.empty_like(wanted)
    result[order] = np.clip(centres, lowest, max(lowest, highest)) + room
    return result
