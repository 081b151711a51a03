"""Draws the figures of experiments from the tables of a run folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pandas import DataFrame

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.plots import matrices, style
from hebbsim.plots.tables import NothingToDrawError
from hebbsim.runs.experiment import Experiment
from hebbsim.runs.finished import RunTables
from hebbsim.runs.folders import MANIFEST, record, refuse_strangers
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.storage import write_whole

Made = TypeVar("Made")
_HEAD = "# Captions\n\nWritten by `hebbsim figures`.\n"
#: Maximum number of figures of a sweep.
_MOST = 12
#: Errors of figures that could not be drawn, by name.
Failed = dict[str, Exception]


@dataclass(frozen=True)
class FigureSpec:
    """A figure: its plotting function, and how its arguments follow from a run folder."""

    #: Takes the arguments below and ``ax=``.
    plot: Callable[..., style.Axes]
    #: Maps a run folder to keywords of `plot` (default: the results table).
    arguments: Callable[[RunTables], dict[str, Any]] = lambda run: {"results": run.results}

    def __call__(self, run: RunTables, ax: style.Axes | None = None) -> style.Axes:
        return self.plot(**self.arguments(run), ax=ax)

    @property
    def about(self) -> str:
        """What the figure shows, in one line."""
        return (self.plot.__doc__ or "").strip().partition("\n")[0]


class RenderedFigure(NamedTuple):
    """A figure that has been drawn for a run."""

    name: str
    about: str
    caption: style.Caption
    paths: list[Path]

    @property
    def alt(self) -> str:
        """Alternative text for readers who cannot see the figure."""
        return f"{self.caption.title}. {self.about}"


def figures_of(experiment: str) -> Mapping[str, FigureSpec]:
    """The figures of an experiment by name; empty if it has none, or is unknown."""
    known = EXPERIMENTS.get(experiment)
    return known.figures if known else {}


def each(names: Iterable[str], make: Callable[[str], Made]) -> tuple[list[Made], Failed]:
    """Make each figure, in order; one that fails does not stop the others.

    Figures without data are omitted.

    >>> each(["a", ""], lambda name: name[0])
    (['a'], {'': IndexError('string index out of range')})
    """
    made: list[Made] = []
    failed: Failed = {}
    for name in names:
        try:
            made.append(make(name))
        except NothingToDrawError:
            continue
        except Exception as error:
            failed[name] = error
    return made, failed


def draw(
    run: RunTables,
    names: Sequence[str] | None = None,
    *,
    out: str | Path | None = None,
    prefix: str = "",
    formats: Sequence[str] = ("svg", "png"),
    dpi: float | None = None,
) -> tuple[list[RenderedFigure], Failed]:
    """Draw the figures of a run for which its tables have data, and return those that failed.

    By default all figures are drawn, into ``figures`` in the run folder. File names begin with
    `prefix`; `formats` and `dpi` are those of `hebbsim.plots.style.save`. Raises BadInputError if
    the results of the run cannot be read.
    """
    folder = Path(out) if out is not None else run.folder / "figures"
    drawings = figures_of(run.experiment)
    _ = run.results  # fails here instead of once per figure

    def one(name: str) -> RenderedFigure:
        ax = drawings[name](run)
        paths = style.save(ax.figure.canvas.figure, folder, prefix + name, formats, dpi)
        return RenderedFigure(name, drawings[name].about, style.caption_of(ax), paths)

    return each([name for name in drawings if names is None or name in names], one)


def draw_run(folder: str | Path, experiment: str) -> Failed:
    """Draw all figures of a run into its ``figures/``, remove those without data, return errors."""
    run, drawings = RunTables(folder), figures_of(experiment)

    def one(name: str) -> None:
        files = [f"figures/{name}.{suffix}" for suffix in style.FORMATS]
        refuse_strangers(run.folder, files)
        try:
            ax = drawings[name](run)
        except NothingToDrawError:
            for file in files:
                (run.folder / file).unlink(missing_ok=True)
            raise
        paths = style.save(ax.figure.canvas.figure, run.folder / "figures", name)
        record(run.folder, [str(path.relative_to(run.folder)) for path in paths])

    return each(drawings, one)[1]


def draw_planes(
    table: DataFrame, axes: Sequence[str], folder: Path, experiment: Experiment
) -> tuple[list[Path], Failed]:
    """Draw the scores in `table` for each combination of other `axes`; returns paths and errors."""
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
        ax = matrices.plot_plane(
            group,
            title=", ".join([str(group["corpus"].iloc[0]), *shown]),
            metric=f"{experiment.metric.replace('_', ' ').capitalize()} on {experiment.split}",
            note=f"Mean over {seeds} seed{'s' * (seeds != 1)}.",
        )
        return style.save(ax.figure.canvas.figure, folder, name)

    paths, failed = each(drawn, one)
    return [path for of_one in paths for path in of_one], failed


def check_names(names: Sequence[str], experiments: Sequence[str]) -> None:
    """Raise BadInputError for a name that is not a figure of the experiments."""
    known = {name: None for e in experiments for name in figures_of(e)}
    for name in names:
        if name not in known:
            has = ", ".join(known) or "no figure"
            of = ", ".join(sorted(set(experiments)))
            raise BadInputError(f"{name}: no such figure; {of} has {has}")


def check_files(
    run: RunTables, names: Sequence[str] | None, out: Path | None, formats: Sequence[str]
) -> None:
    """Raise BadInputError if figures would replace files that are none of hebbsim."""
    if out is None and not (run.folder / MANIFEST).exists():
        return  # it does not record who drew its figures
    prefix = "figures/" if out is None else f"{run.name}-"
    drawn = [name for name in figures_of(run.experiment) if not names or name in names]
    files = [f"{prefix}{name}.{suffix}" for name in drawn for suffix in formats]
    files.append("figures/captions.md" if out is None else "captions.md")
    refuse_strangers(out or run.folder, files)


def record_drawn(run: RunTables, drawn: Sequence[RenderedFigure], out: Path | None) -> None:
    """Write ``captions.md`` beside the figures of a run, and record all files."""
    if not drawn:
        return
    page = write_captions(out or run.folder / "figures", drawn)
    home = out or run.folder
    paths = [page, *(path for one in drawn for path in one.paths)]
    if out is not None or (home / MANIFEST).exists():
        record(home, [str(path.relative_to(home)) for path in paths], "figures")


def write_captions(folder: Path, drawn: Sequence[RenderedFigure]) -> Path:
    """Write ``captions.md``, a section per figure; earlier ones stay while their files exist."""
    path = folder / "captions.md"
    sections = read_captions(path) if path.exists() else {}
    for one in drawn:
        sections[one.paths[0].stem] = f"**{one.caption.title}.** {one.caption.note}"
    files = {found.stem for found in folder.iterdir()}
    kept = [f"## {name}\n\n{text}\n" for name, text in sorted(sections.items()) if name in files]
    try:
        write_whole(path, "\n".join([_HEAD, *kept]).encode())
    except OSError as error:
        raise HebbsimError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def read_captions(path: Path) -> dict[str, str]:
    """The captions in ``captions.md`` by name of the figure file."""
    parts = path.read_text(encoding="utf-8", errors="replace").split("\n## ")[1:]
    return {name.strip(): text.strip() for name, _, text in (p.partition("\n") for p in parts)}
