"""`hebbsim figures`: draw the figures of finished runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.options import Json, flag
from hebbsim.cli.run_command import complain, print_json
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.runs.figures import RenderedFigure
    from hebbsim.runs.finished import RunTables


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Figures to draw (default: all); --list names them."),
    ] = None,
    run: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Run folder; repeatable (default: every run in ./runs)."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder to draw into, as RUN-NAME (default: figures/ in each run folder).",
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option(
            "--format", metavar="NAME,...", help="Comma-separated file formats: svg, png, pdf."
        ),
    ] = "svg,png",
    dpi: Annotated[
        float,
        typer.Option(metavar="N", help="Dots per inch of PNG files; figures are 3.5 inches wide."),
    ] = 300,
    listed: Annotated[bool, flag("--list", "List the names of figures, and exit.")] = False,
    json: Json = False,
) -> None:
    """Draw the figures of finished runs from their tables.

    Nothing is run again. captions.md beside the figures gives the n, seeds and interval of each.
    SVG and PDF files stay sharp at any size; for slides in PNG, use --dpi 600.
    """
    from hebbsim.config import comma_parts
    from hebbsim.plots.style import FORMATS
    from hebbsim.runs.figures import check_files, check_names, draw, figures_of, record_drawn
    from hebbsim.runs.finished import RunTables, find_runs
    from hebbsim.runs.results import not_drawn

    wanted = tuple(dict.fromkeys(comma_parts(formats)))
    for suffix in wanted or ("",):
        if suffix not in FORMATS:
            raise BadInputError(f"--format: give any of {', '.join(FORMATS)}, got {suffix!r}")
    if not 30 <= dpi <= 2400:
        raise BadInputError(f"--dpi: give a number from 30 to 2400, got {dpi:g}")
    runs = [RunTables(folder) for folder in run] if run else find_runs()
    if listed:
        _show_names([r.experiment for r in runs] if run else None, json=json)
        return
    if not runs:
        raise BadInputError(
            "no run folder in ./runs; make one, such as with `hebbsim run roles`, or name one "
            "with --run DIR"
        )
    if out is not None and out.exists() and not out.is_dir():
        raise BadInputError(f"--out {out}: is a file; name a folder")
    name, n = Counter(one.name for one in runs).most_common(1)[0]
    if out is not None and n > 1:  # they would overwrite each other
        raise BadInputError(f"--out {out}: two runs are called {name}; draw them one at a time")
    check_names(names or (), [r.experiment for r in runs])
    for one in runs:
        check_files(one, names, out, wanted)
        _ = one.results  # refuse unreadable runs before drawing any
    found: list[tuple[RunTables, list[RenderedFigure]]] = []
    failed: dict[str, Exception] = {}
    tried: set[str] = set()
    for one in runs:
        prefix = "" if out is None else f"{one.name}-"
        drawn, errors = draw(one, names, out=out, prefix=prefix, formats=wanted, dpi=dpi)
        tried |= {figure.name for figure in drawn} | set(errors)
        if drawn or not errors:
            found.append((one, drawn))
        failed |= {f"{name} of {one.name}": error for name, error in errors.items()}
    if not failed and not any(drawn for _, drawn in found):
        said = " or ".join(str(r.folder) for r, _ in found)
        what = ", ".join(names) if names else "a figure"
        if not any(figures_of(r.experiment) for r, _ in found):
            raise BadInputError(f"{said}: no figures are known of `{found[0][0].experiment}`")
        raise BadInputError(f"{said}: the tables have no rows to draw {what} from")
    nothing = BadInputError("the tables have no rows to draw it from")
    failed |= {name: nothing for name in names or () if name not in tried}
    for one, drawn in found:
        record_drawn(one, drawn, out)
    _show(found, json=json)
    for line in not_drawn(failed):
        complain(line)
    if failed:
        bad_input = all(isinstance(error, BadInputError) for error in failed.values())
        raise typer.Exit(2 if bad_input else 1)


def _show_names(experiments: list[str] | None, *, json: bool) -> None:
    from hebbsim.runs.figures import figures_of
    from hebbsim.runs.registry import EXPERIMENTS, command_of

    chosen = list(dict.fromkeys(experiments or EXPERIMENTS))
    known = {e: {n: d.about for n, d in figures_of(e).items()} for e in chosen if figures_of(e)}
    if json:
        print_json(known)
        return
    from hebbsim.runs.terminal import Console, print_pairs

    console = Console()
    for experiment, about in known.items():
        console.print(f"of hebbsim {command_of(experiment)}", style="bold")
        print_pairs(console, about, padding=(0, 2, 0, 2))


def _show(found: list[tuple[RunTables, list[RenderedFigure]]], *, json: bool) -> None:
    if json:
        document = [
            {
                "run": str(run.folder), "experiment": run.experiment, "name": one.name,
                "title": one.caption.title, "note": one.caption.note, "about": one.about,
                "files": [str(path) for path in one.paths],
            }
            for run, drawn in found
            for one in drawn
        ]  # fmt: skip
        print_json({"schema": "hebbsim.figures/1", "figures": document})
        return
    from hebbsim.runs.registry import command_of
    from hebbsim.runs.terminal import Console, print_pairs

    console = Console()
    for run, drawn in found:
        if not drawn:
            console.print(f"{run.folder}: no rows for these figures", soft_wrap=True)
            continue
        console.print(f"{run.name}: hebbsim {command_of(run.experiment)}", style="bold")
        captions = {one.name: f"{one.caption}" for one in drawn}
        print_pairs(console, captions, padding=(0, 2, 0, 2))
        folder = drawn[0].paths[0].parent
        suffixes = ", ".join(path.suffix[1:] for path in drawn[0].paths)
        console.print(f"Figures ({suffixes}) and captions: {folder}", soft_wrap=True)
