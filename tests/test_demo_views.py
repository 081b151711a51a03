"""What the page does with its numbers by itself, in a real browser."""

import itertools
import re
from urllib.parse import urlsplit

import browsing
import numpy as np
import pytest
from browsing import PROJECTOR, SENTENCE, serving, window

from hebbsim.probes.identity.states import round_bfloat16, round_int8

pytestmark = browsing.needs_browser
# Fixtures of pytest go by the name that a module gives them.
room, address, browser, shared = (
    browsing.room, browsing.address, browsing.browser, browsing.shared
)  # fmt: skip


@pytest.fixture
def explore(shared):
    """The shared page under Explore, with one sentence read to its end."""
    shared.explore(SENTENCE)
    shared.page.evaluate("document.activeElement.blur(); hebbsim.play(false); hebbsim.go(99)")
    return shared


def test_keys_on_a_timescale_change_that_one_alone(explore):
    w = explore
    w.page.focus("#tau0")
    for _ in range(8):
        w.page.keyboard.press("ArrowRight")
    w.settle()
    # It stops before its neighbour, and is still the one that has the focus.
    assert w.state("settings.timescales") == [7, 8, 32]
    assert w.page.evaluate("document.activeElement.id") == "tau0"
    assert w.page.input_value("#tau0") == "7"
    for name in ("tau1", "noise", "eta"):
        before = w.state("settings")
        w.page.focus(f"#{name}")
        w.page.keyboard.press("Tab")
        assert w.state("settings") == before


def test_bars_follow_what_is_dragged_before_the_server_knows(explore):
    w = explore
    moved = w.page.evaluate(
        """() => {
          const range = document.querySelector('#tau2'), seen = [];
          const asked = hebbsim.state.asked;
          for (const tau of [20, 12, 9]) {
            range.value = tau;
            range.dispatchEvent(new Event('input', {bubbles: true}));
            const bars = [...document.querySelectorAll('#score .bar')].slice(-11);
            seen.push([tau, parseFloat(bars.at(-1).querySelector('i').style.height),
              bars.at(-1).clientHeight, bars[0].parentElement.innerText]);
          }
          window.dragged = range;
          window.pale = [];
          const look = () => window.pale.push([document.body.classList.contains('busy'),
            hebbsim.state.reading.settings.timescales[2]]);
          new MutationObserver(look).observe(document.body, {attributes: true});
          return {seen, asked: hebbsim.state.asked - asked};
        }"""
    )
    assert moved["asked"] == 0  # all of it is the page's own
    for tau, height, full, label in moved["seen"]:
        assert abs(height - full / tau) < 1
        assert w.page.viewport_size["width"] < 999 or f"timescale {tau}" in label
    # What needs the server follows, although the slider has not been let go.
    w.page.wait_for_function("hebbsim.state.reading.settings.timescales[2] === 9")
    # What was there before was pale meanwhile.
    assert w.page.evaluate("window.pale[0]") == [True, 32]
    # What is under the pointer is still there.
    assert w.page.evaluate("window.dragged.isConnected")
    w.set_range("#tau2", 32)
    assert w.state("reading.settings.timescales") == [2, 8, 32]
    w.page.wait_for_function("!document.body.classList.contains('busy')")


def test_what_a_lesson_sets_stays_in_the_lesson(explore):
    w = explore
    w.set_range("#noise", 3)
    w.page.click("#tab-numbers")
    before = w.state("settings"), w.state("request"), w.state("tab")
    w.page.keyboard.press("4")
    w.settle()
    w.page.keyboard.press("n")
    w.settle()
    assert w.state("settings.noise") == 0
    w.page.keyboard.press("0")
    w.settle()
    assert (w.state("settings"), w.state("request"), w.state("tab")) == before
    assert w.state("reading.settings.noise") == before[0]["noise"] == 3
    w.page.click("#reset")
    w.settle()
    assert w.state("settings.noise") == 0 and w.state("request") == {"example": 0}
    assert w.state("tab") == "survival" and w.page.input_value("#noise") == "0"


def test_a_rule_starts_at_its_own_rate(explore):
    w = explore
    for rule, eta in (("bcm", 0.001), ("hebb", 0.0001), ("delta", 0.01)):
        w.page.select_option("#rule", rule)
        w.settle()
        assert w.state("reading.settings.eta") == eta
        assert w.state("reading.weights.error") is None
        assert str(eta) in w.page.locator("#memory output[for=eta]").inner_text()


def test_unknown_words_are_counted_and_their_roles_marked(explore):
    w = explore
    assert w.page.is_hidden("#note")
    w.read("the florp gave the wug a blick .")
    w.at(99)
    assert "3 of 8 words unknown" in w.page.inner_text("#note")
    guesses = w.page.locator("#score .role.guess")
    assert guesses.count() == 3
    columns = w.page.eval_on_selector_all(
        "#score .role.guess", "all => all.map((e) => Number(e.closest('.cell').dataset.column))"
    )
    assert columns == [1, 4, 6] and w.page.locator("#score .word.unknown").count() == 3


def test_a_number_is_followed_into_a_trace_and_out_again(explore):
    w = explore
    page = w.page
    page.evaluate(
        "document.querySelectorAll('#score .bar:not(.rest)')[5].click()"
    )  # "short" in the fast trace
    assert w.state("tab") == "follow"
    said = page.inner_text("#panel .words")
    n = len(SENTENCE.split())
    shares = [100 * 0.5 ** (k + 1) for k in range(n - 5)]
    told = [float(x) for x in re.findall(r"([\d.]+) %", said.split("Each")[0])]
    assert told == pytest.approx(shares, abs=0.5)
    # The words come out in the order that the clever reader finds; nothing is lost.
    for k in range(1, 5):
        page.click("#pour")
        read = page.locator("#panel .poured").all_inner_texts()
        assert [word.split()[1] for word in read] == SENTENCE.split()[::-1][:k]
        assert "none to be seen" in page.inner_text("#panel .words")
    page.click("#unpour")
    assert page.locator("#panel .poured").count() == 3
    # With noise the error doubles with each word, until nothing is left of the trace.
    w.set_range("#noise", 4)
    page.evaluate("hebbsim.go(99)")
    errors = []
    for _ in range(6):
        page.click("#pour")
        said = page.inner_text("#panel .words")
        errors.append(float(re.search(r"Error in what is left: ([\d.]+) %", said)[1]))
    right = [text[0] == "✓" for text in page.locator("#panel .poured").all_inner_texts()]
    alike = right.index(False) if False in right else 6
    for a, b in itertools.pairwise(errors[:alike]):
        assert 1.3 * a < b < 3 * a  # the trace beneath differs in size from word to word
    assert errors[-1] > 100 and "has lost the words before" in said


def test_swapped_words_are_one_bag_and_two_traces(explore):
    w = explore
    w.read("the sailor chased the captain .")
    w.page.click("#tab-swap")
    w.page.wait_for_function("document.querySelectorAll('#panel .swap .role').length === 4")
    rows = w.page.locator("#panel .swap > b").all_inner_texts()
    assert rows[0] == "the same"
    differs = [float(row.split(" %")[0]) for row in rows[1:]]
    # The faster the trace, the more it tells which word was later.
    assert differs == sorted(differs, reverse=True) and differs[-1] > 1 and differs[0] > 25
    lines = w.page.locator("#panel .line-of-words").all()
    words = [line.locator("b").all_inner_texts() for line in lines]
    assert words[1] == "the captain chased the sailor .".split()
    roles = w.state("reading.roles.at(-1)")
    assert lines[0].locator(".role").all_inner_texts() == [roles[1], roles[4]]
    # What is swapped is never a word with itself, and a guessed role is marked as above.
    w.read("emma visited emma .")
    words = [line.locator("b").all_inner_texts() for line in lines]
    assert words[0] != words[1] and sorted(words[0]) == sorted(words[1])
    w.read("florp saw wug .")
    w.page.wait_for_function("document.querySelectorAll('#panel .swap .role').length === 4")
    assert w.page.locator("#panel .swap .role.guess").count() == 4
    w.read("a a")
    assert "two different words" in w.page.inner_text("#panel")
    w.page.click("#panel button")
    w.settle()
    assert w.state("reading.words") == "the sailor chased the captain .".split()


def test_a_gated_trace_keeps_what_it_chose(explore):
    w = explore
    w.page.click("#tab-selection")
    t, places = w.state("t"), w.state("reading.places.at(-1)")
    assert t == len(SENTENCE.split()) - 1
    full = w.page.eval_on_selector("#score .bar", "e => e.clientHeight")
    rows = w.page.evaluate(
        "hebbsim.score.rows.gated.map((e) => e.querySelector('i').getBoundingClientRect().height)"
    )
    assert [j for j, height in enumerate(rows) if abs(height - full) < 1] == sorted(
        place for place in places if place >= 0
    )
    assert all(height < 1 for j, height in enumerate(rows) if j not in places)
    assert w.page.locator("#panel .slots .role").count() == 3
    # It has the scale and the noise of the others: a row holds one code, whose size is 1.
    gated = (
        "hebbsim.score.rows.gated.map((e) => [e.classList.contains('cut'),"
        " parseFloat(getComputedStyle(e, '::before').height)])"
    )
    w.set_range("#noise", 4)
    w.page.evaluate("hebbsim.go(99)")
    floors = [floor for _, floor in w.page.evaluate(gated)]
    full = w.page.eval_on_selector("#score .bar", "e => e.clientHeight")
    assert floors == pytest.approx([0.1 * full] * len(floors), abs=0.5)
    w.page.click("[data-zoom='10']")
    cut = [j for j, (cut, _) in enumerate(w.page.evaluate(gated)) if cut]
    assert cut == sorted(place for place in w.state("reading.places.at(-1)") if place >= 0)
    # And the steps of its number format: those between the numbers that codes are rounded to.
    w.set_range("#noise", 0)
    codes = w.page.evaluate("Object.values(hebbsim.state.reading.states.codes).map((c) => [...c])")
    for precision in ("int8", "bfloat16"):
        w.page.check(f"#bits-{precision}")
        w.settle()
        step, lined = w.page.evaluate(
            "() => { const cell = hebbsim.score.rows.gated[0];"
            " return [parseFloat(cell.style.getPropertyValue('--step')) / cell.clientHeight / 10,"
            " cell.classList.contains('stepped')]; }"
        )
        exact = np.array(codes, dtype=np.float32)
        # The scale of eight bits is that of all codes, the largest number of which may be larger.
        peak = np.full((1, 1), w.state("reading.code_peak") / 8, dtype=np.float32)
        held = round_int8(exact, peak) if precision == "int8" else round_bfloat16(exact)
        assert peak >= np.abs(exact).max()
        # Rounding to steps of one size leaves errors of this root mean square.
        off = np.sqrt(((held - exact) ** 2).mean()) * np.sqrt(12) * 8
        assert step == pytest.approx(off, rel=0.1 if precision == "int8" else 0.5)
        assert lined == (precision == "int8")
    w.page.check("#bits-float32")
    w.settle()
    w.page.click("[data-zoom='1']")


def test_a_bar_that_is_pressed_is_followed_where_it_can_be_seen(explore):
    w = explore
    w.page.evaluate("scrollTo(0, 0)")
    w.page.locator("#score .bar:not(.rest)").nth(9).click(force=True)
    top, bottom, play = w.page.evaluate(
        "['#panels', '#panel', '#play'].map((part) => document.querySelector(part)"
        ".getBoundingClientRect()).map((box, i) => i % 2 ? box.bottom : box.top)"
    )
    assert top >= 0 and bottom <= (play if play > top else w.page.viewport_size["height"])
    # Nothing invites a press that does nothing.
    w.page.click("#tab-selection")
    cursors = w.page.evaluate(
        "['trace0', 'gated'].map((row) => getComputedStyle(hebbsim.score.rows[row][0]).cursor)"
    )
    assert cursors == ["pointer", "auto"]


def test_what_is_being_measured_anew_is_pale(explore):
    w = explore
    w.page.click("#tab-survival")
    pale = "[hebbsim.state.pending.reading, getComputedStyle(Heb.$('panel')).opacity]"
    assert w.page.evaluate(pale) == [False, "1"]
    w.page.evaluate(
        f"""() => {{
          window.pale = [];
          new MutationObserver(() => window.pale.push({pale}))
            .observe(document.body, {{attributes: true}});
        }}"""
    )
    w.set_range("#noise", 5)
    # The reading is there before what survives in many sentences is measured.
    assert [False, "0.4"] in w.page.evaluate("window.pale")
    w.page.wait_for_function("window.pale.at(-1)[1] === '1'")
    assert w.state("survival.settings.noise") == 30


def test_views_light_up_together(explore):
    w = explore
    w.page.click("#tab-prototypes")
    last = w.state("t")
    assert w.page.locator("#panel .lit").count() == 0
    # From the word to its prototype ...
    w.page.locator("#score .word button").nth(last).hover()
    assert w.page.locator("#panel .proto.winner.lit").count() == 1
    # ... and back.
    w.page.locator("#panel .proto.winner").hover()
    lit = w.page.eval_on_selector_all(
        "#score .word.lit", "all => all.map((e) => Number(e.dataset.column))"
    )
    winner = w.state("reading.winners.at(-1)[0][0]")
    assert lit == [j for j in range(last + 1) if w.state(f"reading.winners[{j}][0][0]") == winner]
    w.page.click("#tab-weights")
    group = w.state("reading.weights.groups[1]")
    w.page.locator("#score .word button").nth(1).hover()
    heads = w.page.eval_on_selector_all(
        "#panel text.lit", "all => all.map((e) => Number(e.dataset.group))"
    )
    assert set(heads) == {group} and len(heads) == 4  # a row, and a column of each trace
    w.page.locator(f"#panel text.head[data-group='{group}']").first.hover()
    lit = w.page.eval_on_selector_all(
        "#score .word.lit", "all => all.map((e) => Number(e.dataset.column))"
    )
    groups = w.state("reading.weights.groups")
    assert lit == [j for j, g in enumerate(groups) if g == group]


def test_the_address_is_the_state(browser, address):
    with window(browser, address) as w:
        w.read(SENTENCE)
        w.set_range("#noise", 4)
        w.page.evaluate("document.activeElement.blur(); hebbsim.play(false)")
        w.page.click("#tab-numbers")
        w.page.wait_for_function("location.hash.includes('tab=numbers')")
        w.page.click("[data-zoom='10']")
        w.page.wait_for_function("location.hash.includes('zoom=10')")
        w.page.keyboard.press("Home")
        w.page.keyboard.press("ArrowRight")
        w.page.wait_for_function(
            "['at=1&', 'zoom=10', 'tab=numbers'].every((part) => location.hash.includes(part))"
        )
        link = w.page.url
        w.page.keyboard.press("3")
        w.page.keyboard.press("n")
        w.page.wait_for_function("location.hash.includes('lesson=3')")
        lesson = w.page.url
        w.page.keyboard.press("0")
        w.settle()
        w.page.keyboard.press("End")
        w.page.locator("#score .bar:not(.rest)").nth(12).click(force=True)
        w.page.click("#pour")
        w.page.wait_for_function("location.hash.includes('follow=1%2C2%2C1')")
        followed, said = w.page.url, w.page.inner_text("#panel")
    with window(browser, link) as w:
        assert w.state("reading.words") == SENTENCE.split() and w.state("t") == 1
        assert w.state("reading.settings.noise") == 10 and w.state("tab") == "numbers"
        assert w.page.get_attribute("[data-zoom='10']", "aria-pressed") == "true"
        w.page.evaluate("hash => { location.hash = hash; }", urlsplit(lesson).fragment)
        w.page.wait_for_selector("#lesson h2")
        w.settle()
        assert "step 2 of" in w.page.inner_text("#lesson .dots")
        w.page.evaluate("hash => { location.hash = hash; }", urlsplit(followed).fragment)
        w.page.wait_for_selector("#unpour")
        w.settle()
        assert w.page.inner_text("#panel") == said and "Subtracted" in said
        # What a link holds that is none is not taken.
        w.page.evaluate(
            "() => { location.hash = 'tab=magic&timescales=2&zoom=9&at=x&lesson=77&speed=-3'; }"
        )
        w.page.wait_for_function("window.hebbsim && hebbsim.state.settings.timescales.length === 1")
        w.settle()
        assert w.state("tab") == "survival" and w.state("t") == 0


def test_it_moves_before_anyone_reads(browser, address):
    context = browser.new_context(viewport={"width": PROJECTOR[0], "height": PROJECTOR[1]})
    page = context.new_page()
    page.set_default_timeout(browsing.PATIENCE)
    page.clock.install()
    page.goto(address)
    page.wait_for_function("window.hebbsim && hebbsim.state.playing && hebbsim.state.t >= 1")
    page.wait_for_selector("#score .drop", state="attached")
    # One sentence after another, until somebody touches it.
    page.clock.run_for(30_000)  # half a minute of the page's
    page.wait_for_function("hebbsim.state.request.example === 1")
    page.mouse.click(5, 300)
    page.wait_for_function("!hebbsim.state.playing")
    assert page.evaluate("hebbsim.state.request.example") == 1
    context.close()


def test_behind_a_proxy_the_page_says_which_option_is_missing(browser, room):
    with serving(room) as url:
        inner = urlsplit(url).netloc
        context = browser.new_context()

        # A proxy that says to the program that it is asked for by the program's own name.
        def proxy(route):
            answer = context.request.get(route.request.url.replace("class.example.org", inner))
            route.fulfill(response=answer)

        context.route("http://class.example.org/**", proxy)
        page = context.new_page()
        page.goto("http://class.example.org/")
        page.wait_for_function("document.querySelector('#cover-text').innerText.includes('--')")
        said = page.inner_text("#cover-text")
        assert "hebbsim demo --allow-host class.example.org" in said
        context.close()
