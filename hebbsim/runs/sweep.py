"""Runs one experiment with many configurations, and collects all scores: `hebbsim sweep`."""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.probes.bootstrap import Estimate, seed_interval
from hebbsim.runs import folders
from hebbsim.runs.experiment import Experiment
from hebbsim.runs.registry import EXPERIMENTS
from hebbsim.runs.results import Progress, json_text, not_drawn, quiet
from hebbsim.runs.sweep_file import Point, Sweep, shown
from hebbsim.runs.terminal import Console, plain_table
from hebbsim.runs.workers import run_all
from hebbsim.storage import write_whole

SCHEMA = "hebbsim.sweep/1"
#: Maximum number of rows of a table on the terminal.
_MOST = 40
#: Columns of a table of scores; an axis with one of these names adds no column.
_SCORES = ("corpus", "split", "model", "condition", "metric", "role", "seed", "value", "unit")


@dataclass(frozen=True)
class Swept:
    """The score that a sweep shows for one run, over its seeds, or the error."""

    run: str
    values: dict[str, Any]
    estimate: Estimate | None = None
    n: int = 0
    error: str | None = None


@dataclass
class SweepResults:
    """The results of a sweep."""

    sweep: Sweep
    #: In the order of the file.
    runs: list[Swept]
    #: One row per run, seed, condition and metric, with a column for every option that varies.
    table: pd.DataFrame
    #: Number of runs that had been finished before.
    n_kept: int
    figures: list[Path]
    folder: Path
    #: A line for each figure that could not be drawn.
    undrawn: list[str]

    @property
    def failed(self) -> list[Swept]:
        return [run for run in self.runs if run.error is not None]

    def document(self) -> dict[str, Any]:
        """The results as a JSON document (schema ``hebbsim.sweep/1``)."""
        experiment = self.sweep.experiment
        return {
            "schema": SCHEMA,
            "experiment": experiment.name,
            "axes": list(self.sweep.axes),
            "shown": {
                "model": experiment.model, "split": experiment.split,
                "metric": experiment.metric, "condition": dict(experiment.words),
            },
            "results": [
                {
                    "run": run.run, "values": run.values, "n": run.n, "error": run.error,
                    **(_finite(run.estimate) if run.estimate else {}),
                }
                for run in self.runs
            ],
        }  # fmt: skip


def _finite(estimate: Estimate) -> dict[str, float | None]:
    return {k: v if v == v else None for k, v in estimate._asdict().items()}


def run_sweep(
    sweep: Sweep,
    out: folders.Out,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> SweepResults:
    """Run the missing runs of a sweep, and write the table of all runs.

    A run is done when its folder ``runs/NAME`` is complete; an interrupted run resumes. A run
    that fails does not stop the others. `workers` and `scheduler` are those of
    `hebbsim.runs.workers.run_all`; with Dask, all workers must have access to `out` under this
    path. `overwrite` replaces another sweep in the folder, but keeps its finished runs.

    Raises BadInputError if the folder holds something else, or a sweep with other runs, or
    another sweep is writing to it.
    """
    say = progress or quiet
    plan = {
        "schema": SCHEMA,
        "experiment": sweep.experiment.name,
        "axes": list(sweep.axes),
        "runs": {point.name: point.values for point in sweep.points},
    }
    shown = _choose(out, plan)
    out = shown.absolute()
    _check_folder(out, plan, overwrite)
    with _locked(out):
        folders.refuse_strangers(out, ["sweep.json", "table.parquet"])
        with folders.writing(out / "sweep.json"):
            write_whole(out / "sweep.json", json_text(plan).encode())
        folders.record(out, ["sweep.json"], "sweep")
        left = [p for p in sweep.points if not folders.is_finished(out / "runs" / p.name)]
        n_kept = len(sweep.points) - len(left)
        there = f"{n_kept} of {len(sweep.points)} runs are there" if n_kept else None
        say(there, n_kept, len(sweep.points))
        failed: dict[str, str] = {}
        do = functools.partial(_run_point, sweep.experiment.name, str(out / "runs"), overwrite)
        jobs = [(point.name, point.config.model_dump(mode="json")) for point in left]
        ended = run_all(do, jobs, workers=workers, scheduler=scheduler)
        try:
            for done, (number, outcome) in enumerate(ended, start=n_kept + 1):
                name = left[number].name
                if isinstance(outcome, Exception):
                    failed[name] = reason(outcome)
                say(f"{name}: {failed.get(name, 'done')}", done, len(sweep.points))
        except KeyboardInterrupt as error:
            setattr(error, "hint", "finished runs are kept: the same command resumes")  # noqa: B010
            raise
        return _gather(sweep, out, shown, failed, n_kept)


def _choose(out: folders.Out, plan: dict[str, Any]) -> Path:
    """The folder of a sweep that this one continues, or else a new one."""
    if not isinstance(out, folders.Numbered):
        return Path(out)
    started = (f for f in out.existing() if (f / "sweep.json").is_file() and not _lacks(f, plan))
    return next(started, None) or next(out.free())


def _lacks(folder: Path, plan: dict[str, Any]) -> str:
    """Description of what the plan lacks of the sweep in a folder; "" if nothing."""
    before = folders.read_json(folder / "sweep.json") or {}
    if before.get("experiment") != plan["experiment"]:
        return f"experiment was {before.get('experiment')} and is {plan['experiment']}"
    lacking = [name for name in before.get("runs", {}) if name not in plan["runs"]]
    return f"it has run {lacking[0]}, which this one has not" if lacking else ""


def _check_folder(out: Path, plan: dict[str, Any], overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise BadInputError(f"--out {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()):
        if not (out / "sweep.json").is_file():
            raise BadInputError(
                f"--out {out}: not empty, and no sweep is in it; name another folder"
            )
        lacking = _lacks(out, plan)
        if lacking and not overwrite:
            raise BadInputError(
                f"--out {out}: holds another sweep ({lacking}); name another folder, or give "
                "--overwrite to replace its table"
            )
    with folders.writing(f"--out {out}"):
        (out / "runs").mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        with FileLock(out / ".lock", timeout=0):
            yield
    except Timeout:
        raise BadInputError(
            f"--out {out}: another sweep writes to it; wait for it or name another folder"
        ) from None


def _run_point(experiment: str, runs: str, overwrite: bool, job: tuple[str, dict[str, Any]]) -> str:
    """Run one point of a sweep, on any process or machine."""
    name, options = job
    chosen = EXPERIMENTS[experiment]
    chosen.run(chosen.config.checked(options), Path(runs) / name, overwrite=overwrite)
    return name


def _gather(
    sweep: Sweep, out: Path, shown: Path, failed: dict[str, str], n_kept: int
) -> SweepResults:
    tables, runs = [], []
    for point in sweep.points:
        if not folders.is_finished(out / "runs" / point.name):
            error = failed.get(point.name, "did not run")
            runs.append(Swept(point.name, point.values, error=error))
            continue
        table = read_scores(out / "runs" / point.name)
        runs.append(_summary(sweep.experiment, point, table))
        for axis in reversed(sweep.axes):
            if axis not in _SCORES:
                table.insert(0, axis, _cell(point.values[axis]))
        table.insert(0, "run", point.name)
        tables.append(table)
    if not tables:
        raise HebbsimError(f"no run was finished; the first: {runs[0].error}")
    together = pd.concat(tables, ignore_index=True)
    try:
        content = together.to_parquet(engine="pyarrow", index=False)
    except ImportError:
        raise BadInputError(
            "the table of a sweep is parquet, for which pyarrow is not installed: "
            "pip install 'hebbsim[cluster]' and run the sweep again (its runs are kept)"
        ) from None
    with folders.writing(out / "table.parquet"):
        write_whole(out / "table.parquet", content)
    folders.record(out, ["table.parquet"])
    figures: list[Path] = []
    undrawn: list[str] = []
    if "timescales" in sweep.axes:
        from hebbsim.runs.figures import draw_planes

        experiment = sweep.experiment
        rows = [experiment.shows(row) and not row.role for row in together.itertuples()]
        folder = out / "figures"
        figures, failed_figures = draw_planes(together[rows], sweep.axes, folder, experiment)
        folders.record(out, [str(path.relative_to(out)) for path in figures])
        undrawn = not_drawn(failed_figures)
    return SweepResults(sweep, runs, together, n_kept, figures, shown, undrawn)


def _cell(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else shown(value)


def read_scores(folder: Path) -> pd.DataFrame:
    """The scores of a run, one row per seed, condition and metric; BadInputError if it has none."""
    path = folder / "per_seed.csv"
    if not folders.is_finished(folder):
        raise BadInputError(f"{folder}: no finished run in it; give the folder of a run")
    if not path.is_file():
        raise BadInputError(f"{folder}: this run has no scores by seed (per_seed.csv)")
    try:
        # A role may be called "NA", which pandas would read as missing.
        table = pd.read_csv(path, keep_default_na=False, encoding="utf-8", dtype=str)
        table = table.astype({"seed": "int64", "value": "float64"})
        return table.loc[:, list(_SCORES)]
    except (KeyError, ValueError, OSError) as error:
        raise BadInputError(f"{path}: not a table of scores ({error})") from None


def _summary(experiment: Experiment, point: Point, table: pd.DataFrame) -> Swept:
    """Mean over seeds of the score that the sweep shows, of the ensemble if there is one."""
    rows = [row for row in table.itertuples() if experiment.shows(row) and not row.role]
    if not rows:
        return Swept(point.name, point.values)
    last = rows[-1].condition
    values = [row.value for row in rows if row.condition == last]
    return Swept(point.name, point.values, seed_interval(values), len(values))


def run_folders(paths: list[Path]) -> list[Path]:
    """Run folders, where a sweep folder stands for all of its runs; BadInputError for no folder."""
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            raise BadInputError(f"{path}: no such folder; give the folder of a run or of a sweep")
        if (path / "sweep.json").is_file():
            names = (folders.read_json(path / "sweep.json") or {}).get("runs")
            if not isinstance(names, dict):
                raise BadInputError(f"{path / 'sweep.json'}: damaged")
            found += filter(folders.is_finished, (path / "runs" / name for name in names))
        else:
            found.append(path)
    return found


def show(found: SweepResults, folder: Path, console: Console | None = None) -> None:
    """Print the runs of a sweep by rank, those that failed, and where the files are."""
    console = console or Console()
    experiment, axes = found.sweep.experiment, found.sweep.axes
    n = len(found.runs)
    console.print()
    console.print(
        f"{n} runs of {experiment.name}, {found.n_kept} of them finished before; "
        f"{experiment.metric.replace('_', ' ')} on {experiment.split}",
        soft_wrap=True,
    )
    half = "±95 %" if any(run.n > 1 for run in found.runs) else ""
    names = [axis.rpartition(".")[2] for axis in axes] or ["run"]
    table = plain_table(*names, "mean", half, "seeds", texts=len(names), fold=True)
    scored = [(run, run.estimate) for run in found.runs if run.estimate is not None]
    ranked = sorted(scored, key=lambda pair: -pair[1].mean)
    for run, (mean, low, high) in ranked[:_MOST]:
        width = (high - low) / 2
        cells = [shown(run.values[axis]) for axis in axes] or [run.run]
        table.add_row(*cells, f"{mean:.3f}", f"{width:.3f}" if width == width else "", str(run.n))
    console.print(table)
    if len(ranked) > _MOST:
        console.print(f"and {len(ranked) - _MOST} more")
    for run in found.failed[:10]:
        console.print(f"Failed: {run.run}: {run.error}", soft_wrap=True)
    if found.failed:
        console.print(
            f"{len(found.failed)} of {n} runs did not finish: the same command tries them again"
        )
    console.print(f"All scores: {folder / 'table.parquet'}", soft_wrap=True)
    if found.figures:
        console.print(f"Figures: {folder / 'figures'}", soft_wrap=True)
