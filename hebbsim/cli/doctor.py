"""`hebbsim doctor` and `hebbsim warmup`: is the installation ready?"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from hebbsim.cli.options import Json
from hebbsim.cli.run_command import print_json

if TYPE_CHECKING:
    from hebbsim.doctor import Diagnosis
    from hebbsim.runs.terminal import Console

_TITLES = {
    "versions": "Versions",
    "machine": "Machine",
    "threads": "Threads",
    "folders": "Folders",
    "graphics": "GPU (only torch uses one)",
}


def doctor(json: Json = False) -> None:
    """Check the installation: versions, threads, folders, GPU.

    The exit code is 1 if there is something to fix.
    """
    from hebbsim.doctor import examine

    found = examine()
    if json:
        print_json(found.document())
    else:
        _show(found)
    if found.problems:
        raise typer.Exit(1)


def _show(found: Diagnosis, console: Console | None = None) -> None:
    from hebbsim.runs.terminal import Console, print_heading, print_pairs

    console = console or Console()
    extras = {}
    for extra in found.extras:
        state = "installed" if extra.complete else f"lacks {', '.join(extra.missing)}"
        extras[extra.name] = f"{extra.purpose}: {state}" if extra.purpose else state
    sections = {_TITLES[name]: values for name, values in found.sections.items()}
    for title, values in {**sections, "Extras": extras}.items():
        print_heading(console, title)
        print_pairs(console, values, 14)
    lacking = [extra.name for extra in found.extras if not extra.complete]
    if lacking:
        console.print(f"To add one: pip install 'hebbsim[{lacking[0]}]'")
    console.print()
    for problem in found.problems:
        console.print(f"To fix: {problem}", soft_wrap=True)
    if not found.problems:
        console.print("Nothing to fix.")


def warmup(json: Json = False) -> None:
    """Compile all kernels now, so that no later run has to wait."""
    from hebbsim.bench.warmup import warm_up

    done = warm_up()
    if json:
        print_json(asdict(done))
    else:
        typer.echo(str(done))
