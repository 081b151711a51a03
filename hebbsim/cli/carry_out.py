"""What every command that runs an experiment does: progress, the run, and its tables or JSON."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.errors import DivergenceWarning

if TYPE_CHECKING:
    from hebbsim.experiments.results import Progress, Results


def carry_out(
    run: Callable[..., Results],
    show: Callable[[Results, Path], None],
    config: Any,
    folder: Path,
    *,
    json: bool,
    resume: bool | None = None,
) -> None:
    """Run an experiment into `folder`, and print its tables or its one JSON document.

    `resume` is passed on to experiments that know it. A run that is to be resumed and is
    done already is told of, and is no failure.
    """
    from hebbsim.experiments.resume import AlreadyFinished
    from hebbsim.interrupts import Interruption

    more = {} if resume is None else {"resume": resume}
    try:
        with warnings_in_one_line(), progress() as report:
            results = run(config, out=folder, progress=report, **more)
    except AlreadyFinished as finished:
        print(f"hebbsim: {finished}", file=sys.stderr)
        if json:
            sys.stdout.write((folder / "results.json").read_text(encoding="utf-8"))
        return
    except KeyboardInterrupt as error:
        raise Interruption(error) from error
    if json:
        from hebbsim.experiments.results import json_text

        sys.stdout.write(json_text(results.document()))
    else:
        show(results, folder)


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
