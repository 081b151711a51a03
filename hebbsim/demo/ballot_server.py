"""A ballot for phones on the same network: letters come in, counts go out, and nothing else."""

from __future__ import annotations

import secrets
import socket
from importlib import resources
from typing import Any

import segno
from tornado.httpserver import HTTPServer
from tornado.web import Application, HTTPError, RequestHandler

from hebbsim.demo.ballot import Ballot
from hebbsim.errors import BadInputError

__all__ = ["BallotServer", "code_of"]

#: Bytes of a request, at most.
_MOST_BYTES = 64
_COOKIE = "voter"


class BallotServer:
    """Serves a `Ballot`, and only it, to the network that this machine is in.

    Parameters
    ----------
    ballot : Ballot
    host : str, optional
        Address to listen at; by default that by which other machines reach this one.
    port : int
        0 for any free one.

    Attributes
    ----------
    url : str
        What phones open. Its last part is drawn at random: nobody finds it who does not see it.

    Raises
    ------
    BadInputError
        There is no network, or the port is taken.
    """

    def __init__(self, ballot: Ballot, host: str | None = None, port: int = 0) -> None:
        host = host or _own_address()
        code = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(6))
        shared = {"ballot": ballot}
        application = Application(
            [
                (f"/{code}", _Page),
                (f"/{code}/state", _State, shared),
                (f"/{code}/vote", _Vote, shared),
            ],
            cookie_secret=secrets.token_hex(32),
        )
        self._server = HTTPServer(
            application, max_body_size=_MOST_BYTES, max_header_size=8192,
            idle_connection_timeout=30, body_timeout=5,
        )  # fmt: skip
        try:
            with socket.socket() as found:
                found.bind((host, port))
                port = found.getsockname()[1]
            self._server.listen(port, address=host)
        except OSError as error:
            raise BadInputError(
                f"--class: phones cannot be served at {host}:{port} ({error.strerror})"
            ) from None
        self.url = f"http://{host}:{port}/{code}"

    def stop(self) -> None:
        """Serve no more."""
        self._server.stop()


def code_of(url: str) -> list[str]:
    """The QR code of an address, without its margin: a row of 0 (light) and 1 (dark) a string.

    Examples
    --------
    >>> code_of("http://192.168.1.23:40000/abc234")[0][:7]
    '1111111'
    """
    # What a hand before the screen hides, a phone makes up for.
    code = segno.make_qr(url, error="m")
    return ["".join(map(str, row)) for row in code.matrix]


def _own_address() -> str:
    """The address of this machine in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
        except OSError:
            raise BadInputError(
                "--class: this machine is in no network; connect it to that of the phones"
            ) from None
        address: str = probe.getsockname()[0]
        return address


class _Bounded(RequestHandler):
    def set_default_headers(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}\n")


class _Page(_Bounded):
    def get(self) -> None:
        self.set_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
            "connect-src 'self'",
        )
        page = resources.files("hebbsim.demo.page_files") / "ballot.html"
        self.finish(page.read_text(encoding="utf-8"))


class _State(_Bounded):
    def initialize(self, ballot: Ballot) -> None:
        self.ballot = ballot

    def voter(self) -> str:
        """The browser's id if it comes from this server; one without is sent one, and has none yet.

        Not sent with the page: a link from another site leads there without the cookie, and the
        browser that has an id would get a second one.
        """
        found = self.get_signed_cookie(_COOKIE)
        if found is None:
            self.set_signed_cookie(
                _COOKIE, secrets.token_hex(8), expires_days=None, httponly=True, samesite="Strict"
            )
            return ""
        return found.decode()

    def get(self) -> None:
        ballot, yours = self.ballot, self.ballot.letter_of(self.voter())
        asked = {"number": ballot.number, "options": ballot.n_options, "open": ballot.is_open}
        self.finish(asked | {"yours": yours})


class _Vote(_State):
    def get(self) -> None:
        raise HTTPError(405)

    def post(self) -> None:
        voter = self.voter()
        letter = self.request.body.decode("ascii", "replace")
        if not voter or not self.ballot.vote(voter, letter, self.request.remote_ip or ""):
            raise HTTPError(400)
        self.finish({"counted": letter})
