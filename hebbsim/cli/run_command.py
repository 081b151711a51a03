"""Runs the command of an experiment: progress, tables or JSON."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbsim.errors import DivergenceWarning
from hebbsim.interrupts import Interruption

if TYPE_CHECKING:
    from hebbsim.config import ExperimentConfig
    from hebbsim.runs.experiment import Experiment
    from hebbsim.runs.folders import Out
    from hebbsim.runs.results import Progress


def place(out: Path | None, default: Path, *, overwrite: bool) -> Out:
    """The folder that a command writes: the given one, or by default a new one."""
    from hebbsim.runs.folders import Numbered

    if out is not None:
        return out
    return default if overwrite else Numbered(default)


def run_command(
    experiment: Experiment, config: ExperimentConfig, out: Path | None, overwrite: bool, json: bool
) -> None:
    """Run an experiment in its folder, and print its tables or one JSON document."""
    from hebbsim.runs.folders import check_output
    from hebbsim.runs.registry import EXPERIMENTS
    from hebbsim.runs.run_function import rank

    for option, name in experiment.instead.items():
        if getattr(config, option) is not None:
            experiment = EXPERIMENTS[name]
    if rank():  # under torchrun, only the first process writes and prints
        experiment.run(config)
        return
    default = experiment.default_folder(config)
    where = place(out, default, overwrite=overwrite)
    check_output(where, overwrite=overwrite)
    with warnings_in_one_line(), progress() as report:
        results = experiment.run(config, where, progress=report, overwrite=overwrite)
    folder = results.folder or default
    if json:
        print_json(results.document())
    else:
        experiment.show(results, folder)
    if results.undrawn:
        missing = ", ".join(results.undrawn)
        complain(f"the tables in {folder} are complete; missing figures: {missing}")


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    from hebbsim.runs.results import json_text

    sys.stdout.write(json_text(document))


def complain(line: str) -> None:
    """Print a line about the command itself on standard error."""
    print(f"hebbsim: {line}", file=sys.stderr)


@contextlib.contextmanager
def warnings_in_one_line() -> Iterator[None]:
    """Print warnings for users in one line, without their location in the source."""
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


class Pace:
    """Estimates the remaining time from the steps done since the first call.

    Steps from the cache are not counted.

    >>> pace = Pace(clock=iter([0.0, 30.0, 60.0]).__next__)
    >>> [pace.left(done, 10) for done in (4, 5, 7)]
    ['', 'about 2:30 left', 'about 1:00 left']
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[int, float] | None = None

    def left(self, done: int, total: int) -> str:
        """The remaining time in words; empty before the first timed step."""
        now = self._clock()
        if self._first is None:
            self._first = done, now
        before, since = self._first
        if done <= before:
            return ""
        seconds = round((now - since) * (total - done) / (done - before))
        hours, rest = divmod(seconds, 3600)
        whole = f"{hours}:{rest // 60:02}" if hours else f"{rest // 60}"
        return f"about {whole}:{rest % 60:02} left"


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """Show lines and a progress bar on standard error, if that is a terminal.

    A KeyboardInterrupt in the block is raised as an Interruption, which ends the command in one
    line.
    """
    from hebbsim.runs.results import quiet

    try:
        with _bar() if sys.stderr.isatty() else contextlib.nullcontext(quiet) as report:
            yield report
    except KeyboardInterrupt as error:
        raise Interruption(error) from error


@contextlib.contextmanager
def _bar() -> Iterator[Progress]:
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from hebbsim.runs.terminal import Console

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
        TimeElapsedColumn(), TextColumn("{task.fields[left]}"),
    )  # fmt: skip
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, left="")
        pace = Pace()

        def show(line: str | None, done: int, total: int) -> None:
            if line:
                bar.console.print(line)
            if total:
                # Tables and figures count as one more step.
                doing = "learning" if done < total else "tables and figures"
                left = pace.left(done, total + 1)
                bar.update(task, completed=done, total=total + 1, description=doing, left=left)

        yield show
