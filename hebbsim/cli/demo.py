"""`hebbsim demo`."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbsim.cli.carry_out import Rules

if TYPE_CHECKING:
    from hebbsim.demo.room import Room

#: Where the page is, unless that port is taken.
PORT = 5006


def demo(
    corpus: Annotated[
        str,
        typer.Option(
            help="builtin, a name that `hebbsim corpus list` shows, or the path of a treebank."
        ),
    ] = "builtin",
    clusters: Annotated[
        int, typer.Option(metavar="K", help="Prototypes that words compete for.", min=1)
    ] = 300,
    port: Annotated[
        int | None,
        typer.Option(
            help=f"Port; 0 for any free one (default: {PORT}, or a free one).", min=0, max=65535
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    bigru: Annotated[
        bool, typer.Option("--bigru/--no-bigru", help="Show the BiGRU's roles, with torch.")
    ] = True,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write a recorded run as one page that needs no Python, and end."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier recording in the folder.")
    ] = False,
    rules: Rules = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
) -> None:
    """Show a class, live, what a fading memory keeps of language and what it loses.

    A page in the browser, served on this machine alone: a sentence word by word, roles that
    nobody taught, words that cannot be read back, and four guided lessons. Ctrl-C ends it.
    """
    from hebbsim.errors import HebbsimError

    if export is None and importlib.util.find_spec("bokeh") is None:
        raise HebbsimError("bokeh is not installed: pip install 'hebbsim[demo]'")
    from hebbsim.demo.room import Room
    from hebbsim.readers import load_corpus

    if rules:
        from hebbsim.engine import load_rules

        load_rules(rules)
    loaded = load_corpus(corpus, offline=offline)
    for note in loaded.notes:
        typer.echo(f"Note: {note}", err=True)
    room = Room(loaded, clusters=clusters)
    if export is not None:
        from hebbsim.cli.carry_out import progress
        from hebbsim.demo.export import write_page

        with progress() as report:
            path = write_page(room, export, bigru=bigru, progress=report, overwrite=overwrite)
        typer.echo(f"{path}: open it in a browser; it needs nothing else")
        return
    _serve(room, port, browser=browser, bigru=bigru)


def _serve(room: Room, port: int | None, *, browser: bool, bigru: bool) -> None:
    import threading

    from hebbsim.demo.server import HOST, make_server
    from hebbsim.errors import BadInputError

    try:
        server = make_server(room, PORT if port is None else port)
    except BadInputError:
        if port is not None:
            raise
        server = make_server(room, 0)
    url = f"http://{HOST}:{server.port}/"

    def learn() -> None:
        with contextlib.suppress(Exception):  # the page says what went wrong
            room.prepare()
            room.warm(bigru=bigru)

    threading.Thread(target=learn, daemon=True).start()
    server.start()
    typer.echo(url)
    sys.stdout.flush()
    if sys.stderr.isatty():
        typer.echo("Ctrl-C ends it.", err=True)
    if browser:
        server.io_loop.add_callback(server.show, "/")
    # Ctrl-C is how a class ends: no failure.
    with contextlib.suppress(KeyboardInterrupt):
        server.io_loop.start()
    server.stop()
