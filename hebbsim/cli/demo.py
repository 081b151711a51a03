"""`hebbsim demo`."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hebbsim.demo.config import DemoConfig
    from hebbsim.demo.room import Room


def demo(ctx: typer.Context) -> None:
    """Demonstrate in a browser what a fading memory keeps.

    The page, served on this machine only, shows a sentence word by word, roles learned without
    labels, words that can no longer be read back, and guided lessons. Ctrl-C stops it.
    """
    from hebbsim.errors import LibraryMissingError

    config: DemoConfig = ctx.obj
    if config.export is None:
        for library in ["bokeh", "segno"] if config.votes else ["bokeh"]:
            if importlib.util.find_spec(library) is None:
                raise LibraryMissingError(library, "demo")
    from hebbsim.demo.room import Room
    from hebbsim.readers import load_corpus

    loaded = load_corpus(config.corpus, offline=config.offline)
    for note in loaded.notes:
        typer.echo(f"Note: {note}", err=True)
    room = Room(loaded, clusters=config.clusters)
    if config.export is not None:
        from hebbsim.cli.run_command import progress
        from hebbsim.demo.export import write_page

        with progress() as report:
            path = write_page(
                room, config.export, bigru=config.bigru, progress=report,
                overwrite=config.overwrite,
            )  # fmt: skip
        typer.echo(f"{path}: open it in a browser; it needs nothing else")
        return
    _serve(room, config)


def _serve(room: Room, config: DemoConfig) -> None:
    """Serve the page until Ctrl-C."""
    import threading

    from hebbsim.demo.config import PORT
    from hebbsim.demo.hosts import check_hosts
    from hebbsim.demo.server import HOST, make_server
    from hebbsim.errors import BadInputError

    port, hosts = config.port, config.allow_host
    check_hosts(hosts)
    try:
        server = make_server(room, PORT if port is None else port, hosts=hosts)
    except BadInputError:
        if port is not None:
            raise
        server = make_server(room, 0, hosts=hosts)
    if config.votes:
        from hebbsim.demo.ballot import Ballot
        from hebbsim.demo.ballot_server import BallotServer, code_of

        room.ballot = Ballot()
        room.ballot_url = BallotServer(room.ballot).url
        room.ballot_code = code_of(room.ballot_url)

    def learn() -> None:
        with contextlib.suppress(Exception):  # the page shows the error
            room.prepare()
            room.warm(bigru=config.bigru)

    threading.Thread(target=learn, daemon=True).start()
    server.start()
    typer.echo(f"http://{HOST}:{server.port}/")
    sys.stdout.flush()
    if sys.stderr.isatty():
        typer.echo("Ctrl-C ends it.", err=True)
    if config.browser:
        server.io_loop.add_callback(server.show, "/")
    # Ctrl-C is the normal way to stop, not a failure.
    with contextlib.suppress(KeyboardInterrupt):
        server.io_loop.start()
    server.stop()
