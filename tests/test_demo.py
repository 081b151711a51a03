"""The classroom without a browser: what a window is told, and what the lessons claim."""

import base64
import contextlib
import dataclasses
import itertools
import json
import re
import signal
import subprocess
import sys
import threading
import urllib.request

import numpy as np
import pytest

from hebbsim.baselines import LookupBaseline
from hebbsim.cli import main
from hebbsim.demo import export, live
from hebbsim.demo.content import CodeBook, read_back, select
from hebbsim.demo.held import held
from hebbsim.demo.live import LiveLearner
from hebbsim.demo.page import STATIC_POLICY, lessons, stages, standalone
from hebbsim.demo.reading import MOST_WORDS, cut_text, slots_of
from hebbsim.demo.room import Room
from hebbsim.demo.session import Session
from hebbsim.demo.settings import Settings
from hebbsim.demo.weights import N_GROUPS
from hebbsim.demo.worker import Worker
from hebbsim.engine import TraceEngine, get_rule, register_rule, rules
from hebbsim.engine.rules import builtin_names
from hebbsim.errors import BadInputError
from hebbsim.probes.identity import Condition, make_codes
from hebbsim.readers import load_corpus
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.tables import write_tables

SENTENCE = "the captain was sending a short poem to chloe ."
ROWS = {"roles", "gold", "bigru", "traces", "gated", "linear", "cancellation", "kept"}
TABS = {"survival", "prototypes", "weights", "learning", "numbers", "follow", "swap", "selection"}


@pytest.fixture(scope="module")
def room():
    room = Room(make_builtin(n_train=400, n_dev=100, n_test=100, n_gen=0), clusters=60)
    room.prepare()
    return room


def ask(session, **message):
    return list(session.handle({"do": "read", "id": 1, "settings": {}, **message}))


def reading(session, text, **settings):
    answers = ask(session, text=text, settings=settings)
    return next(a for a in answers if a["kind"] == "reading")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"timescales": [0]}, "below 1"),
        ({"timescales": [2, 2]}, "twice"),
        ({"timescales": [65]}, "from 1 to 64"),
        ({"timescales": [2.5]}, "whole numbers"),
        ({"timescales": list(range(1, 8))}, "6 at most"),
        ({"timescales": ["<script>"]}, "not a number"),
        ({"precision": "float16"}, "precision"),
        ({"noise": -1}, "noise"),
        ({"noise": float("nan")}, "noise"),
        ({"eta": 2}, "eta"),
        ({"rule": "magic"}, "unknown"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_cannot_be_used_are_one_line(room, given, word):
    session = Session(room)
    (answer,) = ask(session, text=SENTENCE, settings=given)
    assert answer["kind"] == "error" and word in answer["text"] and "\n" not in answer["text"]
    assert session.settings == Settings()  # nothing has changed


def test_roles_are_those_of_what_has_been_read(room):
    session = Session(room)
    found = reading(session, f"{SENTENCE} the dog ran .")
    learner = room.learner
    words = SENTENCE.split()
    for t in range(len(words)):
        ids = learner.predict([words[: t + 1]])
        assert found["roles"][t] == room.named((2.0, 8.0, 32.0)).role_of(ids)
    # A sentence that is over keeps its roles; the next one starts anew.
    ids = learner.predict([words, ["the", "dog"]])
    assert found["roles"][len(words) + 1] == room.named((2.0, 8.0, 32.0)).role_of(ids)
    assert found["starts"] == [0, len(words)]


def test_the_past_is_read_from_the_traces_alone(room):
    words = SENTENCE.split()
    book = room.book.with_words(words)
    exact = read_back(book, room.before, words, Settings(precision="float64"))
    for t in range(len(words)):
        assert exact.cancellation[t] == words[t::-1]
    # With another past behind the sentence, its words are read all the same.
    other = read_back(book, room.before[::-1], words, Settings(precision="float64"))
    assert other.cancellation == exact.cancellation
    assert not np.allclose(other.states, exact.states)
    # The state is what the recurrence says, over the whole past.
    tau = np.array(Settings().timescales)[:, None]
    state = np.zeros((3, book.codes.shape[1]))
    for word in [*room.before, *words]:
        state = (1 - 1 / tau) * state + book.codes[book.index[word]] / tau
    np.testing.assert_allclose(exact.states[-1], state, atol=1e-12)


def asked_in_lessons():
    """Settings and sentences of the lessons' steps that need no weights."""
    asked = {(json.dumps(s.get("settings", {})), s["text"]) for s in stages() if "text" in s}
    found = [(json.loads(settings), text) for settings, text in sorted(asked)]
    return [one for one in found if not {"rule", "live", "eta"} & set(one[0])]


def test_traces_under_weights_start_each_sentence_empty(room):
    found = reading(Session(room), "the dog ran . the cat slept .", rule="hebb", fresh=True)
    steps = np.array(found["weights"]["values"])
    changed = [bool((a != b).any()) for a, b in itertools.pairwise(steps)]
    assert changed == [False, True, True, True] * 2


def test_every_step_of_the_lessons_can_be_read(room):
    session = Session(room)
    for settings, text in asked_in_lessons():
        kinds = {answer["kind"] for answer in ask(session, text=text, settings=settings)}
        assert "reading" in kinds and "error" not in kinds, (settings, text)


def test_noise_takes_words_and_leaves_roles():
    # On the corpus that the page shows, as the lessons say it.
    room = Room(load_corpus("builtin"))
    room.prepare()
    session = Session(room)
    found = {}
    for settings, text in asked_in_lessons():
        # Traces of other timescales are learned from anew, and no claim below is about them.
        if settings.get("timescales", [2]) == [2]:
            for answer in ask(session, text=text, settings=settings):
                found[answer["kind"], text, json.dumps(settings)] = answer

    def survived(**settings):
        return next(
            v
            for (kind, _, s), v in found.items()
            if kind == "survival" and s == json.dumps(settings)
        )

    clean, noisy, coarse, fast = (
        survived(), survived(noise=10), survived(precision="int8"), survived(timescales=[2])
    )  # fmt: skip
    # Structure survives ...
    assert clean["roles"] > room.references["lookup"]
    for other in (noisy, coarse, fast):
        assert abs(other["roles"] - clean["roles"]) < 0.015
    # ... content does not.
    assert clean["cancellation"][8] > 0.95 and noisy["cancellation"][8] < 0.5
    assert noisy["cancellation"][3] > 0.95  # of what is near, it does
    assert clean["linear"][0] > 0.95 and max(clean["linear"][1:]) < 0.4
    # What the reveals say of their sentences.
    plain = found["reading", SENTENCE, "{}"]
    last, words = len(plain["words"]) - 1, plain["words"]
    assert plain["cancellation"][last] == words[::-1]
    assert sum(a == b for a, b in zip(plain["linear"][last], words[::-1], strict=True)) <= 3
    noisy = found["reading", SENTENCE.replace(" to chloe", ""), '{"noise": 10}']
    last, words = len(noisy["words"]) - 1, noisy["words"]
    kept = {words[p]: noisy["kept"][last][i] for i, p in enumerate(noisy["places"][last])}
    assert kept == {"captain": "captain", "sending": "sending", "poem": "poem"}
    twice = found["reading", "emma visited emma .", "{}"]
    assert twice["winners"][0][0][0] != twice["winners"][2][0][0]  # emma, both times
    assert [twice["roles"][-1][j] for j in (0, 2)] == ["SUBJ", "OBJ"]
    assert twice["roles"][2][2] == "OBJ"  # as soon as it is read, which is what the panel shows
    wrong = found["reading", "amelia opened every car that ethan opens .", "{}"]
    pairs = zip(wrong["words"], wrong["gold"], wrong["roles"][-1], strict=True)
    assert [word for word, gold, role in pairs if gold != role] == ["that"]
    # Where the reveal stands, too.
    assert [a == b for a, b in zip(wrong["gold"], wrong["roles"][4], strict=False)] == [
        True, True, True, True, False,
    ]  # fmt: skip
    for settings in ("{}", '{"noise": 10}', '{"precision": "int8"}', '{"timescales": [2]}'):
        changing = found["reading", "maria hears that the tired writer ran .", settings]
        assert changing["roles"][-1] == changing["gold"], settings
    changing = found["reading", "maria hears that the tired writer ran .", "{}"]
    assert [changing["roles"][t][5] for t in (5, 6)] == ["OBJ", "SUBJ"]
    nonsense = found["reading", "every florp gave the wug some blick .", "{}"]
    assert nonsense["roles"][-1][1:7] == ["SUBJ", "PRED", "DET", "IOBJ", "DET", "OBJ"]
    assert nonsense["known"][1] is False


def test_hebbs_rule_joins_the_word_with_what_was_before_it(room):
    session = Session(room)
    found = reading(session, SENTENCE, rule="hebb", fresh=True)["weights"]
    values, (the, captain) = np.array(found["values"]), found["groups"][:2]
    assert not values[0].any() and not values[1].any()  # nothing was before the first word
    assert found["guesses"][0] == -1
    change = values[2] - values[1]
    assert np.argwhere(change).tolist() == [[captain, s, the] for s in range(3)]
    assert change[captain, 0, the] > change[captain, 2, the] > 0
    taught = reading(session, SENTENCE, rule="hebb")["weights"]
    assert np.any(taught["values"][0])


@pytest.mark.parametrize("rule", builtin_names())
def test_every_rule_can_be_chosen(room, rule):
    found = reading(Session(room), "the dog ran .", rule=rule, eta=0.01)["weights"]
    shape = np.array(found["values"]).shape
    assert shape[0] == 5 and shape[2:] == (3, N_GROUPS)
    assert (found["guesses"] is not None) == (shape[1] == N_GROUPS)


def test_a_rule_of_ones_own_can_be_chosen(room, monkeypatch):
    monkeypatch.setattr(rules, "_registered", dict(rules._registered))
    register_rule(dataclasses.replace(get_rule("delta"), name="mine"))
    session = Session(room)
    assert {"mine", "delta", "nlms"} <= {rule["name"] for rule in session.hello()["rules"]}
    mine, delta = (reading(session, SENTENCE, rule=rule)["weights"] for rule in ("mine", "delta"))
    assert mine == delta


def test_no_rule_runs_away_at_the_rate_that_it_starts_with(room):
    session = Session(room)
    for rule in session.hello()["rules"]:
        if rule["name"] in builtin_names():
            for taus in ([2, 8, 32], [1], [64]):
                settings = {"rule": rule["name"], "eta": rule["eta"], "timescales": taus}
                engine = room.engine(Settings.checked(settings))
                assert np.isfinite(engine.weights).all(), settings
    assert Settings().eta == get_rule(Settings().rule).eta


def test_what_needs_no_learning_is_told_before_roles(room, monkeypatch):
    learned = {}
    monkeypatch.setattr(room, "has_named", lambda taus: taus in learned)
    monkeypatch.setattr(room, "named", lambda taus: learned[taus])
    session = Session(room, later=True)
    (first,) = ask(session, text=SENTENCE, settings={"timescales": [3]})
    assert first["roles"] is None and "winners" not in first and first["cancellation"]
    assert session.wanted == (3.0,) and not list(session.roles_due())
    learned[3.0,] = room.name(room.learner)
    roles, told = session.roles_due()
    assert (roles["kind"], told["kind"]) == ("roles", "survival") and roles["id"] == 1
    assert len(roles["roles"][-1]) == len(SENTENCE.split()) and session.wanted is None
    # All at once, the same.
    whole = reading(Session(room), SENTENCE, timescales=[3])
    assert {**first, **roles, "kind": "reading"} == whole
    # A slider that is still being dragged wants no roles yet.
    learned.clear()
    assert [a["kind"] for a in ask(session, text=SENTENCE, quick=True)] == ["reading"]
    assert session.wanted is None


def test_a_worker_learns_roles_aside(room, monkeypatch):
    """What is asked meanwhile is answered."""
    answers, go, done = [], threading.Event(), threading.Event()
    learned = []
    monkeypatch.setattr(room, "has_named", lambda taus: bool(learned))

    def named(taus):
        assert go.wait(60)
        learned.append(taus)
        return room.name(room.learner)

    monkeypatch.setattr(room, "named", named)

    def take(answer):
        answers.append((answer["kind"], answer.get("id")))
        if answer["kind"] == "reading" and answer["id"] == 2:
            go.set()
        if answer["kind"] == "survival":
            done.set()

    worker = Worker(room, take)
    worker.ask({"do": "read", "id": 1, "text": "the dog ran .", "settings": {"timescales": [3]}})
    while ("reading", 1) not in answers:
        done.wait(0.01)
    worker.ask({"do": "read", "id": 2, "text": "the cat ran .", "settings": {"timescales": [3]}})
    assert done.wait(60)
    worker.close()
    assert answers[1:] == [("reading", 1), ("reading", 2), ("roles", 2), ("survival", 2)]


def test_a_sentence_beside_the_one_on_show_leaves_it_as_it_is(room):
    session = Session(room)
    shown = reading(session, SENTENCE)
    (aside,) = session.handle({"do": "aside", "text": "the dog saw chloe .", "settings": {}})
    assert aside["roles"] == reading(Session(room), "the dog saw chloe .")["roles"][-1]
    assert session.sentences == [SENTENCE.split()] and shown["words"] == SENTENCE.split()
    (refused,) = session.handle({"do": "aside", "text": " ", "settings": {}})
    assert refused["kind"] == "error"


def test_numbers_are_packed_as_they_are(room):
    words = SENTENCE.split()
    found = reading(Session(room), SENTENCE)
    content = read_back(room.book.with_words(words), room.before, words, Settings())

    def unpacked(name, *shape):
        return np.frombuffer(base64.b64decode(found[name]), "<f4").reshape(*shape, 64)

    np.testing.assert_allclose(unpacked("states", len(words), 3), content.states, rtol=1e-6)
    codes, before = unpacked("codes", len(found["coded"])), unpacked("before", 3)
    np.testing.assert_allclose(before, content.before, rtol=1e-6)
    assert set(words) <= set(found["coded"])
    # From these alone a page follows the recurrence.
    tau = np.array([2.0, 8.0, 32.0])[:, None]
    state = before
    for word in words:
        state = (1 - 1 / tau) * state + codes[found["coded"].index(word)] / tau
    np.testing.assert_allclose(state, content.states[-1], atol=1e-6)


def test_weights_that_run_away_are_said_to(room, monkeypatch):
    monkeypatch.setattr(TraceEngine, "_is_finite", lambda engine: False)
    found = reading(Session(room), SENTENCE, rule="bcm", eta=1.0, fresh=True)
    assert "diverged" in found["weights"]["error"]
    assert found["roles"]  # and everything else is there


def test_a_selective_memory_is_the_recurrence_of_a_trace():
    book = CodeBook(["a", "b", "c"], np.ones(3))
    places, read = select(book, ["a", "b", "c", "a"], [0, None, 1, 1], 2, Condition())
    assert places == [[0, -1], [0, -1], [0, 2], [0, 3]]
    assert [row[0] for row in read] == ["a"] * 4
    assert [row[1] for row in read[2:]] == ["c", "a"]
    # The whole word is in its slot: noise larger than a code does not hide it.
    loud = select(book, ["a"] + ["b"] * 99, [0] + [None] * 99, 1, Condition(snr=-3))[1]
    assert np.mean([row[0] == "a" for row in loud]) > 0.98
    noisy = select(book, ["a"] * 200, [0] * 200, 1, Condition(snr=-40))[1]
    assert 0.2 < np.mean([row[0] == "a" for row in noisy]) < 0.5  # by chance


def test_sizes_say_how_large_noise_and_steps_are(room):
    words = (SENTENCE.split() * 6)[:60]
    book = room.book.with_words(words)
    exact, noisy = (
        read_back(book, room.before, words, Settings(precision="float64", noise=noise))
        for noise in (0, 10)
    )
    unit = np.sqrt((book.codes**2).mean())
    np.testing.assert_allclose(exact.peaks, np.abs(exact.states).max(axis=(0, 2)) / unit)
    spread = (noisy.states - exact.states).std(axis=(0, 2)) / unit
    # Five times the sampling error of a standard deviation of so many numbers.
    n_numbers = exact.states[:, 0].size
    np.testing.assert_allclose(spread, 0.1 * exact.sizes, rtol=5 / np.sqrt(2 * n_numbers))


def test_codes_of_known_words_do_not_depend_on_new_ones():
    book = CodeBook(["a", "b"], np.ones(2))
    more = book.with_words(["b", "c", "c"])
    assert more.words == ["a", "b", "c"] and book.with_words(["a"]) is book
    np.testing.assert_array_equal(more.codes[:2], book.codes)
    np.testing.assert_array_equal(more.codes, make_codes(3, 64, np.random.default_rng(0)))


def test_held_traces_are_noisy_and_leave_the_learner_as_it_was(room):
    learner, sentences = room.learner, room.test.sentences()
    before = learner.transform(sentences)
    noisy = held(learner, Condition(snr=0.0)).transform(sentences)
    coarse, fine = (
        np.abs(held(learner, Condition(precision=name)).transform(sentences) - before).mean()
        for name in ("int8", "bfloat16")
    )
    assert held(learner, Condition()) is learner
    np.testing.assert_array_equal(learner.transform(sentences), before)
    assert np.abs(noisy - before).mean() > 1.3 * coarse > 100 * fine > 0
    np.testing.assert_array_equal(held(learner, Condition(snr=0.0)).transform(sentences), noisy)


def test_slots_are_roles_with_the_most_various_words(room):
    assert set(slots_of(room, 3)) <= set(room.roles)
    assert not {"DET", "PUNCT", "AUX", "CASE"} & set(slots_of(room, 3))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u202eשלום עולם", 2),
        ("👩‍👩‍👧 🎉🎉 ran", 4),
        ("<script>alert(1)</script>", 11),
        ("\ud800 half a pair", 4),
        ("a" * 50_000, 1),
        ("{'; DROP TABLE}", 6),
    ],
)
def test_any_text_can_be_read(room, text, words):
    found = reading(Session(room), text)
    assert len(found["words"]) == words and len(found["roles"][-1]) == len(found["words"])
    json.dumps(found, ensure_ascii=False).encode()  # fit to be sent


def test_long_text_is_cut_and_said_to_be(room):
    session = Session(room)
    found = reading(session, "the dog saw a cat . " * 2000)
    assert len(found["words"]) == MOST_WORDS
    assert "60 of 12,000 words" in found["note"]
    sentences, n_words = cut_text("word " * 10_000)  # one sentence without an end
    assert n_words == 10_000 and sum(map(len, sentences)) == MOST_WORDS


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u200b"])
def test_no_words_is_an_error_that_says_what_to_do(room, text):
    (answer,) = ask(Session(room), text=text)
    assert answer["kind"] == "error" and "Type a sentence" in answer["text"]


@pytest.mark.parametrize(
    "message",
    [{"do": "read", "example": 99}, {"do": "read", "example": True, "text": ""}, {"do": "fly"},
     {"do": "read", "text": None, "settings": "x"}, {"do": "learn", "what": "fly"}, {}],
)  # fmt: skip
def test_messages_that_no_page_sends_do_no_harm(room, message):
    answers = list(Session(room).handle({**message, "id": 3}))
    assert answers


def test_windows_do_not_share_their_state(room):
    one, two = Session(room), Session(room)
    first = reading(two, SENTENCE)
    reading(one, SENTENCE, timescales=[4], noise=50)
    list(one.handle({"do": "learn", "what": "start"}))
    list(one.advance())
    assert two.settings == Settings() and not two.learning
    assert one.live.n_words > 0 == two.live.n_words  # a curve begins later
    assert reading(two, SENTENCE) == first


def test_the_live_learner_reads_every_word_once_and_gets_better(room):
    live = LiveLearner(room)
    while not live.done:
        live.step()
    words = [n for n, _ in live.curve]
    assert words[-1] == room.train.n_tokens and words == sorted(set(words))
    assert live.curve[-1][1] > live.curve[0][1] > room.references["majority"]


def test_live_learning_ends_above_a_look_up_of_the_word(monkeypatch):
    monkeypatch.setattr(live, "STRETCH", 800)  # looked at more seldom; what is learned is the same
    room = Room(make_builtin(n_train=2400, n_dev=300, n_test=200, n_gen=0))
    learner = LiveLearner(room)
    while not learner.done:
        learner.step()
    # With all labels, and no memory: the dashed line of the panel. Any part of the network that
    # learns no more once it has begun leaves more than two thirds of that line's errors.
    assert 1 - learner.curve[-1][1] < 2 / 3 * (1 - room.references["lookup"])


def test_live_roles_are_those_of_the_live_learner(room):
    session = Session(room)
    reading(session, SENTENCE, live=True)
    list(session.handle({"do": "learn", "what": "start"}))
    while session.live.named is None:
        told = list(session.advance())[-1]
    learner = session.live.named
    ids = learner.learner.predict([SENTENCE.split()])
    assert told["roles"][-1] == learner.role_of(ids)


def test_a_learner_that_has_not_begun_has_no_roles(room):
    answers = ask(Session(room), text=SENTENCE, settings={"live": True})
    found, told = answers[-2:]
    assert {role for row in found["roles"] for role in row} == {""}
    assert not any(found["winners"]) and not found["prototypes"]
    assert {place for row in found["places"] for place in row} == {-1}
    assert told["roles"] is None and told["arguments"] is None
    assert len(told["cancellation"]) == len(told["linear"]) > 8  # the traces are there


def test_survival_is_held_against_what_needs_no_memory(room):
    (*_, told) = ask(Session(room), text=SENTENCE)
    gold, lookup = room.gold_roles, LookupBaseline().fit(
        room.train.sentences(), room.train.layers[room.layer].tolist()
    )  # fmt: skip
    assert {"SUBJ", "OBJ", "OBL"} <= set(room.argument_roles) and "DET" not in room.argument_roles
    own = np.isin(gold, room.argument_roles)
    found = room.named((2.0, 8.0, 32.0))
    roles = np.array(found.role_of(room.learner.predict(room.test.sentences())))
    assert told["arguments"] == (roles == gold)[own].mean() < told["roles"]
    right = lookup.predict(room.test.sentences()) == gold
    references = Session(room).hello()["references"]
    assert references["lookup_arguments"] == right[own].mean() < references["lookup"]
    words = [word for stream in room.streams for word in stream]
    assert references["word"] == max(map(words.count, set(words))) / len(words)


def test_a_worker_answers_the_last_of_many_questions(room):
    answers, done = [], threading.Event()

    def take(answer):
        answers.append(answer)
        if answer["kind"] == "survival" and answer["id"] == 19:
            done.set()

    worker = Worker(room, take)
    for number in range(20):
        worker.ask({"do": "read", "id": number, "text": SENTENCE, "settings": {}})
    assert done.wait(120)
    worker.close()
    worker._thread.join(60)
    assert not worker._thread.is_alive()
    asked = [a["id"] for a in answers if a["kind"] == "reading"]
    assert answers[0]["kind"] == "hello" and asked[-1] == 19 and len(asked) < 20


def test_a_room_that_cannot_learn_says_why():
    room = Room(make_builtin(n_train=20, n_dev=5, n_test=5, n_gen=0), clusters=0)
    with pytest.raises(BadInputError):
        room.prepare()
    answers = []
    Worker(room, answers.append)._thread.join(60)
    assert answers[-1]["kind"] == "broken" and "n_clusters" in answers[-1]["text"]


def test_no_letter_is_a_good_guess():
    answers = [step["question"]["answer"] for lesson in lessons() for step in lesson["steps"]]
    counts = [answers.count(letter) for letter in range(4)]
    assert max(counts) - min(counts) <= 1
    for a, b in itertools.pairwise(answers):
        assert a != b


def test_lessons_ask_before_they_tell():
    for lesson in lessons():
        for step in lesson["steps"]:
            question = step["question"]
            told = " ".join([step["title"], *step["text"], step.get("task", "")]).lower()
            assert question["options"][question["answer"]].lower() not in told, step["title"]
            if "{roles_list}" in " ".join(question["reveal"]):
                assert not {"roles", "gold"} & set(step["stage"]["rows"])


def test_gates_keep_and_attention_reads():
    steps = [step for lesson in lessons() for step in lesson["steps"]]
    told = [text for step in steps for text in step["text"] if "ttention" in text]
    (said,) = told
    assert re.search(r"Gates [^.]*\*kept\*\. Attention keeps everything, [^.]*\*read\*", said)


def test_the_lesson_says_what_one_pass_and_k_are():
    (step,) = (s for lesson in lessons() for s in lesson["steps"] if "learn" in s["stage"])
    said = " ".join(step["text"])
    assert "*one pass*, each sentence once" in said and "K = {live_clusters} prototypes" in said


def test_lessons_are_whole():
    assert len(lessons()) >= 4
    for lesson in lessons():
        assert lesson["title"] and lesson["minutes"] >= 8 and len(lesson["steps"]) >= 4
        for step in lesson["steps"]:
            question = step["question"]
            assert step["title"] and step["text"] and question["reveal"]
            assert 0 <= question["answer"] < len(question["options"])
            assert step["stage"]["rows"] and step["stage"]["tab"] in TABS
    for stage in stages():
        assert set(stage.get("rows", [])) <= ROWS
        Settings.checked(stage.get("settings", {}))


def test_the_page_asks_for_nothing():
    text = standalone({"mode": "recorded", "recorded": {"x": "</script><script>alert(1)"}})
    assert STATIC_POLICY in text and "default-src 'none'" in text
    assert not re.findall(r"(?:src|href)\s*=\s*[\"'](?!#|data:)", text)
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "</script><script>alert(1)" not in text


def test_a_recording_holds_what_the_page_can_ask_for(room, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TIMESCALES", ((2.0, 8.0, 32.0),))
    monkeypatch.setattr(export, "PRECISIONS", ("float32",))
    monkeypatch.setattr(export, "NOISES", (0.0, 10.0))
    monkeypatch.setattr(export, "N_EXAMPLES", 1)
    told = [stage for stage in stages() if stage.get("text") == SENTENCE]
    monkeypatch.setattr(export, "stages", lambda: told)  # a browser is shown one that has all
    path = export.write_page(room, tmp_path / "page", bigru=False)
    text = path.read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])["recorded"]
    key = f"{SENTENCE}|2,8,32|float32|10"
    packed = data["readings"][key]
    roles = [data["shared"]["texts"][n] for n in packed["roles"][-1]]
    session = Session(room)
    assert roles == reading(session, SENTENCE, noise=10)["roles"][-1]
    assert data["survival"]["2,8,32|float32|10"]["roles"] < 1
    # Of what is read back it holds the means, for every memory that it was asked for.
    assert data["reader"]["readers"].keys() == data["survival"].keys()
    # Written again, it is the same; it is overwritten only if asked for, and no other page ever.
    with pytest.raises(BadInputError, match=r"is a recording already.*--overwrite"):
        export.write_page(room, tmp_path / "page", bigru=False)
    again = export.write_page(room, tmp_path / "page", bigru=False, overwrite=True)
    assert again.read_text("utf-8") == text
    path.write_text("<title>my page</title>")
    with pytest.raises(BadInputError, match="another page"):
        export.write_page(room, tmp_path / "page", overwrite=True)
    assert path.read_text() == "<title>my page</title>"
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]


def run(*words):
    with pytest.raises(SystemExit) as end:
        main(list(words))
    return end.value.code


def test_a_corpus_without_roles_is_refused(tmp_path, capsys):
    text = tmp_path / "plain.txt"
    text.write_text("the dog ran . " * 50)
    assert run("demo", "--corpus", str(text), "--no-browser") == 2
    assert "no roles to show" in capsys.readouterr().err


def test_an_export_that_cannot_be_written_is_refused_at_once(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("x")
    assert run("demo", "--export", str(file)) == 2
    assert "is a file" in capsys.readouterr().err


def test_the_command_serves_until_it_is_interrupted(tmp_path):
    pytest.importorskip("bokeh", reason="the extra demo is not installed")
    write_tables(make_builtin(n_train=100, n_dev=20, n_test=20, n_gen=0), tmp_path / "small")
    command = [
        sys.executable, "-m", "hebbsim", "demo", "--no-browser", "--no-bigru", "--port", "0",
        "--corpus", str(tmp_path / "small"), "--allow-host", "Class.example.org",
    ]  # fmt: skip
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process,
        contextlib.ExitStack() as failing,
    ):
        failing.callback(process.kill)  # what fails below must not wait for the server to end
        url = process.stdout.readline().decode().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
        with urllib.request.urlopen(url + "alive") as answer:
            assert json.load(answer)["boot"]
        with urllib.request.urlopen(url) as answer:
            page = answer.read().decode()
        assert "A memory that fades" in page and "cdn." not in page
        allowed = urllib.request.Request(url, headers={"Host": "class.example.org"})
        with urllib.request.urlopen(allowed) as answer:
            assert answer.status == 200
        taken = url.rsplit(":", 1)[1].rstrip("/")
        assert run("demo", "--no-browser", "--port", taken) == 2
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        failing.pop_all()
        assert process.returncode == 0 and b"Traceback" not in errors


def test_help_names_what_the_page_does(capsys):
    assert run("demo", "--help") == 0
    assert "--export" in capsys.readouterr().out
