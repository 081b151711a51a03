"""The look of every figure, defined once: colours, captions, writing to files.

Type sizes and lines stand in the style sheet ``hebbsim.mplstyle`` beside this file.

Figures are built from `matplotlib.figure.Figure`, never through pyplot, so that
drawing neither opens a window nor touches figures of the calling program.
"""

from __future__ import annotations

import functools
import io
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.errors import HebbsimError
from hebbsim.storage import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import ErrorbarContainer
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

# Okabe & Ito's palette, told apart in the common forms of colour blindness.
MODEL_COLORS = {
    "hebbian": "#0072B2",
    "bigru": "#D55E00",
    "lookup": "#5A5A5A",
    "majority": "#8A8A8A",
    "skipgram": "#B7791F",
    "spectral": "#00785A",
    "brown": "#7A4E2D",
    "hmm": "#A8487F",
    "hmm-online": "#6F4BA3",
    "masked-bigru": "#D55E00",
}
MODEL_NAMES = {
    "hebbian": "Hebbian",
    "bigru": "BiGRU",
    "lookup": "word lookup",
    "majority": "majority",
    "skipgram": "skip-gram",
    "spectral": "spectral",
    "brown": "Brown",
    "hmm": "HMM",
    "hmm-online": "HMM, online",
    "masked-bigru": "masked BiGRU",
}
# One marker a model, so that a figure also reads in black and white.
MODEL_MARKERS = {
    "hebbian": "o", "bigru": "s", "lookup": "|", "majority": "|", "skipgram": "^",
    "spectral": "D", "brown": "v", "hmm": "<", "hmm-online": ">", "masked-bigru": "s",
}  # fmt: skip
DEPENDENCE_COLORS = {"structure": "#00785A", "content": "#A8487F"}
INK, MUTED, GUIDE = "#222222", "#6B6B6B", "#DDDDDD"

#: Width of every figure in inches: one column of a two-column page.
WIDTH = 3.5
#: Height of one row of a dot plot in inches.
ROW = 0.19

#: The style sheet, for any matplotlib of your own: ``plt.style.use("hebbsim.plots.hebbsim")``.
SHEET = Path(__file__).with_name("hebbsim.mplstyle")
#: Formats that a figure can be written in.
FORMATS = ("svg", "png", "pdf")


class Caption(NamedTuple):
    """What stands above and below a figure: its title, and n, seeds and intervals.

    Examples
    --------
    >>> str(Caption("Recall by role", "Mean over 5 seeds."))
    'Recall by role. Mean over 5 seeds.'
    """

    title: str
    note: str

    def __str__(self) -> str:
        return f"{self.title}. {self.note}"


# The caption of each Axes that one was given to, however it was shown.
_captions: WeakKeyDictionary[Any, Caption] = WeakKeyDictionary()
_written_inside: ContextVar[bool] = ContextVar("written_inside", default=True)


@functools.cache
def _sheet() -> Any:
    from matplotlib import rc_params_from_file

    return rc_params_from_file(SHEET, use_default_template=False)


@contextmanager
def context() -> Iterator[None]:
    """House style for the time of a ``with`` block, whatever the user's matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_sheet())
        yield


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in house style."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with context():
            return draw(*args, **kwargs)

    return wrapper


def new_axes(height: float) -> Axes:
    """Axes alone on a new figure, `WIDTH` by `height` inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.set(w_pad=0.04, h_pad=0.04)  # type: ignore[call-arg]
    return figure.add_subplot()


def caption(ax: Axes, title: str, note: str, *, whole_figure: bool, legend_rows: int = 1) -> None:
    """Title above and a small note below that names n and interval.

    On a figure of the project's own, both span the figure. In Axes that the
    caller gave, the title is the Axes' and the note is left to the caller's caption,
    see `caption_of`.
    """
    _captions[ax] = Caption(" ".join(title.split()), " ".join(note.split()))
    if not whole_figure:
        # Legends, and the names of vertical lines, stand between Axes and title.
        above = ax.get_legend() is not None or any(text.get_position()[1] > 1 for text in ax.texts)
        ax.set_title(title, pad=6.0 + 10.0 * legend_rows if above else None)
        return
    if not _written_inside.get():
        return
    figure = ax.figure
    figure.suptitle(_wrap(title, 8.0 * 1.08), x=0.015, ha="left")
    # Unlike free text, a label of the figure is given room by the layout.
    figure.supxlabel(
        _wrap(note, 5.8), x=0.015, ha="left", fontsize=5.8, fontweight="normal", color=MUTED
    )


def caption_of(ax: Axes) -> Caption:
    """The caption that a plotting function made for its Axes.

    Raises
    ------
    KeyError
        No plotting function of this package drew on them.
    """
    return _captions[ax]


@contextmanager
def without_captions() -> Iterator[None]:
    """Leave captions to a page around the figures, for the time of a ``with`` block."""
    token = _written_inside.set(False)
    try:
        yield
    finally:
        _written_inside.reset(token)


def _wrap(text: str, size: float) -> str:
    per_character = 0.56 * size / 72
    return "\n".join(textwrap.wrap(text, int((WIDTH - 0.1) / per_character)))


def dots(
    ax: Axes,
    table: Any,
    positions: ArrayLike,
    *,
    color: str,
    marker: str = "o",
    label: str | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    **style: Any,
) -> ErrorbarContainer:
    """Means as dots along x, intervals as whiskers, one row each.

    Parameters
    ----------
    table : DataFrame
        Columns ``mean``, ``low`` and ``high``; an interval that is missing has no whisker.
    positions : array_like of float, shape=(n,)
        Place of each row on the y axis.
    bounds : (float, float)
        Values that the measure can take: an interval over seeds may reach past
        them, its whisker does not.
    """
    low, high = interval(table, bounds)
    mean = table["mean"].to_numpy(float)
    whiskers = np.vstack([mean - low, high - mean])
    return ax.errorbar(
        mean,
        np.asarray(positions, dtype=float),
        xerr=whiskers if whiskers.any() else None,
        fmt=marker,
        color=color,
        label=label,
        elinewidth=1.0,
        clip_on=False,
        **style,
    )


def interval(
    table: Any, bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper ends, shapes (n,): within `bounds`, the mean where there is none."""
    mean, low, high = (table[name].to_numpy(float) for name in ("mean", "low", "high"))
    low = np.clip(np.where(np.isfinite(low), low, mean), *bounds)
    high = np.clip(np.where(np.isfinite(high), high, mean), *bounds)
    return np.minimum(low, mean), np.maximum(high, mean)


def spread(positions: ArrayLike, sizes: ArrayLike) -> NDArray[np.float64]:
    """Move label centres along a line as little as it takes for none to overlap.

    Parameters
    ----------
    positions, sizes : array_like of float, shape=(n,)
        Wanted centres and extents, in one unit.

    Returns
    -------
    ndarray of float64, shape=(n,)
        Centres in the order given; neighbours touch at most.

    Notes
    -----
    Isotonic regression (pool adjacent violators) on the centres less the room
    that the labels before them take: the least-squares solution.

    Examples
    --------
    >>> spread([0.0, 0.0, 9.0], [2.0, 2.0, 2.0]).tolist()
    [-1.0, 1.0, 9.0]
    """
    wanted = np.asarray(positions, dtype=float)
    extent = np.asarray(sizes, dtype=float)
    order = np.argsort(wanted, kind="stable")
    steps = (extent[order][1:] + extent[order][:-1]) / 2
    room = np.concatenate([[0.0], np.cumsum(steps)])
    blocks: list[tuple[float, int]] = []
    for value in wanted[order] - room:
        block = (float(value), 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, size = blocks.pop()
            total = size + block[1]
            block = ((mean * size + block[0] * block[1]) / total, total)
        blocks.append(block)
    moved = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks]) + room
    result = np.empty_like(wanted)
    result[order] = moved
    return result


def save(
    figure: Figure,
    folder: Path,
    name: str,
    formats: Sequence[str] = ("svg", "png"),
    dpi: float | None = None,
) -> list[Path]:
    """Write ``NAME.FORMAT`` for each format, whole or not at all, the same bytes every time.

    The caption travels inside: as title and description of an SVG or PNG, as title and
    subject of a PDF.

    Parameters
    ----------
    formats : sequence of {"svg", "png", "pdf"}
    dpi : float, optional
        Dots an inch of a PNG; those of the style sheet without.

    Raises
    ------
    HebbsimError
        The folder cannot be written.
    """
    paths = []
    for suffix in formats:
        content = rendered(figure, suffix, dpi)
        path = folder / f"{name}.{suffix}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, content)
        except OSError as error:
            raise HebbsimError(f"{path}: cannot be written: {error.strerror}") from error
        paths.append(path)
    return paths


def rendered(figure: Figure, suffix: str, dpi: float | None = None) -> bytes:
    """The file of a figure in one of `FORMATS`."""
    said = next((_captions[ax] for ax in figure.axes if ax in _captions), Caption("", ""))
    # Dates and versions in the metadata would make two drawings of one table differ.
    metadata: dict[str, dict[str, Any]] = {
        "svg": {"Date": None, "Creator": None, "Title": said.title, "Description": said.note},
        "png": {"Software": None, "Title": said.title, "Description": said.note},
        "pdf": {
            "CreationDate": None, "Creator": None, "Producer": None,
            "Title": said.title, "Subject": said.note,
        },
    }  # fmt: skip
    buffer = io.BytesIO()
    with context():
        options: dict[str, Any] = {} if dpi is None else {"dpi": dpi}
        figure.savefig(buffer, format=suffix, metadata=metadata[suffix], **options)
    return buffer.getvalue()
