"""`hebbsim report`: judge the claims of the paper by finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.options import Json, flag
from hebbsim.cli.run_command import complain, place, print_json

if TYPE_CHECKING:
    from hebbsim.runs.report import Report


def report(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Run folders, of any experiment.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the report (default: report, report-2, ...)."),
    ] = None,
    overwrite: Annotated[
        bool, flag("--overwrite", "Replace an earlier report in the folder; other files stay.")
    ] = False,
    json: Json = False,
) -> None:
    """Judge the claims of the paper by what runs measured.

    Writes report.html, a self-contained page that also prints well, and the same content as
    report.md and report.json. Nothing is run again. Untested claims are marked as such.
    """
    from hebbsim.runs.folders import check_output
    from hebbsim.runs.report import build_report, write_report
    from hebbsim.runs.results import not_drawn

    where = place(out, Path("report"), overwrite=overwrite)
    check_output(where, overwrite=overwrite, kind="report")
    found = build_report(runs)
    paths = write_report(where, found, overwrite=overwrite)
    if json:
        print_json(found.document())
    else:
        _show(found, paths)
    for section in found.sections:
        for line in not_drawn(section.failed):
            complain(f"{section.run.name}: {line}")


def _show(found: Report, paths: list[Path]) -> None:
    from hebbsim.runs.report.claims import CLAIMS, VERDICTS
    from hebbsim.runs.terminal import Console, plain_table

    console = Console()
    table = plain_table("", "claim", "verdict", texts=3)
    table.add_column("what was found", overflow="fold")
    for claim in CLAIMS.values():
        words = VERDICTS[found.verdict(claim.key)]
        table.add_row(claim.key, claim.title, words, found.summary(claim))
    console.print(table)
    console.print(f"Report: {', '.join(map(str, paths))}", soft_wrap=True)
