"""A page of `hebbsim demo` in a real browser: Debian's chromium, driven by playwright.

Fixtures for the modules that import them; each has a browser of its own, and a room of its own
in which all that was learned is that of the first.
"""

import os
import shutil
from contextlib import contextmanager
from copy import copy
from functools import cache
from urllib.parse import urlsplit

import pytest

from hebbsim.demo.room import Room
from hebbsim.readers.grammar import make_builtin

pytest.importorskip("bokeh", reason="the extra demo is not installed")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("HEBBSIM_CHROMIUM") or shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

#: Milliseconds that a machine busy with other things may take.
PATIENCE = 180_000
PROJECTOR, LARGE, PHONE = (1280, 720), (1920, 1080), (390, 844)
TABS = (
    "survival", "prototypes", "weights", "learning", "numbers", "follow", "swap", "selection"
)  # fmt: skip
SENTENCE = "the captain was sending a short poem to chloe ."

#: How many pixels of a panel are out of sight; a phone is scrolled.
OVERFLOW = """() => {
  const panel = document.querySelector('#panel');
  return innerWidth < 1000 ? 0 : panel.scrollHeight - panel.clientHeight;
}"""


@cache
def learned_room():
    room = Room(make_builtin(n_train=600, n_dev=80, n_test=80, n_gen=0), clusters=50)
    room.prepare()
    return room


@pytest.fixture(scope="module")
def room():
    return copy(learned_room())


@contextmanager
def serving(room, port=0):
    """A server in a thread; its address."""
    from loops import page_server

    with page_server(room, port) as server:
        yield f"http://127.0.0.1:{server.port}/"


@pytest.fixture(scope="module")
def address(room):
    with serving(room) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Window:
    """A page with every foreign request blocked, and all that goes wrong in it kept."""

    def __init__(self, browser, url, size=PROJECTOR, **options):
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **options
        )
        self.foreign, self.errors = [], []
        self.context.route("**/*", self._route)
        self.page = page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.goto(url)
        self.settle()

    def _route(self, route):
        url = urlsplit(route.request.url)
        if url.scheme in ("data", "file") or url.hostname == "127.0.0.1":
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def settle(self):
        """Wait for the answers to what was asked last."""
        self.page.wait_for_function(
            "window.hebbsim && hebbsim.state.reading && !hebbsim.state.pending.reading"
            " && !hebbsim.state.pending.survival"
        )

    def state(self, name):
        return self.page.evaluate(f"hebbsim.state.{name}")

    def at(self, t):
        """Stop at a word."""
        self.page.evaluate("t => { hebbsim.play(false); hebbsim.go(t); }", t)

    def explore(self, text):
        """Read a sentence outside the lessons, with the settings of the start."""
        self.page.keyboard.press("0")
        self.page.click("#reset")
        self.read(text)

    def read(self, text):
        self.page.fill("#text", text)
        self.page.click("#read")
        self.settle()

    @contextmanager
    def sized(self, size):
        """The page in a window of another size."""
        before = self.page.viewport_size
        for one in ({"width": size[0], "height": size[1]}, before):
            self.page.set_viewport_size(one)
            self.page.wait_for_function("([w]) => innerWidth === w", arg=[one["width"]])
            self.page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))")
            if one is not before:
                yield

    def set_range(self, selector, value):
        self.page.eval_on_selector(
            selector,
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true}));"
            " e.dispatchEvent(new Event('change', {bubbles: true})); }",
            value,
        )
        self.settle()

    def close(self):
        self.context.close()
        assert self.foreign == [] and self.errors == []


@contextmanager
def window(browser, url, size=PROJECTOR, **options):
    found = Window(browser, url, size, **options)
    yield found
    found.close()


@pytest.fixture(scope="module", params=[PROJECTOR, PHONE], ids=["projector", "phone"])
def shared(browser, address, request):
    """One page for many looks at it, each of which asks for the reading that it needs."""
    with window(browser, address, request.param) as found:
        yield found
