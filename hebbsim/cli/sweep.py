"""`hebbsim sweep`, `hebbsim compare` and `hebbsim rerun`: many runs, and a run once more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.options import Json, Overwrite
from hebbsim.cli.run_command import complain, place, print_json, progress

if TYPE_CHECKING:
    from hebbsim.runs.compare import RunDifference
    from hebbsim.runs.rerun import Agreement
    from hebbsim.runs.sweep import SweepResults
    from hebbsim.runs.terminal import Console

#: Lines of a table on the terminal, at most.
_MOST = 40


def sweep(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.toml",
            help='experiment = "roles"; [base]: options of all runs; [grid]: lists of values '
            "that vary, as in clusters = [100, 300]; plane = [2, 8, 32]: every timescale and "
            "every pair.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the sweep (default: runs/sweep-FILE).")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="Runs at a time, in processes of this machine.")
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler to run them on (all workers must find the folder), or local.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace the table of another sweep in the folder; its runs stay."
        ),
    ] = False,
    list_runs: Annotated[
        bool, typer.Option("--list", help="Show the runs that the file asks for, and stop.")
    ] = False,
    json: Json = False,
) -> None:
    """Run an experiment over timescales, clusters, rules, corpora or any other option.

    Each run has its folder; table.parquet holds the scores of all, one row a seed. Given
    again, only runs that are not finished are done: after an interruption, or with more
    values in the file.
    """
    from hebbsim.runs.sweep_file import read_sweep

    asked = read_sweep(file)
    if list_runs:
        for point in asked.points:
            typer.echo(point.name)
        return
    folder = place(out, Path("runs") / f"sweep-{file.stem}", overwrite=overwrite)

    from hebbsim.runs.sweep import run_sweep

    with progress() as report:
        found = run_sweep(
            asked, folder, workers=workers, scheduler=scheduler, progress=report,
            overwrite=overwrite,
        )  # fmt: skip
    if json:
        print_json(found.document())
    else:
        _show_sweep(found, found.folder)
    for line in found.undrawn:
        complain(line)
    if found.failed:
        raise typer.Exit(1)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Folders of runs, the first to compare with; or of a sweep."
        ),
    ],
    metric: Annotated[
        str | None, typer.Option(help="Metric to compare (default: accuracy if present).")
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Split to compare; may be repeated (default: test and gen)."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model to compare (default: hebbian if present).")
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Each run with each other, not with the first.")
    ] = False,
    all_conditions: Annotated[
        bool, typer.Option("--all-conditions", help="Parts and controls of the learner, too.")
    ] = False,
    correction: Annotated[
        str, typer.Option(help="For many tests: holm, bh (false discovery rate), or none.")
    ] = "holm",
    json: Json = False,
) -> None:
    """Compare runs seed by seed: differences with 95 % intervals, p corrected for their number."""
    from hebbsim.runs.compare import compare_runs, document

    found = compare_runs(
        runs,
        metric=metric,
        splits=split or (),
        model=model,
        every_pair=all_pairs,
        every_condition=all_conditions,
        correction=correction,
    )
    if json:
        print_json(document(found, correction))
    else:
        _show_compared(found, correction)


def rerun(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished run.")],
    out: Annotated[
        Path | None, typer.Option(help="Run folder of the repetition (default: a new DIR-rerun).")
    ] = None,
    overwrite: Overwrite = False,
    tolerance: Annotated[
        float, typer.Option(help="Differences of numbers that count as agreement.")
    ] = 0.0,
    json: Json = False,
) -> None:
    """Run again what a run's folder says, and check that every number is the same.

    Exit code 1 where one is not.
    """
    from hebbsim.runs import rerun as module

    with progress() as report:
        found = module.rerun(folder, out, tolerance=tolerance, progress=report, overwrite=overwrite)
    if json:
        print_json(found.document())
    else:
        _show_agreement(found)
    if not found.agrees:
        raise typer.Exit(1)


# Tables of 80 columns ---------------------------------------------------------------------------


def _show_sweep(found: SweepResults, folder: Path, console: Console | None = None) -> None:
    from hebbsim.runs.sweep_file import shown
    from hebbsim.runs.terminal import Console, plain_table

    console = console or Console()
    experiment, axes = found.sweep.experiment, found.sweep.axes
    n = len(found.runs)
    console.print()
    console.print(
        f"{n} runs of {experiment.name}, {found.n_kept} of them there before; "
        f"{experiment.metric.replace('_', ' ')} on {experiment.split}",
        markup=False,
        soft_wrap=True,
    )
    several = any(run.n > 1 for run in found.runs)
    half = "±95 %" if several else ""
    names = [axis.rpartition(".")[2] for axis in axes] or ["run"]
    table = plain_table(*names, "mean", half, "seeds", texts=len(names), fold=True)
    ranked = sorted(
        (run for run in found.runs if run.estimate is not None),
        key=lambda run: -run.estimate.mean if run.estimate else 0.0,
    )
    for run in ranked[:_MOST]:
        assert run.estimate is not None
        width = (run.estimate.high - run.estimate.low) / 2
        cells = [shown(run.values[axis]) for axis in axes] or [run.run]
        table.add_row(
            *cells, f"{run.estimate.mean:.3f}", f"{width:.3f}" if width == width else "", str(run.n)
        )
    console.print(table)
    if len(ranked) > _MOST:
        console.print(f"and {len(ranked) - _MOST} more")
    for run in found.failed[:10]:
        console.print(f"Failed: {run.run}: {run.error}", markup=False, soft_wrap=True)
    if found.failed:
        console.print(
            f"{len(found.failed)} of {n} runs are not finished: the same command tries them again"
        )
    console.print(f"All scores: {folder / 'table.parquet'}", markup=False, soft_wrap=True)
    if found.figures:
        console.print(f"Figures: {folder / 'figures'}", markup=False, soft_wrap=True)


def _show_compared(
    found: list[RunDifference], correction: str, console: Console | None = None
) -> None:
    from hebbsim.runs.terminal import Console, plain_table

    console = console or Console()
    by = {"holm": "Holm", "bh": "Benjamini and Hochberg", "none": "nothing"}[correction]
    first: tuple[str, str] | None = None
    for row in found:
        pair = (row.run, row.minus)
        if pair == first:
            continue
        first = pair
        rows = [r for r in found if (r.run, r.minus) == pair]
        console.print()
        console.print(f"{row.run} minus {row.minus}", style="bold", markup=False, soft_wrap=True)
        names = ("split", "condition", "mean", "minus", "difference", "95 %", "p", "n")
        table = plain_table(*names, texts=2, fold=True)
        for r in rows:
            interval = "" if r.low is None else f"{r.low:+.4f} to {r.high:+.4f}"
            name = " ".join(filter(None, [r.model if r.model != "hebbian" else "", r.condition]))
            table.add_row(
                r.split, name, f"{r.value:.4f}", f"{r.other:.4f}", f"{r.difference:+.4f}",
                interval, _p(r.corrected), str(r.n),
            )  # fmt: skip
        console.print(table)
    tests = sum(row.p is not None for row in found)
    console.print()
    console.print(
        f"{found[0].metric.capitalize()} by seed, paired; t intervals of each difference alone; "
        f"p of {tests} test{'s' * (tests != 1)},"
    )
    console.print(f"corrected by {by}.")


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return "<.0001" if p < 0.0001 else f"{p:.4f}".removeprefix("0")


def _show_agreement(found: Agreement, console: Console | None = None) -> None:
    from hebbsim.runs.terminal import Console, plain_table

    console = console or Console()
    table = plain_table("table", "cells", "differ", "largest", fold=True)
    for each in found.tables:
        if each.problem:
            table.add_row(each.table, "", "", each.problem)
        else:
            size = f"{each.largest:.3g}" if each.differing else "0"
            table.add_row(each.table, f"{each.cells:,}", f"{each.differing:,}", size)
    console.print()
    console.print(table)
    for each in found.tables:
        if each.where:
            console.print(f"{each.table}: {each.where}", markup=False, soft_wrap=True)
    for line in found.changed:
        console.print(f"Not as before: {line}", markup=False, soft_wrap=True)
    if found.exact:
        verdict = "Every number is the same."
    elif found.agrees:
        verdict = f"No number differs by more than {found.tolerance:g}."
    else:
        verdict = "The two runs do not agree."
    console.print(verdict)
    console.print(f"The run again: {found.again}", markup=False, soft_wrap=True)
