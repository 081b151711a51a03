"""What a reader would frown at in any figure: letters that touch, are cut, small or pale."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbsim.plots import marks
from hebbsim.plots.style import SMALL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Points that boxes of letters may share: they hold more than their ink.
_TOUCH = 1.0


def faults(figure: Figure, *, smallest: float = SMALL) -> list[str]:
    """What is wrong with the letters of a figure, a line each; nothing where all can be read.

    Parameters
    ----------
    figure : Figure
        Any figure of matplotlib, of this project or not.
    smallest : float
        Points that letters have at least, at the figure's width.

    Returns
    -------
    list of str
        Each text that lies on another or on a line of its Axes, reaches into other Axes or out
        of the figure, is smaller than `smallest`, or is paler on white than `marks.CONTRAST`.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure(layout="constrained")
    >>> ax = figure.add_subplot(xlabel="lag")
    >>> ax.text(0.5, 0.5, "here"), ax.text(0.5, 0.5, "there", fontsize=4)
    (Text(0.5, 0.5, 'here'), Text(0.5, 0.5, 'there'))
    >>> faults(figure)
    ["'there' is of 4 points, less than 6.5", "'here' lies on 'there'"]
    """
    from matplotlib.path import Path
    from matplotlib.text import Text

    figure.draw_without_rendering()
    touch = _TOUCH * figure.dpi / 72
    frame = figure.bbox
    found = []
    shown: list[tuple[str, Any, Any]] = []
    for text, home in _texts(figure):
        said = repr(text.get_text())
        if text.get_fontsize() < smallest:
            found.append(f"{said} is of {text.get_fontsize():g} points, less than {smallest:g}")
        on_picture = home is not None and home.images
        if not on_picture and marks.contrast(text.get_color()) < marks.CONTRAST - 0.01:
            found.append(f"{said} is too pale to be read")
        # Of the text alone: an annotation's own extent includes its leader line.
        box = Text.get_window_extent(text)
        if (min(box.x0, box.y0) < -touch or box.x1 > frame.x1 + touch or
                box.y1 > frame.y1 + touch):  # fmt: skip
            found.append(f"{said} leaves the figure")
        for ax in _axes(figure):
            if ax.axison and ax is not home and _overlap(box, ax.bbox, touch) and (
                home is None or ax.bbox.bounds != home.bbox.bounds  # twins share their place
            ):  # fmt: skip
                found.append(f"{said} reaches into other axes")
        shown.append((said, home, Path(_corners(text, touch))))
    for (one, _, a), (other, _, b) in itertools.combinations(shown, 2):
        if a.intersects_path(b, filled=True):
            found.append(f"{one} lies on {other}")
    lines = {id(ax): _lines(ax) for ax in _axes(figure)}
    for said, home, box in shown:
        drawn = lines.get(id(home), ())
        within = box.clip_to_bbox(home.bbox) if drawn else box  # where a clipped line is drawn
        for way, clipped in drawn:
            area = within if clipped else box
            if len(area.vertices) and (
                area.contains_points(way.vertices).any() or area.intersects_path(way, filled=False)
            ):
                found.append(f"{said} is struck by a line or a mark")
                break
    return found


def _axes(figure: Figure) -> list[Any]:
    """Every Axes that is shown, those within others after them."""
    from matplotlib.axes import Axes

    return [ax for ax in figure.findobj(Axes) if ax.get_visible()]


def _texts(figure: Figure) -> list[tuple[Any, Any]]:
    """Every text that is drawn, with the Axes that it belongs to; None for the figure itself."""
    from matplotlib.text import Text

    homes: dict[Any, Any] = dict.fromkeys(figure.findobj(Text))
    for ax in _axes(figure):
        homes |= dict.fromkeys(ax.findobj(Text), ax)
    for ax in _axes(figure):
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            room = 1e-9 * (high - low)
            hidden = [] if ax.axison else [axis.label]
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                # matplotlib keeps labels of ticks beyond the axis, and draws none of them.
                if not (ax.axison and low - room <= tick.get_loc() <= high + room):
                    hidden += [tick.label1, tick.label2]
            for text in hidden:
                homes.pop(text, None)
    return [(t, ax) for t, ax in homes.items() if t.get_visible() and t.get_text().strip()]


def _overlap(one: Any, other: Any, touch: float) -> bool:
    wide = min(one.x1, other.x1) - max(one.x0, other.x0)
    return bool(wide > touch and min(one.y1, other.y1) - max(one.y0, other.y0) > touch)


def _corners(text: Any, touch: float) -> Any:
    """The corners of a text as it is turned, less `touch` on every side, shape=(5, 2)."""
    from matplotlib.text import Text

    box = Text.get_window_extent(text)
    middle = np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2
    turned = np.deg2rad(text.get_rotation())
    cos, sin = abs(np.cos(turned)), abs(np.sin(turned))
    # The box around a turned rectangle, solved for the rectangle's sides; not so at 45 degrees.
    if abs(cos - sin) > 0.05:
        wide, tall = np.linalg.solve([[cos, sin], [sin, cos]], [box.width, box.height])
    else:
        wide, tall = box.width, text.get_fontsize() * text.figure.dpi / 72
    half = np.maximum(np.array([wide, tall]) / 2 - touch / 2, 0.1)
    square = half * [[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]
    turn = np.array([[np.cos(turned), -np.sin(turned)], [np.sin(turned), np.cos(turned)]])
    return middle + square @ turn.T


def _lines(ax: Any) -> list[tuple[Any, bool]]:
    """Ways of lines, marks and error bars in pixels, and whether the Axes cut them."""
    from matplotlib.collections import LineCollection
    from matplotlib.path import Path

    ways = []
    for line in ax.lines:
        way = line.get_transform().transform_path(line.get_path())
        if line.get_visible() and line.get_linestyle() != "None":
            ways.append((way, line.get_clip_on()))
        if line.get_visible() and line.get_marker() not in ("None", "", None):
            ways += [(Path([point, point]), True) for point in way.vertices]
    for bars in ax.collections:
        if isinstance(bars, LineCollection):
            ways += [(bars.get_transform().transform_path(way), bars.get_clip_on())
                     for way in bars.get_paths()]  # fmt: skip
    return ways
