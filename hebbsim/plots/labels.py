"""Labels beside points and at the ends of lines, none over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

# Places that a label may take around its point: eight directions, nearest ring first,
# right and left before the rest because a line of text reads best there.
_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 135, 315, 225, 22, 158, 338, 202, 68, 112, 292, 248])
_RINGS = (4.0, 9.0, 15.0, 22.0, 30.0, 39.0, 50.0)  # points
# A leader line is drawn from this distance on; nearer, label and point read as one.
_LEADER = 8.0


def label_points(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    texts: Sequence[str],
    *,
    colors: Sequence[str],
    obstacles: Sequence[ArrayLike] = (),
    fontsize: float | str = "small",
) -> list[Annotation]:
    """Write a label beside each point, clear of points, labels and obstacles.

    The most crowded points choose first; each takes the place of least cost among
    a fixed set around it, so that the result depends on the input alone. Labels
    that had to move away from their point are joined to it by a thin line.

    Parameters
    ----------
    x, y : array_like of float, shape=(n,)
        Points in data coordinates.
    texts, colors : sequence of str
        One a point.
    obstacles : sequence of array_like, each shape=(2, 2)
        Boxes ((x0, y0), (x1, y1)) in data coordinates that labels keep clear of;
        a line is a box, or many, without width or height.
    """
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()  # Places are chosen on the final layout.
    points = ax.transData.transform(np.column_stack([np.asarray(x), np.asarray(y)]))
    scale = figure.dpi / 72
    labels = [
        ax.annotate(
            text,
            (px, py),
            xytext=(0, 0),
            textcoords="offset points",
            ha="center",
            va="center",
            color=color,
            fontsize=fontsize,
            arrowprops={"arrowstyle": "-", "color": color, "lw": 0.4, "shrinkA": 0, "shrinkB": 2},
        )
        for text, px, py, color in zip(texts, np.asarray(x), np.asarray(y), colors, strict=True)
    ]
    extents = [label.get_window_extent() for label in labels]
    sizes = np.array([(box.width, box.height) for box in extents]).reshape(-1, 2) + scale
    radius = 2.5 * scale
    taken = [np.concatenate([p - radius, p + radius]) for p in points]
    for box in obstacles:
        low, high = np.sort(ax.transData.transform(np.asarray(box, dtype=float)), axis=0)
        taken.append(np.concatenate([low - scale, high + scale]))
    # The margin to the right of the axes is free, and keeps labels of the last points near.
    frame = np.array(ax.get_window_extent().extents)
    frame[2] = max(frame[2], figure.bbox.x1 - 2 * scale)

    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    crowded = np.argsort(-(distances < 40 * scale).sum(axis=1), kind="stable")
    for i in crowded:
        offsets = _offsets(sizes[i], scale)
        boxes = np.hstack([points[i] + offsets - sizes[i] / 2, points[i] + offsets + sizes[i] / 2])
        others = np.array(taken)
        crossed = _crossed(points[i], offsets, np.delete(others, i, axis=0))
        cost = (
            10 * _overlap(boxes, others).sum(axis=1)
            + 6 * scale**2 * crossed
            + 10 * _outside(boxes, frame)
            + np.arange(len(boxes)) * 0.02 * scale**2
        )
        best = int(np.argmin(cost))
        taken.append(boxes[best])
        labels[i].set_position(tuple(offsets[best] / scale))
        if best < len(_ANGLES) * sum(ring < _LEADER for ring in _RINGS):
            arrow: Any = labels[i].arrow_patch
            arrow.set_visible(False)
    return labels


def name_ends(ax: Axes, lines: Sequence[tuple[str, float, str]]) -> None:
    """Name lines at the right edge with their values there, moved where names would overlap.

    Parameters
    ----------
    lines : sequence of (name, value, color)
    """
    figure = ax.figure.canvas.figure
    texts = [
        ax.annotate(
            f"{name}\n{value:.3f}",
            (1.0, value),
            xycoords=("axes fraction", "data"),
            xytext=(4, 0),
            textcoords="offset points",
            color=color,
            va="center",
            fontsize=6.5,
            linespacing=1.05,
        )
        for name, value, color in lines
    ]
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    heights = [text.get_window_extent().height + 4 * scale for text in texts]
    wanted = np.array([ax.transData.transform((1.0, value))[1] for _, value, _ in lines])
    for text, shift in zip(texts, style.spread(wanted, heights) - wanted, strict=True):
        text.set_position((4, shift / scale))


def _offsets(size: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Centres of the places around a point in pixels, shape=(places, 2), nearest first.

    The gap is kept between the point and the nearest edge of the label.
    """
    direction = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    reach = direction * size / 2
    return np.concatenate([reach + direction * ring * scale for ring in _RINGS])


def _overlap(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area common to each of `boxes` (n, 4) and each of `others` (m, 4), shape=(n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.clip(high - low, 0, None).prod(axis=-1)


def _outside(boxes: NDArray[np.float64], frame: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of each of `boxes` (n, 4) that lies outside `frame` (4,), shape=(n,)."""
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return area - _overlap(boxes, frame[None])[:, 0]


def _crossed(
    point: NDArray[np.float64], offsets: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many of `others` (m, 4) the way from a point to each of its places meets, shape=(n,)."""
    steps = np.linspace(0, 1, 12)[:, None, None, None]
    way = point + steps * offsets[:, None, :]
    inside = (way >= others[:, :2]) & (way <= others[:, 2:])
    return inside.all(axis=-1).any(axis=0).sum(axis=-1).astype(float)
