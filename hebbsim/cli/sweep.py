"""`hebbsim sweep`, `hebbsim compare` and `hebbsim rerun`: commands on several runs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.options import Json, Overwrite, flag
from hebbsim.cli.run_command import complain, place, print_json, progress

if TYPE_CHECKING:
    from hebbsim.runs.compare import RunDifference
    from hebbsim.runs.rerun import Agreement
    from hebbsim.runs.sweep import SweepResults
    from hebbsim.runs.terminal import Console

#: Maximum number of rows of a table on the terminal.
_MOST = 40


def sweep(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.toml",
            help='Describes the sweep: experiment = "roles"; [base] has the options of every '
            "run; [grid] has lists of values, such as clusters = [100, 300]; plane = [2, 8, 32] "
            "tries each timescale and each pair.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the sweep (default: runs/sweep-FILE)."),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1, metavar="N", help="Number of runs at a time, as processes on this machine."
        ),
    ] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Dask scheduler to use instead: an address whose workers can write to the sweep's "
            "folder, or local (processes on this machine).",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        flag("--overwrite", "Replace the table of a different sweep in the folder; its runs stay."),
    ] = False,
    list_runs: Annotated[
        bool, flag("--list", "List the runs that the file describes, and exit.")
    ] = False,
    json: Json = False,
) -> None:
    """Run an experiment with every combination of some options.

    Each run has its own folder; table.parquet holds the scores of all runs, one row per seed.
    The same command given again runs only what is missing, after an interruption or with more
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
            metavar="RUN...",
            help="Run folders; a sweep folder stands for all its runs. The first run is the one "
            "that the others are compared with.",
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Metric to compare (default: accuracy if present)."),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Split to compare; repeatable (default: test and gen)."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Model to compare (default: hebbian if present)."),
    ] = None,
    all_pairs: Annotated[bool, flag("--all-pairs", "Compare every pair of runs.")] = False,
    all_conditions: Annotated[
        bool, flag("--all-conditions", "Also compare the learner's ablations and controls.")
    ] = False,
    correction: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Correction of p for multiple tests: holm, bh (false discovery rate) or none.",
        ),
    ] = "holm",
    json: Json = False,
) -> None:
    """Compare runs seed by seed, with intervals and corrected p.

    Scores are paired by seed, because a seed stands for the same random draws in every run.
    """
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
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the new run (default: a new DIR-rerun)."),
    ] = None,
    overwrite: Overwrite = False,
    tolerance: Annotated[
        float, typer.Option(metavar="X", help="Largest difference that counts as agreement.")
    ] = 0.0,
    json: Json = False,
) -> None:
    """Repeat a finished run, and check that all numbers agree.

    The exit code is 1 if they do not agree.
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


def _show_sweep(found: SweepResults, folder: Path, console: Console | None = None) -> None:
    from hebbsim.runs.sweep_file import shown
    from hebbsim.runs.terminal import Console, plain_table

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


def _show_compared(
    found: list[RunDifference], correction: str, console: Console | None = None
) -> None:
    from hebbsim.runs.terminal import Console, plain_table

    console = console or Console()
    by = {"holm": "Holm", "bh": "Benjamini and Hochberg", "none": "nothing"}[correction]
    for (run, minus), rows in itertools.groupby(found, lambda row: (row.run, row.minus)):
        console.print()
        console.print(f"{run} minus {minus}", style="bold", soft_wrap=True)
        names = ("split", "condition", "mean", "minus", "difference", "95 %", "p", "n")
        table = plain_table(*names, texts=2, fold=True)
        for r in rows:
            interval = "" if r.low is None else f"{r.low:+.4f} to {r.high:+.4f}"
            name = f"{r.model} {r.condition}".removeprefix("hebbian ").strip()
            table.add_row(
                r.split, name, f"{r.value:.4f}", f"{r.other:.4f}", f"{r.difference:+.4f}",
                interval, _p(r.corrected), str(r.n),
            )  # fmt: skip
        console.print(table)
    tests = sum(row.p is not None for row in found)
    console.print()
    console.print(
        f"{found[0].metric.capitalize()} paired by seed; t intervals, not corrected; "
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
            console.print(f"{each.table}: {each.where}", soft_wrap=True)
    for line in found.changed:
        console.print(f"Changed: {line}", soft_wrap=True)
    if found.exact:
        console.print("Every number is the same.")
    elif found.agrees:
        console.print(f"No number differs by more than {found.tolerance:g}.")
    else:
        console.print("The two runs do not agree.")
    console.print(f"New run: {found.again}", soft_wrap=True)
