"""What every zero-label learner keeps to: no labels, sklearn conventions, pure prediction."""

import inspect
import itertools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.engine.network import Network
from hebbsim.errors import BadInputError
from hebbsim.models import RoleNetwork, RolePopulation, role_network
from hebbsim.probes import RoleReadout
from hebbsim.readers.grammar import make_builtin

K = 12
SMALL = {
    "n_clusters": K,
    "passes": 2,
    "settings": (
        "words.size=10", "words.n_directions=8", "tokens.n_directions=6", "context_words=60",
        "first.settle=200", "second.start=300", "second.settle=200", "tokens.start=500",
        "tokens.settle=200",
    ),
}  # fmt: skip
LEARNERS = {
    "network": lambda **changes: RoleNetwork(**{**SMALL, **changes}),
    "population": lambda **changes: RolePopulation(3, **{**SMALL, **changes}),
}
CLASSES = [RoleNetwork, RolePopulation]
every_learner = pytest.mark.parametrize("kind", LEARNERS)

corpus = make_builtin(n_train=150, n_dev=30, n_test=30, n_gen=0)
TRAIN = corpus.splits["train"].sentences()
DEV = corpus.splits["dev"].sentences()
N_TOKENS = sum(map(len, TRAIN))
# Unknown words, a sentence of nothing else, one word alone.
ODD = [["the", "zorble", "zorbled"], ["Quux-7", "..."], [TRAIN[0][0]], ["sphinxing"]]


@pytest.fixture(scope="module", params=LEARNERS)
def fitted(request):
    return LEARNERS[request.param]().fit(TRAIN)


def n_tokens(sentences):
    return sum(map(len, sentences))


def bits(learner):
    """All that a learner has learned, by where it stands."""
    found = {}
    for number, member in enumerate(getattr(learner, "members_", [learner])):
        arrays, document = member.state()
        found |= {f"{number}.{name}": array.tobytes() for name, array in arrays.items()}
        found[f"{number}"] = document
    return found


class Stream:
    """Sentences that can be gone through once at a time, and are counted."""

    def __init__(self, sentences):
        self.sentences, self.starts, self.given = sentences, 0, 0

    def __iter__(self):
        self.starts += 1
        for sentence in self.sentences:
            self.given += 1
            yield sentence


@every_learner
def test_fit_tells_how_far_it_is_and_learns_the_same(kind):
    shares = []
    told = LEARNERS[kind]().fit(TRAIN, progress=shares.append)
    steps = np.diff([0.0, *shares])
    assert (steps > 0).all() and steps.max() < 0.2 and shares[-1] == 1
    assert bits(told) == bits(LEARNERS[kind]().fit(TRAIN))


@pytest.mark.parametrize("cls", CLASSES)
def test_no_way_in_for_roles(cls):
    words = ("label", "role", "gold", "target", "tag", "layer", "class")
    for method in ("__init__", "fit", "fit_predict", "partial_fit", "derive", "predict"):
        if not hasattr(cls, method):
            continue
        names = list(inspect.signature(getattr(cls, method)).parameters)
        # scikit-learn passes y: it is refused (below).
        taken = [n for n in names if any(word in n for word in words)]
        assert not taken, f"{cls.__name__}.{method} takes {taken}"


@every_learner
def test_roles_are_refused_wherever_they_are_put(kind):
    learner = LEARNERS[kind]()
    for method in ("fit", "partial_fit", "fit_transform", "fit_predict"):
        if not hasattr(learner, method):
            continue
        learn = getattr(learner, method)
        for roles in (["SUBJ"] * N_TOKENS, np.zeros(N_TOKENS), [], False):
            for give in (lambda: learn(TRAIN, roles), lambda: learn(TRAIN, y=roles)):  # noqa: B023
                with pytest.raises(BadInputError, match="takes no labels") as caught:
                    give()
                assert "\n" not in str(caught.value)
        for name in ("roles", "labels"):
            with pytest.raises(TypeError):
                learn(TRAIN, **{name: ["SUBJ"] * N_TOKENS})
    assert not hasattr(learner, "network_") and not hasattr(learner, "members_")
    with pytest.raises(TypeError):
        type(learner)(roles=["SUBJ"])


def test_a_derived_learner_takes_no_roles_either(fitted):
    for name in ("y", "roles", "labels"):
        with pytest.raises(TypeError):
            fitted.derive(TRAIN, **{name: ["SUBJ"] * N_TOKENS})


@pytest.mark.parametrize("cls", CLASSES)
def test_the_constructor_stores_its_arguments_and_does_nothing_else(cls):
    names = [name for name in inspect.signature(cls.__init__).parameters if name != "self"]
    values = {name: object() for name in names}  # nothing that could be checked or converted
    learner = cls(**values)
    assert vars(learner) == values
    assert learner.get_params(deep=False) == values
    with pytest.raises(TypeError):
        cls(no_such_parameter=1)


@pytest.mark.parametrize("cls", CLASSES)
def test_parameters_can_be_read_set_and_cloned(cls):
    learner = cls(n_clusters=7, timescales=(3, 9))
    assert clone(learner).get_params() == learner.get_params()
    assert clone(learner) is not learner
    assert learner.set_params(n_clusters=8, random_state=5) is learner
    assert (learner.n_clusters, learner.random_state) == (8, 5)
    assert "n_clusters=8" in repr(learner)
    with pytest.raises(ValueError, match="no_such_parameter"):
        learner.set_params(no_such_parameter=1)


@every_learner
def test_fit_returns_self_and_leaves_the_parameters_alone(kind):
    learner = LEARNERS[kind]()
    before = learner.get_params()
    assert learner.fit(TRAIN[:40]) is learner
    assert learner.get_params() == before
    assert not hasattr(clone(learner), "network_")
    assert not hasattr(clone(learner), "members_")


@every_learner
def test_fit_starts_afresh(kind):
    again = LEARNERS[kind]().fit(TRAIN[:60]).fit(TRAIN[60:])
    once = LEARNERS[kind]().fit(TRAIN[60:])
    assert bits(again) == bits(once)


@every_learner
def test_learners_are_steps_of_a_pipeline(kind):
    """As the last step, and as one whose vectors another takes."""
    learner = LEARNERS[kind]()
    once = clone(learner).fit(TRAIN)
    assert np.array_equal(clone(learner).fit_predict(TRAIN), once.predict(TRAIN))
    vectors = clone(learner).fit_transform(sentence for sentence in TRAIN)
    assert np.array_equal(vectors, once.transform(TRAIN))

    alone = Pipeline([("roles", clone(learner))])
    assert np.array_equal(alone.fit(TRAIN).predict(DEV), once.predict(DEV))
    assert np.array_equal(alone.fit_predict(TRAIN), once.predict(TRAIN))
    assert np.array_equal(alone.transform(DEV), once.transform(DEV))
    before = Pipeline([("roles", learner), ("kmeans", KMeans(4, n_init=1, random_state=0))])
    found = clone(before).set_params(roles__random_state=0).fit(TRAIN).predict(DEV)
    kmeans = KMeans(4, n_init=1, random_state=0).fit(once.transform(TRAIN))
    assert np.array_equal(found, kmeans.predict(once.transform(DEV)))
    with pytest.raises(BadInputError, match="takes no labels"):
        clone(before).fit(TRAIN, ["SUBJ"] * N_TOKENS)


@every_learner
def test_the_same_seed_learns_the_same(kind):
    twins = [LEARNERS[kind]().fit(TRAIN) for _ in range(2)]
    assert bits(twins[0]) == bits(twins[1])
    assert np.array_equal(twins[0].predict(DEV), twins[1].predict(DEV))


@every_learner
def test_another_seed_learns_something_else(kind):
    one, other = (LEARNERS[kind](random_state=seed).fit(TRAIN) for seed in (0, 1))
    assert not np.array_equal(one.predict(DEV), other.predict(DEV))
    assert not np.array_equal(one.word_codes(["the"]), other.word_codes(["the"]))


def test_members_of_a_population_differ():
    columns = LEARNERS["population"]().fit(TRAIN).predict(DEV).T
    for one, other in itertools.combinations(columns, 2):
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("shuffled", ["false", "true"])
@every_learner
def test_prediction_learns_nothing(kind, shuffled):
    settings = (*SMALL["settings"], f"tokens.shuffled={shuffled}")
    learner = LEARNERS[kind](settings=settings).fit(TRAIN)
    first = learner.predict(DEV), learner.transform(DEV), learner.word_codes(["the", "zorble"])
    before = bits(learner)
    assert len(before) > 10
    learner.predict(ODD)
    learner.transform(ODD)
    learner.word_codes(["sphinxing", "the"])
    learner.predict(TRAIN[::-1])
    learner.derive(TRAIN[:30])
    assert bits(learner) == before
    again = learner.predict(DEV), learner.transform(DEV), learner.word_codes(["the", "zorble"])
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one, other)


def test_a_sentence_is_predicted_by_itself(fitted):
    sentences = [*DEV[:10], *ODD, *DEV[10:]]
    together = fitted.predict(sentences)
    alone = np.concatenate([fitted.predict([sentence]) for sentence in sentences])
    backwards = [fitted.predict([sentence]) for sentence in sentences[::-1]][::-1]
    assert np.array_equal(together, alone)
    assert np.array_equal(together, np.concatenate(backwards))
    apart = np.concatenate([fitted.transform([sentence]) for sentence in sentences])
    np.testing.assert_allclose(fitted.transform(sentences), apart, atol=1e-5)


def test_clusters_of_all_tokens():
    found = LEARNERS["network"]().fit(TRAIN).predict(DEV)
    assert found.shape == (n_tokens(DEV),)
    assert found.dtype == np.int32
    assert set(found) <= set(range(K))
    assert len(set(found)) > K // 2
    columns = LEARNERS["population"]().fit(TRAIN).predict(DEV)
    assert columns.shape == (n_tokens(DEV), 3)
    assert columns.dtype == np.int32
    assert set(columns.flat) <= set(range(K))


def test_vectors_of_all_tokens(fitted):
    x = fitted.transform(DEV)
    assert x.dtype == np.float32
    assert x.ndim == 2
    assert len(x) == n_tokens(DEV)
    assert np.isfinite(x).all()


def test_codes_of_words_known_and_unknown_sum_to_one(fitted):
    words = ["the", "dog", "zorble", "Quux-7", "...", "", "sphinxing", "the"]
    codes = fitted.word_codes(words)
    assert codes.shape == (len(words), 10)
    assert codes.dtype == np.float32
    assert np.isfinite(codes).all()
    assert (codes >= 0).all()
    np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(codes[0], codes[-1])
    assert not np.allclose(codes[0], codes[1])
    assert fitted.word_codes([]).shape == (0, 10)


def test_empty_sentences_hold_no_token(fitted):
    with_empty = [[], *DEV[:5], [], [], *ODD, []]
    without = [*DEV[:5], *ODD]
    assert np.array_equal(fitted.predict(with_empty), fitted.predict(without))
    assert np.array_equal(fitted.transform(with_empty), fitted.transform(without))


@every_learner
def test_empty_sentences_teach_nothing(kind):
    gaps = [part for sentence in TRAIN for part in ([], sentence)]
    one, other = LEARNERS[kind]().fit(TRAIN), LEARNERS[kind]().fit(gaps)
    assert bits(one) == bits(other)


@every_learner
def test_sentences_may_be_any_sequences(kind):
    plain = LEARNERS[kind]().fit(TRAIN)
    other = LEARNERS[kind]().fit(tuple(tuple(sentence) for sentence in TRAIN))
    assert np.array_equal(plain.predict(DEV), other.predict(map(tuple, DEV)))
    streamed = LEARNERS[kind]().fit(sentence for sentence in TRAIN)
    assert np.array_equal(plain.predict(DEV), streamed.predict(sentence for sentence in DEV))


@every_learner
def test_more_text_is_read_once_and_changes_the_codes(kind):
    text = Stream([*corpus.splits["test"].sentences(), ["a", "glorp", "glorped"]] * 5)
    plain, more = LEARNERS[kind]().fit(TRAIN), LEARNERS[kind]().fit(TRAIN, text=text)
    assert (text.starts, text.given) == (1, len(text.sentences))
    words = ["the", "dog", "glorp"]
    assert not np.allclose(plain.word_codes(words), more.word_codes(words), atol=1e-3)
    assert len(more.predict(DEV)) == n_tokens(DEV)


@every_learner
def test_more_clusters_than_tokens_are_refused(kind):
    few = [["a", "dog"], [], ["a", "cat", "sat"]] * 2  # ten tokens
    with pytest.raises(BadInputError, match=f"{K} clusters for 10 tokens") as caught:
        LEARNERS[kind]().fit(few)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInputError, match="10 tokens"):  # more text has no part in it
        LEARNERS[kind]().fit(few, text=TRAIN)
    with pytest.raises(BadInputError, match="0 tokens"):
        LEARNERS[kind]().fit([])


@pytest.mark.parametrize("timescales", [1, (1,), (1.5,), "1, 4", (1, 1000)])
def test_any_timescales_learn(timescales):
    learner = LEARNERS["network"](timescales=timescales).fit(TRAIN)
    assert np.isfinite(learner.transform(DEV)).all()
    assert len(set(learner.predict(DEV))) > 1


@pytest.mark.parametrize("use", ["predict", "transform", "word_codes", "derive"])
@every_learner
def test_nothing_is_answered_before_fit(kind, use):
    with pytest.raises(NotFittedError, match="fit"):
        getattr(LEARNERS[kind](), use)([["a"]])


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_nothing_to_predict(fitted, nothing):
    assert fitted.predict(nothing).shape == fitted.predict(DEV)[:0].shape
    assert fitted.transform(nothing).shape == fitted.transform(DEV)[:0].shape


def test_members_in_parallel_learn_the_same():
    learners = [LEARNERS["population"]().set_params(n_members=6, n_jobs=n) for n in (None, 1, 2, 5)]
    one, *others = [learner.fit(TRAIN) for learner in learners]
    for other in others:
        for a, b in zip(one.members_, other.members_, strict=True):
            assert bits(a) == bits(b)
        assert np.array_equal(one.predict(DEV), other.predict(DEV))
        assert np.array_equal(one.transform(DEV), other.transform(DEV))


@pytest.mark.parametrize("n_members", [0, -1])
def test_a_population_without_members_is_refused(n_members):
    with pytest.raises(BadInputError, match="n_members"):
        RolePopulation(n_members, **SMALL).fit(TRAIN)


@every_learner
def test_a_sentence_is_words_not_one_string(kind):
    with pytest.raises(BadInputError, match="words"):
        LEARNERS[kind]().fit(["the dog saw a cat"] * 20)


def test_members_differ_in_what_they_attend_to_and_in_their_lengths():
    members = LEARNERS["population"]().fit(TRAIN).members_
    tops = [member.network_.top for member in members]
    for one, other in itertools.combinations(tops, 2):
        assert not np.array_equal(one.attended, other.attended)
        assert not np.array_equal(one.drawn_lengths, other.drawn_lengths)
    for member, top in zip(members, tops, strict=True):
        own, *around = np.split(member.transform(DEV), [10, 16, 22, 28], axis=1)
        # Codes are shares: the length of their roots is one, times the length drawn.
        np.testing.assert_allclose(np.linalg.norm(own, axis=1), top.drawn_lengths[0], atol=1e-5)
        assert 0.4 <= top.drawn_lengths[0] <= 1.6
        for attended, part in zip(top.attended, around, strict=True):
            assert set(attended) <= {0, 1} and attended.any()
            assert not part[:, attended == 0].any() and part.any()


def test_members_attend_as_their_network_says():
    settings = (*SMALL["settings"], "tokens.attention=0.99")
    (member, *_) = LEARNERS["population"](settings=settings).draw_members()
    tokens = member.description()["tokens"]
    assert (tokens["attention"], tokens["weight_jitter"]) == (0.99, 0.6)


def test_attention_and_jitter_of_everything_leave_lengths_alone():
    plain = LEARNERS["network"]().fit(TRAIN).network_.top
    assert plain.attended.all()
    np.testing.assert_array_equal(plain.drawn_lengths, np.float32(plain.lengths))


def test_what_a_population_derives_attends_to_everything():
    derived = LEARNERS["population"]().fit(TRAIN).derive(TRAIN).network_.top
    assert derived.attended.all()
    np.testing.assert_array_equal(derived.drawn_lengths, np.float32(derived.lengths))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attention": 0}, "attention"),
        ({"attention": 1.1}, "attention 1.1"),
        ({"weight_jitter": 1}, "weight_jitter 1"),
        ({"weight_jitter": -0.1}, "weight_jitter"),
        ({"attention": float("nan")}, "attention"),
        ({"n_jobs": 0}, "n_jobs is 0"),
        ({"n_jobs": 1.5}, "n_jobs is 1.5"),
        ({"random_state": -1}, "random_state is -1"),
        ({"n_clusters": 0}, "n_clusters is 0"),
        ({"n_clusters": 2.5}, "n_clusters is 2.5"),
    ],
)
def test_a_population_that_cannot_be_is_refused_in_one_line(changes, says):
    with pytest.raises(BadInputError, match=says) as caught:
        LEARNERS["population"](**changes).fit(TRAIN)
    assert "\n" not in str(caught.value)


def test_a_population_comes_back_bit_by_bit(tmp_path):
    learner = LEARNERS["population"](random_state=3).fit(TRAIN)
    learner.save(tmp_path / "p")
    again = RolePopulation.load(tmp_path / "p")
    assert bits(again) == bits(learner)
    assert (again.n_members, again.passes, again.random_state) == (3, 2, 3)
    assert np.array_equal(again.predict(DEV), learner.predict(DEV))
    with pytest.raises(NotFittedError):
        LEARNERS["population"]().save(tmp_path / "q")
    with pytest.raises(BadInputError, match=r"holds hebbsim\.role-population"):
        RoleNetwork.load(tmp_path / "p")


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, config: config.pop("members"),
        lambda arrays, config: config.update(members=[]),
        lambda arrays, config: config["members"][1].pop("learned"),
        lambda arrays, config: config.update(random_state="x"),
        lambda arrays, config: config.update(attention=2),
        lambda arrays, config: arrays.pop("2/counts"),
        lambda arrays, config: arrays.update({"0/2.attended": arrays["0/2.attended"][:2]}),
    ],
)
def test_a_population_that_was_tampered_with_is_refused_in_a_line(change, tmp_path):
    path = tmp_path / "p"
    LEARNERS["population"]().fit(TRAIN).save(path)
    arrays, config = read_checkpoint(path, "hebbsim.role-population/3")
    change(arrays, config)
    write_checkpoint(path, "hebbsim.role-population/3", arrays, config)
    with pytest.raises(BadInputError, match=f"checkpoint {path} is damaged") as caught:
        RolePopulation.load(path)
    assert "\n" not in str(caught.value)


@every_learner
def test_what_is_known_after_the_text_is_kept_and_gone_on_from(kind, tmp_path):
    text = [["a", "glorp", "glorped"]] * 50
    once = LEARNERS[kind]().fit(TRAIN, text=text)
    kept = tmp_path / "after"
    assert bits(LEARNERS[kind]().fit(TRAIN, text=text, after_text=kept)) == bits(once)
    # The text is not read again.
    assert bits(LEARNERS[kind]().fit(TRAIN, text=[["other"]], after_text=kept)) == bits(once)
    with pytest.raises(BadInputError, match="is of another"):
        LEARNERS[kind](timescales="3").fit(TRAIN, text=text, after_text=kept)


@every_learner
def test_an_interruption_amid_the_text_loses_little_of_it(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(role_network, "SAVED_EVERY", 40)
    text = [["a", "glorp", "glorped"], [], ["glorps"]] * 50
    once = LEARNERS[kind]().fit(TRAIN, text=text)
    kept = tmp_path / "after"

    def interrupted():
        yield from text[:100]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_all = LEARNERS[kind]()
        fit_all.fit(
            TRAIN, text=interrupted if kind == "population" else interrupted(), after_text=kept
        )
    learned = []
    learn = Network.learn

    def counting(self, sentences, **options):
        sentences = list(sentences)
        if options.get("words_only"):
            learned.append(sum(map(len, sentences)))
        return learn(self, sentences, **options)

    monkeypatch.setattr(Network, "learn", counting)
    again = LEARNERS[kind]().fit(TRAIN, text=text, after_text=kept)
    assert bits(again) == bits(once)
    n_members = len(getattr(again, "members_", [again]))
    assert sum(learned) == n_members * 200 - 120  # of the first, that is, 120 were saved
    assert not list(tmp_path.rglob("*.part"))


@pytest.fixture(scope="module")
def larger():
    return make_builtin(n_train=600, n_dev=200, n_test=100, n_gen=0)


def mapped_accuracy(learner, dev):
    """Clusters named on one half of dev and scored on the other, both ways round."""
    halves = [dev.subset(range(start, dev.n_sentences, 2)) for start in (0, 1)]
    scores = []
    for one, other in (halves, halves[::-1]):
        readout = RoleReadout().fit(learner.predict(one.sentences()), one.layers["grammatical"])
        found = readout.predict(learner.predict(other.sentences()))
        scores.append((found == other.layers["grammatical"]).mean())
    return np.mean(scores)


def test_roles_are_learned_from_tokens_alone(larger):
    sentences, dev = larger.splits["train"].sentences(), larger.splits["dev"]
    majority = np.unique(dev.layers["grammatical"], return_counts=True)[1].max() / dev.n_tokens
    learner = RoleNetwork(n_clusters=60).fit(sentences)
    score = {
        name: mapped_accuracy(learner.derive(sentences, **changes), dev)
        for name, changes in {
            "both": {},
            "own": {"view": "own"},
            "traces": {"view": "traces"},
            "shuffled": {"shuffle_traces": True},
            "shuffled traces": {"shuffle_traces": True, "view": "traces"},
        }.items()
    }
    assert score["both"] > majority + 0.4, score
    assert score["both"] > score["shuffled"] + 0.03, score
    assert score["both"] > max(score["own"], score["traces"]) + 0.03, score
    assert score["traces"] > majority + 0.3, score
    # All that is left to go by is how near the ends of the sentence are.
    assert score["shuffled traces"] < score["traces"] - 0.3, score


def test_a_population_learns_roles(larger):
    sentences, dev = larger.splits["train"].sentences(), larger.splits["dev"]
    # Members of so few clusters each need to see everything.
    whole = {"attention": 1.0, "weight_jitter": 0.0}
    options = {"n_clusters": 40, "random_state": 0}
    voting = RolePopulation(4, **options, **whole).fit(sentences)
    single = RoleNetwork(**options).fit(sentences)
    # With seeds 0 to 2 the gains are .085, .052 and .040.
    assert mapped_accuracy(voting, dev) - mapped_accuracy(single, dev) > 0.02
