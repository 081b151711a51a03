"""Names by which a browser may ask for the page: any other is refused.

A page on the internet can have its own name lead to this machine once it is open (DNS
rebinding). Its requests then say that name as their host, and are answered by nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from hebbsim.errors import BadInputError

__all__ = ["check_hosts", "guard"]

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


def check_hosts(hosts: Sequence[str]) -> list[str]:
    """Hosts as ``--allow-host`` gives them, in lower case.

    Raises
    ------
    BadInputError
        An address or a pattern in place of a name.

    Examples
    --------
    >>> check_hosts(["Class.example.org", "localhost:8080"])
    ['class.example.org', 'localhost:8080']
    """
    found = [host.lower() for host in hosts]
    for host in found:
        if not _NAME.fullmatch(host):
            raise BadInputError(
                f"--allow-host: {host!r} is not a host; give its name alone, "
                "such as class.example.org or class.example.org:8443"
            )
    return found


def guard(application: Application, hosts: Sequence[str]) -> None:
    """Have an application refuse every request for another host, websockets as well.

    Parameters
    ----------
    application : tornado.web.Application
    hosts : sequence of str
        In lower case, with the port unless it is the usual one.
    """

    def find_handler(request: HTTPServerRequest, **kwargs: Any) -> Any:
        host = request.host.lower()
        if host in hosts:
            return found(request, **kwargs)
        return application.get_handler_delegate(request, _Refused)

    found = application.find_handler
    application.find_handler = find_handler  # type: ignore[method-assign]


class _Refused(RequestHandler):
    def prepare(self) -> None:
        host = self.request.host.lower()
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        line = f"This page is served to this computer alone, and was asked for as {host[:200]!r}."
        if _NAME.fullmatch(host):
            line += f"\nIf it is behind a proxy, start it by: hebbsim demo --allow-host {host}"
        self.finish(line + "\n")
