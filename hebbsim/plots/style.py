"""Style of all figures: colours, captions, writing to files.

Type sizes and lines are in the style sheet ``hebbsim.mplstyle`` beside this file. Figures are
built from `matplotlib.figure.Figure`, not through pyplot, so that drawing neither opens a window
nor changes figures of the calling program.
"""

from __future__ import annotations

import functools
import inspect
import io
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeAlias, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from hebbsim.errors import HebbsimError
from hebbsim.storage import write_whole

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

#: The types of matplotlib, which loads when a figure is drawn.
Axes: TypeAlias = "matplotlib.axes.Axes"
Figure: TypeAlias = "matplotlib.figure.Figure"
P = ParamSpec("P")
R = TypeVar("R")

# Okabe & Ito's palette, which is distinguishable in the common forms of colour blindness, and a
# marker each for black and white.
_MODELS = {
    "hebbian": ("Hebbian", "#0072B2", "o"),
    "bigru": ("BiGRU", "#D55E00", "s"),
    "lookup": ("word lookup", "#5A5A5A", "|"),
    "majority": ("majority", "#8A8A8A", "|"),
    "skipgram": ("skip-gram", "#B7791F", "^"),
    "spectral": ("spectral", "#00785A", "D"),
    "brown": ("Brown", "#7A4E2D", "v"),
    "hmm": ("HMM", "#A8487F", "<"),
    "hmm-online": ("HMM, online", "#6F4BA3", ">"),
    "masked-bigru": ("masked BiGRU", "#D55E00", "s"),
}
MODEL_NAMES, MODEL_COLORS, MODEL_MARKERS = (
    {model: look[part] for model, look in _MODELS.items()} for part in range(3)
)
DEPENDENCE_COLORS = {"structure": "#00785A", "content": "#A8487F"}
INK, MUTED, GUIDE = "#222222", "#6B6B6B", "#DDDDDD"

#: Width of every figure in inches: one column of a two-column page.
WIDTH = 3.5
#: Height of one row of a dot plot in inches.
ROW = 0.19
#: Sizes of the smallest letters and of notes, in points.
SMALL, NOTE = 6.5, 7.0

#: The style sheet, for any matplotlib of your own: ``plt.style.use("hebbsim.plots.hebbsim")``.
SHEET = Path(__file__).with_name("hebbsim.mplstyle")
#: Formats that a figure can be written in.
FORMATS = ("svg", "png", "pdf")


class Caption(NamedTuple):
    """Title of a figure, and the note below it on n, seeds and intervals.

    >>> str(Caption("Recall by role", "Mean over 5 seeds."))
    'Recall by role. Mean over 5 seeds.'
    """

    title: str
    note: str

    def __str__(self) -> str:
        return f"{self.title}. {self.note}"


# Captions by Axes, however they are shown.
_captions: WeakKeyDictionary[Any, Caption] = WeakKeyDictionary()
_written_inside: ContextVar[bool] = ContextVar("written_inside", default=True)


@functools.cache
def _sheet() -> Any:
    from matplotlib import rc_params_from_file

    return rc_params_from_file(SHEET, use_default_template=False)


@contextmanager
def context() -> Iterator[None]:
    """Use the style sheet alone, without the user's matplotlibrc, within a ``with`` block."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_sheet())
        yield


#: Parameters that many figures have.
_PARAMETERS = {
    "results": "Rows of the results table.",
    "split": "The split that is drawn.",
    "dependence": "``structure`` or ``content`` by role; such roles' names are coloured.",
    "ax": "Axes to draw on (default: a new figure).",
}
_RAISES = """
Raises
------
NothingToDrawError
    The table has no rows for the figure; the message says which.
"""


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function in `context`, and document its shared parameters and errors."""

    @functools.wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with context():
            return draw(*args, **kwargs)

    about = inspect.cleandoc(draw.__doc__ or "")
    if "Parameters\n" not in about:
        about = f"{about.rstrip()}\n\nParameters\n----------"
    shared = [
        f"{name} : {parameter.annotation}\n    {_PARAMETERS[name]}"
        for name, parameter in inspect.signature(draw).parameters.items()
        if name in _PARAMETERS and f"\n{name} : " not in about
    ]
    wrapper.__doc__ = "\n".join([about.rstrip(), *shared, _RAISES])
    return wrapper


# Axes on figures of our own, not of the caller.
_own: WeakSet[Any] = WeakSet()


def axes(ax: Axes | None, height: float) -> Axes:
    """`ax`, or Axes on a new figure of `WIDTH` by `height` inches."""
    if ax is None:
        ax = _figure(height).add_subplot()
        _own.add(ax)
    return ax


def panels(
    ax: Axes | None, height: float, rows: int, columns: int, **share: Any
) -> tuple[Axes, list[Any]]:
    """Axes in rows and columns, on a new figure or within `ax`, which is otherwise empty.

    Returns the Axes of the caption, which are `ax` or the first panel, and the panels. `share` is
    passed to `subplots` of a new figure.
    """
    if ax is None:
        found = _figure(height).subplots(rows, columns, squeeze=False, **share).ravel()
        _own.add(found[0])
        return found[0], list(found)
    ax.set_axis_off()
    boxes = [((c + 0.1) / columns, 1 - (r + 0.8) / rows, 0.86 / columns, 0.66 / rows)
             for r in range(rows) for c in range(columns)]  # fmt: skip
    return ax, [ax.inset_axes(box) for box in boxes]


def _figure(height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout: Any = ConstrainedLayoutEngine(w_pad=0.04, h_pad=0.04)
    figure = Figure(figsize=(WIDTH, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def caption(ax: Axes, title: str, note: str) -> Axes:
    """Write the title above a figure, and a small note on n and intervals below it; returns `ax`.

    On a new figure, both span the figure. On Axes of the caller, the title is set on the Axes,
    and the note is left to the caller's caption, see `caption_of`.
    """
    _captions[ax] = Caption(" ".join(title.split()), " ".join(note.split()))
    figure = ax.figure.canvas.figure
    if ax not in _own:
        # Legends and the names of vertical lines are between Axes and title.
        figure.draw_without_rendering()
        above: list[Any] = [*ax.texts, ax.get_legend()]
        tops = [found.get_window_extent().y1 for found in above if found is not None]
        top = max([ax.bbox.y1, *tops])
        wide = ax.bbox.width / figure.dpi
        ax.set_title(
            _wrap(title, 8.0 * 1.08, wide, at=": "), pad=(top - ax.bbox.y1) * 72 / figure.dpi + 6
        )
        return ax
    if not _written_inside.get():
        return ax
    width = figure.get_figwidth()
    figure.suptitle(_wrap(title, 8.0 * 1.08, width, at=": "), x=0.02, ha="left")
    # Unlike free text, a label of the figure is part of the layout.
    figure.supxlabel(
        _wrap(note, NOTE, width), x=0.02, ha="left", fontsize=NOTE, fontweight="normal",
        color=MUTED,
    )  # fmt: skip
    return ax


def caption_of(ax: Axes) -> Caption:
    """The caption that a plotting function wrote for its Axes; raises KeyError if none did."""
    return _captions[ax]


@contextmanager
def without_captions() -> Iterator[None]:
    """Draw new figures without captions within a ``with`` block, for pages that have their own."""
    token = _written_inside.set(False)
    try:
        yield
    finally:
        _written_inside.reset(token)


def _wrap(text: str, size: float, width: float, at: str = "\n") -> str:
    """Break text into lines of `width` inches, first at `at` if one line is too short."""
    letters = int((width - 0.1) / (0.56 * size / 72))
    parts = [text] if len(text) <= letters else text.split(at)
    joined = at.rstrip() + "\n"
    return joined.join(textwrap.fill(part, letters) for part in parts)


def save(
    figure: Figure,
    folder: Path,
    name: str,
    formats: Sequence[str] = ("svg", "png"),
    dpi: float | None = None,
) -> list[Path]:
    """Write ``NAME.FORMAT`` for each format, atomically and with the same bytes every time.

    The metadata contain the caption: title and description of an SVG or PNG, title and subject
    of a PDF. `dpi` is the dots per inch of a PNG (default: that of the style sheet). Raises
    HebbsimError if the folder cannot be written.
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
    """Content of the file of a figure in one of `FORMATS`."""
    said = next((_captions[ax] for ax in figure.axes if ax in _captions), Caption("", ""))
    # Dates and versions in the metadata would make two drawings of one table differ.
    absent = {"svg": ("Date", "Creator"), "png": ("Software",),
              "pdf": ("CreationDate", "Creator", "Producer")}  # fmt: skip
    metadata: dict[str, Any] = dict.fromkeys(absent[suffix])
    metadata |= {"Title": said.title, "Subject" if suffix == "pdf" else "Description": said.note}
    buffer = io.BytesIO()
    with context():
        options: dict[str, Any] = {} if dpi is None else {"dpi": dpi}
        figure.savefig(buffer, format=suffix, metadata=metadata, **options)
    return buffer.getvalue()
