"""The page that `hebbsim show --html` writes, in a real browser: Debian's chromium."""

from __future__ import annotations

import os
import shutil

import pytest
import taggers

from hebbsim.tagging import RoleTagger
from hebbsim.tagging.portrait import cluster_portraits, html_page

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("HEBBSIM_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

#: Milliseconds that a machine busy with other things may take.
PATIENCE = 60_000
SIZES = {"projector": (1280, 720), "phone": (390, 844)}
#: Longer than a phone is wide.
LONG = "donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 2


@pytest.fixture(scope="module")
def tagger():
    """A small one that knows a very long word, a very long role, and one that is markup."""
    words = {"dog": LONG, "bird": "<b>&amp;"}
    sentences = [[words.get(word, word) for word in s] for s in taggers.SENTENCES]
    roles = ["A_ROLE_WITH_A_VERY_LONG_NAME_" * 3 if r == "OBJ" else r for r in taggers.ROLES]
    return RoleTagger(taggers.small().fit(sentences), about=taggers.ABOUT).name(sentences, roles)


@pytest.fixture(scope="module")
def address(tagger, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(html_page(tagger), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=SIZES.values(), ids=SIZES)
def page(request, browser, address):
    """The page with no network; at the end, nothing was asked of it and nothing went wrong."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    errors, asked = [], []
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda m: errors.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    assert errors == [] and {url.partition("#")[0] for url in asked} == {address}
    context.close()


#: Elements that reach beyond the window, or whose text reaches beyond them.
TOO_WIDE = """() => [...document.querySelectorAll('body *')].filter(e => {
  const box = e.getBoundingClientRect();
  return box.right > innerWidth + 1 || box.left < -1 || e.scrollWidth > e.clientWidth + 1
    && getComputedStyle(e).display !== 'inline';
}).map(e => e.tagName + ': ' + e.textContent.slice(0, 40))"""


def test_nothing_is_wider_than_the_window_when_all_is_open(page):
    assert page.evaluate(TOO_WIDE) == []
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_link_leads_to_a_heading_of_the_page(page):
    links = page.locator("a")
    assert links.count() == 2
    for number in range(links.count()):
        page.evaluate("scrollTo(0, 0)")
        links.nth(number).click()
        target = page.locator(links.nth(number).get_attribute("href"))
        assert target.evaluate("e => e.matches('h2:target')")
        assert target.evaluate("e => e.getBoundingClientRect().top < innerHeight")


def test_what_a_cluster_listens_to_opens_by_a_finger_and_by_the_keyboard(page):
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = false)")
    first = page.locator("details").first
    first.locator("summary").click()
    assert first.evaluate("e => e.open") and first.locator("dl").is_visible()
    page.keyboard.press("Enter")
    assert not first.evaluate("e => e.open")
    assert first.locator("summary").bounding_box()["height"] >= 24


def test_what_is_shown_is_what_was_learned(page, tagger):
    shown = page.locator("article")
    clusters = cluster_portraits(tagger)
    assert shown.count() == len(clusters)
    for number, one in enumerate(clusters):
        assert shown.nth(number).locator("strong").inner_text() == f"Cluster {one.cluster}"
        assert shown.nth(number).locator(".words").inner_text() == " ".join(one.words)
