"""`hebbsim sweep`, `hebbsim compare` and `hebbsim rerun`: commands on several runs."""

from pathlib import Path
from typing import Annotated

import typer

from hebbsim.cli.options import Json, Overwrite, flag
from hebbsim.cli.run_command import complain, place, print_json, progress


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

    from hebbsim.runs.sweep import run_sweep, show

    with progress() as report:
        found = run_sweep(
            asked, folder, workers=workers, scheduler=scheduler, progress=report,
            overwrite=overwrite,
        )  # fmt: skip
    if json:
        print_json(found.document())
    else:
        show(found, found.folder)
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
    from hebbsim.runs.compare import compare_runs, document, show

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
        show(found, correction)


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
        module.show(found)
    if not found.agrees:
        raise typer.Exit(1)
