"""A class votes: the code on the screen leads phones to the ballot, and the page counts them."""

from io import BytesIO
from urllib.parse import urlsplit

import browsing
import pytest
from browsing import PATIENCE, PROJECTOR, window
from PIL import Image
from test_demo_ballot import joined, served, vote
from test_demo_lessons import sees_every_option, violations, within

from hebbsim.demo.ballot_server import code_of
from hebbsim.demo.page import lessons

zxingcpp = pytest.importorskip("zxingcpp", reason="zxing-cpp is not installed")

pytestmark = browsing.needs_browser
# Fixtures of pytest go by the name that a module gives them.
room, address, browser, served = browsing.room, browsing.address, browsing.browser, served


@pytest.fixture(scope="module")
def ballot_url(room, served):
    room.ballot, room.ballot_url = served[0], served[1].geturl()
    room.ballot_code = code_of(room.ballot_url)
    return room.ballot_url


def read_code(w):
    """What a camera that looks at the whole screen reads."""
    found = zxingcpp.read_barcodes(Image.open(BytesIO(w.page.screenshot())))
    return [code.text for code in found]


@pytest.fixture(params=[PROJECTOR, browsing.PHONE], ids=["projector", "phone"])
def lesson(browser, address, ballot_url, request):
    with window(browser, address, request.param) as found:
        found.page.keyboard.press("1")
        found.settle()
        yield found


def test_the_code_on_the_screen_leads_to_the_ballot(lesson, ballot_url):
    w = lesson
    assert read_code(w) == []
    w.page.click("#lesson .ballot")
    assert read_code(w) == [ballot_url]
    assert w.page.inner_text("#vote-url") == ballot_url.removeprefix("http://")
    code, dialog = (w.page.locator(part).bounding_box() for part in ("#vote-code", "#vote"))
    width, height = w.page.viewport_size.values()
    # Seen from the back: over two thirds of a projector's height.
    assert code["width"] == code["height"] > (0.7 * height if width > height else 0.8 * width)
    assert dialog["x"] >= 0 and dialog["x"] + dialog["width"] <= width
    assert dialog["y"] >= 0 and dialog["y"] + dialog["height"] <= height
    assert violations(w) == []
    w.page.keyboard.press("r")  # keys belong to what is open
    w.page.keyboard.press("Escape")
    assert w.page.locator("#lesson .reveal").count() == 0
    w.page.keyboard.press("v")
    assert read_code(w) == [ballot_url]


def test_votes_leave_room_for_every_option(browser, address, ballot_url):
    with window(browser, address) as w:
        for number, lesson in enumerate(lessons(), 1):
            w.page.keyboard.press(str(number))
            for step in lesson["steps"]:
                w.settle()
                w.page.wait_for_selector("[data-key=reveal]:enabled")
                assert sees_every_option(w), step["title"]
                w.page.keyboard.press("n")


def test_a_phone_that_opens_it_is_counted_before_the_reveal(lesson, browser, ballot_url):
    w = lesson
    w.page.keyboard.press("v")
    context = browser.new_context(viewport={"width": 390, "height": 844})
    phone = context.new_page()
    phone.set_default_timeout(PATIENCE)
    phone.goto(ballot_url)
    phone.wait_for_selector("#options button:enabled")
    assert phone.locator("#options button").all_inner_texts() == list("ABCD")
    phone.click("#options button >> nth=1")
    phone.wait_for_selector("#options button[aria-pressed=true]")
    phone.reload()  # as phones do by themselves
    phone.wait_for_selector("#options button[aria-pressed=true] >> text=B")
    assert "You chose B. You can change it" in phone.inner_text("#said")
    w.page.wait_for_function("document.querySelector('#vote-count').innerText === '1 vote so far'")
    # Deleted cookies give new votes, and the teacher sees that they come from one address.
    assert w.page.locator("#lesson .from").count() == 0
    for _ in range(2):
        assert vote(urlsplit(ballot_url), "D", joined(urlsplit(ballot_url))) == 200
    told = "3 votes so far, from 1 network address"
    w.page.wait_for_function("t => document.querySelector('#vote-count').innerText === t", arg=told)
    w.page.keyboard.press("Escape")
    assert w.page.locator("#lesson .votes").all_inner_texts() == ["0", "1", "0", "2"]
    assert w.page.inner_text("#lesson .from") == "3 votes from 1 network address"
    assert sees_every_option(w)
    w.page.wait_for_selector("[data-key=reveal]:enabled")
    w.page.keyboard.press("r")
    phone.wait_for_selector("#options button:disabled")
    assert "You chose B. Voting is closed" in phone.inner_text("#said")
    # The class sees what everybody said, wrong answers too.
    told = w.page.locator("#lesson .tally span")
    assert told.all_inner_texts() == ["A 0", "B 1", "C 0", "D 2"]
    assert within(w, "#lesson .tally") and within(w, "#lesson .reveal")
    # The next question has three answers: no letter has half of the screen to itself for nothing.
    w.page.keyboard.press("n")
    w.page.keyboard.press("n")
    phone.wait_for_selector("#options button:nth-child(3):last-child:enabled")
    boxes = phone.eval_on_selector_all(
        "#options button", "all => all.map((e) => e.getBoundingClientRect().toJSON())"
    )
    assert boxes[0]["width"] < 200 and boxes[2]["width"] > 300
    assert max(box["bottom"] for box in boxes) <= 844
    # Explore asks nothing, and phones are told.
    w.page.keyboard.press("0")
    phone.wait_for_selector("#options button:disabled")
    assert "Voting is closed" in phone.inner_text("#said")
    context.close()


def test_a_browser_has_one_vote_in_all_its_windows_however_they_were_opened(
    browser, ballot_url, served
):
    ballot = served[0]
    ballot.open(2)
    context = browser.new_context()
    pressed = "#options button[aria-pressed=true]"

    def opened(link=None):
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if link is None:
            page.goto(ballot_url)
        else:  # as in a message that somebody sends round
            page.route(link, lambda route: route.fulfill(
                content_type="text/html", body=f"<a href={ballot_url}>vote</a>"))  # fmt: skip
            page.goto(link)
            page.click("a")
        page.wait_for_selector("#options button:enabled")
        return page

    one = opened()
    one.click("#options button >> nth=0")
    one.wait_for_selector(f"{pressed} >> text=A")
    two = opened("https://messages.example.org/")
    two.wait_for_selector(f"{pressed} >> text=A")
    two.click("#options button >> nth=1")
    two.wait_for_selector(f"{pressed} >> text=B")
    one.wait_for_selector(f"{pressed} >> text=B")  # no window says what is not so
    assert ballot.counts == [0, 1]
    context.close()
    # Another browser has a vote of its own.
    context = browser.new_context()
    opened().click("#options button >> nth=0")
    context.pages[0].wait_for_selector(f"{pressed} >> text=A")
    assert ballot.counts == [1, 1]
    context.close()


def test_a_phone_without_its_computer_is_told(browser, ballot_url):
    context = browser.new_context(viewport={"width": 360, "height": 640})
    phone = context.new_page()
    phone.goto(ballot_url)
    phone.wait_for_selector("#options button")
    context.set_offline(True)
    phone.wait_for_selector("#said:has-text('does not answer')")
    context.set_offline(False)
    phone.wait_for_selector("#said:not(:has-text('does not answer'))")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_without_votes_nothing_speaks_of_them(browser, address, room):
    room.ballot = room.ballot_url = None
    with window(browser, address) as w:
        w.page.keyboard.press("1")
        w.page.keyboard.press("v")
        assert w.page.locator("#lesson .ballot").count() == 0 and w.page.is_hidden("#vote")
        w.page.keyboard.press("?")
        assert "phone" not in w.page.inner_text("#help")
