"""The live page: a Bokeh server on this machine alone carries messages to and fro."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jinja2
from bokeh.application import Application
from bokeh.application.application import SessionContext
from bokeh.application.handlers import FunctionHandler
from bokeh.core.properties import String
from bokeh.document import Document
from bokeh.model import DataModel
from bokeh.server.server import Server
from tornado.web import RequestHandler

from hebbsim.demo.hosts import check_hosts, guard
from hebbsim.demo.page import LIVE_POLICY, body, head
from hebbsim.demo.worker import WindowGone, Worker
from hebbsim.errors import BadInputError

if TYPE_CHECKING:
    from hebbsim.demo.room import Room

__all__ = ["HOST", "Wire", "make_server"]

#: Nothing outside this machine can reach the page.
HOST = "127.0.0.1"
#: Characters of a message from a page, at most; longer ones are not looked at.
LONGEST = 200_000

_TEMPLATE = """{% extends base %}
{% block postamble %}{{ page_head }}{% endblock %}
{% block contents %}<div hidden>{{ super() }}</div>{{ page_body }}{% endblock %}
"""


class Wire(DataModel):
    """What a page and the server hand each other: JSON, the latest message in each direction."""

    ask = String(default="")
    answer = String(default="")


def make_server(room: Room, port: int = 0, *, hosts: Sequence[str] = ()) -> Server:
    """A server of the page; `start` and its loop are left to the caller.

    Parameters
    ----------
    room : Room
        May be prepared later, in a thread.
    port : int
        0 for any free one.
    hosts : sequence of str
        Names, beside those of this machine, by which a browser may ask for the page.

    Raises
    ------
    BadInputError
        The port cannot be used, or a host is none.
    """
    boot = secrets.token_hex(4)
    port = port or _free_port()
    allowed = [f"{HOST}:{port}", f"localhost:{port}", *check_hosts(hosts)]
    fill = partial(_fill, room, allowed)
    application = Application(FunctionHandler(fill, trap_exceptions=True))
    try:
        server = Server(
            {"/": application},
            address=HOST,
            port=port,
            allow_websocket_origin=allowed,
            extra_patterns=[(r"/alive", _Alive, {"boot": boot})],
            check_unused_sessions_milliseconds=2000,
            unused_session_lifetime_milliseconds=6000,
        )
    except OSError as error:
        raise BadInputError(
            f"--port: {port} cannot be used ({error.strerror}); choose another one, or 0 for any"
        ) from None
    guard(server._tornado, allowed)
    return server


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        number: int = found.getsockname()[1]
        return number


class _Alive(RequestHandler):
    """Tells a page that the server is there, and which start of it this is."""

    def initialize(self, boot: str) -> None:
        self.boot = boot

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({"boot": self.boot})


def _fill(room: Room, hosts: list[str], document: Document) -> None:
    """One window: its wire and its worker."""
    wire = Wire(name="wire")
    document.add_root(wire)
    document.title = "hebbsim: a memory that fades"
    document.template = jinja2.Environment(autoescape=False).from_string(_TEMPLATE)
    document.template_variables["page_head"] = head(LIVE_POLICY)
    document.template_variables["page_body"] = body({"mode": "live", "hosts": hosts})
    # The page itself says when the server is gone, and comes back with its state.
    document.config.reconnect_session = False
    document.config.notify_connection_status = False
    worker: list[Worker] = []
    sender = _sender(document, wire)

    def asked(attribute: str, old: str, new: str) -> None:
        message = _parse(new)
        if message is None:
            return
        if not worker:  # a page that never says a word, such as a crawl, needs no thread
            worker.append(Worker(room, sender))
        worker[0].ask(message)

    wire.on_change("ask", asked)

    def closed(context: SessionContext) -> None:
        for found in worker:
            found.close()

    document.on_session_destroyed(closed)


def _parse(text: str) -> dict[str, Any] | None:
    if len(text) > LONGEST:
        return None
    try:
        message = json.loads(text)
    except (RecursionError, ValueError):
        return None
    return message if isinstance(message, dict) else None


def _sender(document: Document, wire: Wire) -> Callable[[dict[str, Any]], None]:
    number = 0

    def send(answer: dict[str, Any]) -> None:
        nonlocal number
        number += 1
        # Equal answers in a row would be no change, and no message.
        text = json.dumps({**answer, "serial": number}, ensure_ascii=False, separators=(",", ":"))

        def put() -> None:
            wire.update(answer=text)

        context = document.session_context
        if context is None or context.destroyed:
            raise WindowGone
        try:
            document.add_next_tick_callback(put)
        except AttributeError:  # destroyed just now, as a window may be at any time
            raise WindowGone from None

    return send
