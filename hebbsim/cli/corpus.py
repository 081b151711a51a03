"""`hebbsim corpus`: list, describe, fetch and write corpora."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hebbsim.cli.options import Json, Verb, flag
from hebbsim.cli.run_command import print_json

if TYPE_CHECKING:
    from hebbsim.readers import Corpus
    from hebbsim.readers.registry import Entry

SCHEMA = "hebbsim.corpus/1"
#: Maximum number of shares in a line, and of words in a sentence.
_SHOWN, _WORDS = 6, 20

app = typer.Typer(
    help="List, describe, fetch and write corpora.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A name from `hebbsim corpus list`, or a path.")
]


@app.command("list")
def list_corpora(as_json: Json = False) -> None:
    """List the corpora known by name, and those on this machine."""
    from hebbsim.readers.registry import entries

    about = "English-like sentences of a built-in grammar"
    rows: list[dict[str, Any]] = [
        {"name": "builtin", "title": about, "licence": "BSD-3-Clause", "where": "built in"}
    ]
    for entry in entries().values():
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "sentences": sum(file.sentences for file in entry.files.values()),
                "words": sum(file.tokens for file in entry.files.values()),
                "licence": entry.licence,
                "where": _where(entry),
            }
        )
    if as_json:
        print_json({"schema": SCHEMA, "corpora": rows})
        return
    names = ("name", "sentences", "words", "licence", "where")
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    _print_table(["corpus", ">sentences", ">words", "licence", "where"], cells)


_CONFIG = "hebbsim.runs.corpus_config:SeededCorpusConfig"


@app.command(cls=Verb.of(_CONFIG, "parser", "offline"))
def info(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show how a corpus is read.

    Prints its format, splits, sizes, roles, scripts and first sentence, and the notes of a run:
    files joined or left out, relations unknown to the role map. Learns and downloads nothing.
    """
    from hebbsim.readers import load_corpus
    from hebbsim.readers.registry import entries

    entry, reading = entries().get(name), ctx.obj
    document: dict[str, Any] = {} if entry is None else _describe_entry(entry)
    if document.get("where") != "not here":
        options = {"layer": reading.gold_layer, "scheme": reading.role_map, "seed": reading.seed}
        corpus = load_corpus(name, **options, **reading.reading, offline=True)
        about = {"source": corpus.source, "licence": corpus.licence}
        document = (document or about) | _describe(corpus)
    if as_json:
        print_json({"schema": SCHEMA, **document})
        return
    for key in ("name", "title", "format", "source", "commit", "licence", "cite", "where", "layer"):
        if document.get(key):
            typer.echo(_wrap(f"{key:<9}{document[key]}"))
    if document.get("layers"):
        typer.echo(_wrap(f"layers   {', '.join(document['layers'])}"))
    for key in ("scripts", "unknown"):
        if document.get(key):
            typer.echo(_wrap(f"{key:<9}{_shares(document[key])}"))
    if first := document.get("first"):
        words = " ".join("/".join(word) for word in first[:_WORDS])
        typer.echo(_wrap(f"first    {words}{' ...' * (len(first) > _WORDS)}"))
    cells = [list(map(_cell, split.values())) for split in document["splits"]]
    _print_table(["split", ">sentences", ">words"], cells)
    if document.get("roles"):
        total = sum(document["roles"].values())
        cells = [
            [role, _cell(n), f"{100 * n / total:.1f} %"] for role, n in document["roles"].items()
        ]
        _print_table([f"{document['layer']} role in train", ">words", ">share"], cells)
    for note in document.get("notes", ()):
        typer.echo(_wrap(f"Note: {note}", ""))
    if entry is not None and document["where"] == "not here":
        typer.echo(f"Fetch it: hebbsim corpus fetch {name}")


@app.command()
def fetch(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Names from `hebbsim corpus list`.")
    ],
    offline: Annotated[bool, flag("--offline", "Never download anything.")] = False,
    as_json: Json = False,
) -> None:
    """Download corpora and verify them; existing files are only verified."""
    from hebbsim.errors import BadInputError
    from hebbsim.readers import registry

    known = registry.entries()
    for name in names:
        if name not in known:
            raise BadInputError(f"no corpus '{name}' to fetch; registered: {', '.join(known)}")
    rows = []
    with _Downloads() as downloads:
        for name in names:
            files = registry.fetch(known[name], offline=offline, progress=downloads.update)
            for split, path in files.items():
                sha256 = known[name].files[split].sha256
                rows.append({"corpus": name, "split": split, "path": str(path), "sha256": sha256})
    if as_json:
        print_json({"schema": SCHEMA, "files": rows})
        return
    for row in rows:
        typer.echo(f"{row['corpus']} {row['split']}: {row['path']}")


@app.command(cls=Verb.of(_CONFIG, "gold_layer"))  # all layers are written
def make(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder.")],
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A name from `hebbsim corpus list`, or a path.")
    ] = "builtin",
    as_json: Json = False,
) -> None:
    """Write a corpus to a folder of tables, one line per word.

    The path of the folder then names the corpus.
    """
    from hebbsim.readers import load_corpus
    from hebbsim.readers.tables import write_tables

    reading = ctx.obj
    with _Downloads() as downloads:
        options = {"scheme": reading.role_map, "seed": reading.seed, "parser": reading.parser}
        corpus = load_corpus(
            name, **options, **reading.reading, offline=reading.offline, progress=downloads.update
        )
    files = write_tables(corpus, out)
    if as_json:
        about = {"schema": SCHEMA, "name": corpus.name, "files": list(map(str, files))}
        print_json({**about, "notes": list(corpus.notes)})
        return
    words = sum(split.n_tokens for split in corpus.splits.values())
    typer.echo(f"{corpus.name}: {len(corpus.splits)} splits, {words:,} words in {out}")
    for note in corpus.notes:
        typer.echo(f"Note: {note}")


class _Downloads:
    """Progress bars of downloads on standard error, if that is a terminal."""

    def __init__(self) -> None:
        self._progress: Any = None
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> _Downloads:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None and not self._progress.disable:  # rich 13 ends a line anyway
            self._progress.stop()

    def update(self, name: str, done: int, total: int) -> None:
        from rich.progress import Progress

        from hebbsim.runs.terminal import Console

        if self._progress is None:
            console = Console(stderr=True)
            self._progress = Progress(console=console, disable=not console.is_terminal)
            self._progress.start()
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name)
        self._progress.update(self._tasks[name], completed=done, total=total)


def _where(entry: Entry) -> str:
    from hebbsim.readers.registry import cache_folder, find_local

    found = find_local(entry)
    if len(found) < len(entry.files):
        return "partly here" if found else "not here"
    downloads = cache_folder() / "corpora"
    return "downloaded" if all(downloads in p.parents for p in found.values()) else "local copy"


def _describe_entry(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "source": entry.source,
        "commit": entry.commit,
        "licence": entry.licence,
        "cite": entry.cite,
        "where": _where(entry),
        "splits": [
            {"name": split, "sentences": file.sentences, "words": file.tokens}
            for split, file in entry.files.items()
        ],
    }


def _describe(corpus: Corpus) -> dict[str, Any]:
    import numpy as np

    from hebbsim.readers.words import scripts

    train = corpus.splits["train"]
    # The first sentence with at least two words: each word with its role, if there is one.
    first = train.subset([int(np.argmax(np.diff(train.offsets) > 1))])
    columns = [first.forms.tolist()]
    if corpus.layer is not None:
        columns.append(first.layers[corpus.layer].tolist())
    document: dict[str, Any] = {
        "name": corpus.name,
        "layer": corpus.layer,
        "layers": list(train.layers),
        "format": corpus.format,
        "scripts": scripts(train.forms.tolist()),
        "unknown": corpus.unknown,
        "first": [list(word) for word in zip(*columns, strict=True)],
        "splits": [
            {"name": split.name, "sentences": split.n_sentences, "words": split.n_tokens}
            for split in corpus.splits.values()
        ],
        "sha256": corpus.sha256,
        "notes": list(corpus.notes),
    }
    if corpus.layer is not None:
        roles, counts = np.unique(train.layers[corpus.layer], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        document["roles"] = {str(roles[i]): int(counts[i]) for i in order}
    return document


def _shares(shares: dict[str, float]) -> str:
    """The first few names with their shares in per cent."""
    shown = [f"{name} {100 * share:.3g} %" for name, share in list(shares.items())[:_SHOWN]]
    more = [f"{len(shares) - _SHOWN} more"] if len(shares) > _SHOWN else []
    return ", ".join(shown + more)


def _cell(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else value or ""


def _wrap(line: str, indent: str = " " * 9) -> str:
    return textwrap.fill(
        line, 80, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _print_table(header: list[str], rows: list[list[str]]) -> None:
    """Print a table; columns whose header begins with ``>`` are right-aligned."""
    from rich import box
    from rich.table import Table

    from hebbsim.runs.terminal import Console

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(header[0], overflow="fold")
    for title in header[1:]:
        justify: Any = "right" if title[0] == ">" else "left"
        table.add_column(title.removeprefix(">"), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.width = min(console.width, 80)
    console.print(table)
