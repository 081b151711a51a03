"""What a recording computes by itself, against what the server computes: scripts without a page."""

from importlib import resources
from itertools import chain

import browsing
import numpy as np
import pytest

from hebbsim.demo.portable import _groups
from hebbsim.demo.reading import cut_text, read_memory
from hebbsim.demo.room import Room
from hebbsim.demo.settings import Settings
from hebbsim.engine import get_rule, rule_names
from hebbsim.readers.grammar import make_builtin

pytestmark = browsing.needs_browser
browser = browsing.browser  # a fixture goes by the name that a module gives it


@pytest.fixture(scope="module")
def room():
    room = Room(make_builtin(n_train=600, n_dev=40, n_test=40, n_gen=0), clusters=40)
    room.prepare()
    return room


@pytest.fixture(scope="module")
def scripts(browser):
    """An empty page with some of the page's scripts in it."""
    page = browser.new_page()
    for name in ("util", "reader", "rules"):
        text = (resources.files("hebbsim.demo.page_files") / f"{name}.js").read_text("utf-8")
        page.add_script_tag(content=text)
    yield page
    page.close()


@pytest.mark.parametrize(
    "text",
    [
        "Every florp gave the wug some blick.", "The dog ran. A cat saw it! Why?",
        "It's 3 o'clock, isn’t it? ISN'T it?", "a well-known dog", "a -- b --- c",
        "Well ... he ran. He ran...", "so…", "Wait … what?! no", "what ?! no", "a . . . b",
        "Oh!, he", "* * ** == __ the dog", "“Why?” she asked. (He ran.) 'So!' A cat.",
        "the „dog“ ran … ) so", "A 'dog. It ran. 'The cat. ' So.", "a cat . " * 24,
        "👩‍👩‍👧 the 🎉🎉 ran .", "a 👍🏽👍🏽 dog", "❤️ and ☂︎ 1️⃣", "👁️‍🗨️👩‍🚀 ran", "from 🇫🇷🇩🇪 to 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "dog🎉cat", "🎉", "Łódź e\u0301te\u0301 נהר",
    ],
)  # fmt: skip
def test_a_sentence_is_cut_as_the_server_cuts_it(scripts, text):
    found = scripts.evaluate("text => Heb.Reader.prototype.split(text)", text)
    assert found == cut_text(text)[0]


def learned(scripts, room, text, settings):
    """Weights after each word, as the page and as the server has them."""
    sentences = cut_text(text)[0]
    words = list(room.learner.network_.index)
    rules = [{"name": settings.rule, "equation": get_rule(settings.rule).equation}]
    read = np.cumsum([0, *map(len, sentences)])[:-1].tolist()
    found = scripts.evaluate(
        "([groups, words, rules, read, starts, settings]) =>"
        " new Heb.Weights(groups, words, rules).read(read, starts, settings)",
        [_groups(room, words), words, rules, [*chain(*sentences)], read, settings.resolved()],
    )
    return found, read_memory(room, sentences, settings)["weights"]


def own_rules(scripts):
    return scripts.evaluate("Object.keys(Heb.RULES)")


def test_a_recording_has_every_rule_whose_units_are_groups(scripts):
    rules = map(get_rule, rule_names())
    assert own_rules(scripts) == [r.name for r in rules if r.predictive or "token" in r.posts]


@pytest.mark.parametrize("fresh", [False, True], ids=["taught", "fresh"])
@pytest.mark.parametrize("timescales", [(2.0, 8.0, 32.0), (1.0,)], ids=["three", "one"])
def test_rules_of_a_recording_are_those_of_the_engine(scripts, room, fresh, timescales):
    text = "the captain was sending a short poem to chloe . the florp ran ."
    for rule in own_rules(scripts):
        for eta in {get_rule(rule).eta, 0.1}:
            settings = Settings(rule=rule, eta=eta, fresh=fresh, timescales=timescales)
            found, told = learned(scripts, room, text, settings)
            assert found["largest"] == pytest.approx(told["largest"], rel=1e-4), settings
            # In thousandths of the largest; the engine has 32 bits, and the page 64.
            np.testing.assert_allclose(found["values"], told["values"], atol=1, err_msg=rule)
            assert np.any(found["values"]) and found["equation"] == told["equation"]
            assert found["groups"] == told["groups"] and found["names"] == told["names"]
            agree = np.equal(found["guesses"], told["guesses"])
            assert agree.mean() > 0.9, settings  # where two groups tie, rounding decides


@pytest.mark.filterwarnings("ignore:rule delta. weights have grown", "ignore:overflow")
def test_weights_that_run_away_are_said_to(scripts, room):
    settings = Settings(rule="delta", eta=1.0, timescales=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    found, told = learned(scripts, room, "the " * 60, settings)
    for weights in (found, told):
        assert list(weights) == ["error"] and "rule delta diverged" in weights["error"]
