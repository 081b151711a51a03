"""`hebbsim tag`: predict the roles of new text with the network of a finished run."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.options import flag
from hebbsim.cli.run_command import Pace
from hebbsim.errors import BadInputError
from hebbsim.tagging.writers import WRITERS

if TYPE_CHECKING:
    from hebbsim.tagging.texts import Texts

Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL", help="Folder of a finished `hebbsim run roles`, or its tagger.safetensors."
    ),
]


def tag(
    ctx: typer.Context,
    model: Model,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE...",
            help="Text, CoNLL-U, JSON, CSV, TSV or parquet, compressed or not; - or no file "
            "reads standard input.",
        ),
    ] = None,
    format: Annotated[
        str,
        typer.Option(
            metavar="|".join(WRITERS),
            help=". ".join(f"{n}: {kind.about}" for n, kind in WRITERS.items()) + ".",
        ),
    ] = "conllu",
    readout: Annotated[
        str,
        typer.Option(
            metavar="soft|majority",
            help="How roles follow from clusters: soft weights the roles of a token's nearest "
            "clusters; majority takes the most frequent role of its cluster.",
        ),
    ] = "soft",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Output file (default: -, standard output).")
    ] = None,
    overwrite: Annotated[bool, flag("--overwrite", "Replace an existing --out file.")] = False,
) -> None:
    """Tag every word of a text with its role.

    Share is the probability of the role; `hebbsim show` describes the cluster with the number in
    Cluster. Text is read as a stream, so memory use does not grow with its length.
    """
    from threadpoolctl import threadpool_limits

    from hebbsim.tagging import load
    from hebbsim.tagging.naming import READOUTS
    from hebbsim.tagging.output import check_file, whole_file
    from hebbsim.tagging.tagger import FILE
    from hebbsim.tagging.texts import Texts, batches

    if format not in WRITERS:
        raise BadInputError(f"--format {format}: choose {', '.join(WRITERS)}")
    if readout not in READOUTS:
        raise BadInputError(f"--readout {readout}: choose {', '.join(READOUTS)}")
    out = None if str(out) == "-" else out
    if out is not None:
        inputs = (model, model / FILE, *(files or ()))
        check_file("--out", out, overwrite=overwrite, inputs=inputs)
    tagger = load(model)
    terminal = sys.stderr.isatty()
    if not files and sys.stdin.isatty():
        print("hebbsim: reading from the keyboard; Ctrl-D ends it", file=sys.stderr)
    texts = Texts(
        files or [Path("-")],
        columns=format == "conllu",
        **ctx.obj.reading,
        note=(lambda line: print(f"Note: {line}", file=sys.stderr)) if terminal else None,
    )
    writer = WRITERS[format]()
    with contextlib.ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))  # BLAS sums in another order with more threads
        to: IO[str] = sys.stdout if out is None else stack.enter_context(whole_file(out))
        # A progress bar would be mixed with output on the same terminal.
        shown = terminal and not to.isatty()
        told = stack.enter_context(_progress(texts, shown))
        to.write(writer.heading)
        for batch in batches(texts):
            found = tagger.assign((one.words for one in batch), readout=readout)
            to.write(writer.text(batch, found))
            told(len(found.roles))


@contextlib.contextmanager
def _progress(texts: Texts, shown: bool) -> Iterator[Callable[[int], None]]:
    """Show a progress bar of the bytes read; yields a function that adds tagged tokens."""
    if not shown:
        yield lambda n_tokens: None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from hebbsim.runs.terminal import Console

    said = TextColumn("{task.fields[said]}")
    columns = (BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), said)
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("tagging", total=texts.total or None, said="")
        pace, n_tokens = Pace(), 0
        pace.left(0, texts.total)

        def told(n: int) -> None:
            nonlocal n_tokens
            n_tokens += n
            left = pace.left(texts.done, texts.total) if texts.total else ""
            words = ", ".join(filter(None, (f"{n_tokens:,} tokens", left)))
            bar.update(task, completed=texts.done if texts.total else None, said=words)

        yield told
