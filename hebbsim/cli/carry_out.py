"""What every command that runs an experiment does: progress, the run, and its tables or JSON."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbsim.errors import DivergenceWarning

if TYPE_CHECKING:
    from hebbsim.experiments.results import Progress, Results
    from hebbsim.folders import Out

Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="Replace a finished run in the run folder; files that are not of that run stay.",
    ),
]


def place(out: Path | None, default: Path, *, overwrite: bool) -> Out:
    """Where a command writes: as it was told, or by default into a new folder."""
    from hebbsim.folders import Numbered

    if out is not None:
        return out
    return default if overwrite else Numbered(default)


def carry_out(
    run: Callable[..., Results],
    show: Callable[[Results, Path], None],
    config: Any,
    out: Path | None,
    default: Path,
    *,
    overwrite: bool,
    json: bool,
) -> None:
    """Run an experiment into its folder, and print its tables or its one JSON document.

    Without `out`, the folder is `default`, or where that is taken the next number of it.
    """
    from hebbsim.folders import check_output
    from hebbsim.interrupts import Interruption

    where = place(out, default, overwrite=overwrite)
    check_output(where, overwrite=overwrite)
    try:
        with warnings_in_one_line(), progress() as report:
            results = run(config, out=where, progress=report, overwrite=overwrite)
    except KeyboardInterrupt as error:
        raise Interruption(error) from error
    folder = results.folder or default
    if json:
        from hebbsim.experiments.results import json_text

        sys.stdout.write(json_text(results.document()))
    else:
        show(results, folder)
    if results.undrawn:
        missing = ", ".join(results.undrawn)
        print(f"hebbsim: the tables in {folder} are whole; missing figures: {missing}",
              file=sys.stderr)  # fmt: skip


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """What a user can act on, without the place in the source that it came from."""
    usual = warnings.formatwarning

    def show(message: Any, category: type[Warning], *where: Any, **more: Any) -> str:
        if issubclass(category, DivergenceWarning):
            return f"hebbsim: {message}\n"
        return usual(message, category, *where, **more)

    warnings.formatwarning = show
    try:
        yield
    finally:
        warnings.formatwarning = usual


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Lines and a bar on stderr where that is a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda line, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("learning", total=None)

        def show(line: str | None, done: int, total: int) -> None:
            if line:
                bar.console.print(line, highlight=False, markup=False)
            bar.update(task, completed=done, total=total or None)

        yield show
