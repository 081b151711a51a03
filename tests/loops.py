"""Servers in a thread of their own, for tests that talk to them."""

import asyncio
import threading
from contextlib import contextmanager

from tornado.ioloop import IOLoop


@contextmanager
def in_a_thread(make, stop):
    """Run the server that `make` gives until the test is done with it; yields the server."""
    ready, held = threading.Event(), {}

    def run():
        asyncio.set_event_loop(asyncio.new_event_loop())
        held["server"] = server = make()
        held["loop"] = loop = IOLoop.current()
        loop.add_callback(ready.set)
        loop.start()
        stop(server)
        loop.close(all_fds=True)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield held["server"]
    finally:
        held["loop"].add_callback(held["loop"].stop)
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def page_server(room, port=0, **options):
    """A server of the page in a thread."""
    from hebbsim.demo.server import make_server

    def make():
        server = make_server(room, port, **options)
        server.start()
        return server

    def stop(server):
        server.stop()
        server.unlisten()

    with in_a_thread(make, stop) as server:
        yield server
