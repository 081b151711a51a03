"""What every zero-label learner keeps to: no labels, sklearn conventions, pure prediction."""

import inspect
import itertools

import naive
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline

from hebbsim.errors import BadInputError
from hebbsim.models import HebbianRoleInducer, RolePopulation, types
from hebbsim.models.types import chances, draw_occurrences
from hebbsim.models.vocabulary import Encoded, shape_features
from hebbsim.probes import RoleReadout
from hebbsim.readers.grammar import make_builtin

K = 12
SMALL = {
    "n_categories": 10, "n_components": 8, "n_context_words": 60, "n_directions": 6, "epochs": 2,
}  # fmt: skip
LEARNERS = {
    "inducer": lambda **changes: HebbianRoleInducer(**{"n_clusters": K, **SMALL, **changes}),
    "population": lambda random_state=0, **changes: RolePopulation(
        3, n_clusters=K, random_state=random_state, options={**SMALL, **changes}
    ),
}
CLASSES = [HebbianRoleInducer, RolePopulation]
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


@pytest.fixture(scope="module")
def inducer():
    return LEARNERS["inducer"]().fit(TRAIN)


@every_learner
def test_fit_tells_how_far_it_is_and_learns_the_same(kind):
    shares = []
    told = LEARNERS[kind]().fit(TRAIN, progress=shares.append)
    steps = np.diff([0.0, *shares])
    assert (steps > 0).all() and steps.max() < 0.2 and shares[-1] == 1
    assert snapshot(told) == snapshot(LEARNERS[kind]().fit(TRAIN))


def n_tokens(sentences):
    return sum(map(len, sentences))


def snapshot(value, path="learner"):
    """Every number that an object holds, by where it stands."""
    if isinstance(value, np.ndarray):
        return {path: (value.dtype.str, value.shape, value.tobytes())}
    if isinstance(value, np.random.Generator):
        return {path: str(value.bit_generator.state)}
    if isinstance(value, list | tuple):
        parts = dict(enumerate(value))
    elif isinstance(value, dict):
        parts = value
    elif hasattr(value, "__dict__"):
        parts = vars(value)
    else:
        return {path: repr(value)}
    found = {path: list(parts)}
    for name, part in parts.items():
        found |= snapshot(part, f"{path}.{name}")
    return found


def differences(a, b):
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


# No labels --------------------------------------------------------------------------------


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
    assert not hasattr(learner, "vocabulary_") and not hasattr(learner, "members_")
    with pytest.raises(TypeError):
        type(learner)(roles=["SUBJ"])


def test_a_derived_learner_takes_no_roles_either(fitted):
    for name in ("y", "roles", "labels"):
        with pytest.raises(TypeError):
            fitted.derive(TRAIN, **{name: ["SUBJ"] * N_TOKENS})


# sklearn conventions ----------------------------------------------------------------------


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
    assert not hasattr(clone(learner), "vocabulary_")
    assert not hasattr(clone(learner), "members_")


@every_learner
def test_fit_starts_afresh(kind):
    again = LEARNERS[kind]().fit(TRAIN[:60]).fit(TRAIN[60:])
    once = LEARNERS[kind]().fit(TRAIN[60:])
    assert not differences(snapshot(again), snapshot(once))


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


# The same, and not the same ---------------------------------------------------------------


@every_learner
def test_the_same_seed_learns_the_same(kind):
    twins = [LEARNERS[kind]().fit(TRAIN) for _ in range(2)]
    assert not differences(snapshot(twins[0]), snapshot(twins[1]))
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


@pytest.mark.parametrize("shuffled", [False, True])
@every_learner
def test_prediction_learns_nothing(kind, shuffled):
    learner = LEARNERS[kind](shuffle_traces=shuffled).fit(TRAIN)
    first = learner.predict(DEV), learner.transform(DEV), learner.word_codes(["the", "zorble"])
    before = snapshot(learner)
    assert len(before) > 10
    learner.predict(ODD)
    learner.transform(ODD)
    learner.word_codes(["sphinxing", "the"])
    learner.predict(TRAIN[::-1])
    learner.derive(TRAIN[:30])
    assert not differences(before, snapshot(learner))
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


def test_long_calls_are_not_cut_inside_a_sentence(inducer):
    long = [word for sentence in TRAIN * 10 for word in sentence]  # beyond one block of work
    parts = [[["the", "grumbling"], *DEV], [long], [*ODD, *DEV]]
    found = inducer.transform([sentence for part in parts for sentence in part])
    apart = np.vstack([inducer.transform(part) for part in parts])
    np.testing.assert_allclose(found, apart, atol=1e-5)


# Shapes -----------------------------------------------------------------------------------


def test_clusters_of_all_tokens():
    found = LEARNERS["inducer"]().fit(TRAIN).predict(DEV)
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


def test_the_vector_is_the_own_code_beside_its_contexts(inducer):
    both = inducer.derive(TRAIN).transform(DEV)
    own = inducer.derive(TRAIN, view="own").transform(DEV)
    around = inducer.derive(TRAIN, view="traces").transform(DEV)
    assert own.shape == (n_tokens(DEV), SMALL["n_categories"])
    assert around.shape[1] > 0
    np.testing.assert_allclose(both, np.hstack([own, around]), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1, atol=1e-5)
    words = [word for sentence in DEV for word in sentence]
    known = [at for at, word in enumerate(words) if word in inducer.vocabulary_.index]
    codes = inducer.word_codes([words[at] for at in known])
    np.testing.assert_allclose(own[known] ** 2, codes, atol=1e-5)


def test_own_view_sees_the_word_alone_and_traces_view_all_but_the_word(inducer):
    a, b, c, d = list(inducer.vocabulary_.index)[2:6]
    base, word_changed, around_changed = [a, b, c], [a, d, c], [d, b, a]
    for view, same, other in (
        ("own", around_changed, word_changed),
        ("traces", word_changed, around_changed),
    ):
        learner = inducer.derive(TRAIN, view=view)
        vector = learner.transform([base])[1]
        np.testing.assert_allclose(learner.transform([same])[1], vector, atol=1e-6)
        assert not np.allclose(learner.transform([other])[1], vector, atol=1e-3)


def test_shuffled_traces_change_contexts_only(inducer):
    plain = inducer.derive(TRAIN).transform(DEV)
    shuffled = inducer.derive(TRAIN, shuffle_traces=True).transform(DEV)
    n_own = SMALL["n_categories"]
    assert plain.shape == shuffled.shape
    assert np.array_equal(plain[:, :n_own], shuffled[:, :n_own])
    assert not np.isclose(plain[:, n_own:], shuffled[:, n_own:]).all(axis=1).any()


def test_a_derived_learner_shares_the_codes_and_relearns_the_rest(inducer):
    twin = inducer.derive(TRAIN)
    assert np.array_equal(twin.predict(DEV), inducer.predict(DEV))
    other = inducer.derive(TRAIN, n_clusters=5, timescales=(3,), random_state=9)
    assert other.get_params() == {
        **inducer.get_params(), "n_clusters": 5, "timescales": (3,), "random_state": 9,
    }  # fmt: skip
    assert np.array_equal(other.word_codes(["the", "dog"]), inducer.word_codes(["the", "dog"]))
    assert set(other.predict(DEV)) <= set(range(5))
    reseeded = inducer.derive(TRAIN, random_state=9)
    assert not np.array_equal(reseeded.predict(DEV), inducer.predict(DEV))
    with pytest.raises(BadInputError, match="view"):
        inducer.derive(TRAIN, view="sideways")


def test_random_prototypes_are_vectors_of_training_tokens_and_learn_nothing(inducer):
    random = inducer.derive(TRAIN, prototypes="random")
    vectors, centres = random.transform(TRAIN), random.prototypes_.centres
    assert np.array_equal(random.transform(DEV), inducer.transform(DEV))  # all else is the same
    assert centres.shape == (K, vectors.shape[1])
    assert all((vectors == centre).all(axis=1).any() for centre in centres)
    assert not np.array_equal(centres, inducer.prototypes_.centres)
    again, reseeded = (
        inducer.derive(TRAIN, prototypes="random", random_state=seed) for seed in (0, 9)
    )
    assert np.array_equal(again.predict(DEV), random.predict(DEV))
    assert not np.array_equal(reseeded.predict(DEV), random.predict(DEV))
    streamed = random.derive(TRAIN).partial_fit(DEV)
    assert np.array_equal(streamed.prototypes_.centres, centres)
    assert streamed.n_tokens_seen_ == N_TOKENS + n_tokens(DEV)


# Words and sentences ----------------------------------------------------------------------


def test_codes_of_words_known_and_unknown_sum_to_one(fitted):
    words = ["the", "dog", "zorble", "Quux-7", "...", "", "sphinxing", "the"]
    codes = fitted.word_codes(words)
    assert codes.shape == (len(words), SMALL["n_categories"])
    assert codes.dtype == np.float32
    assert np.isfinite(codes).all()
    assert (codes >= 0).all()
    np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(codes[0], codes[-1])
    assert not np.allclose(codes[0], codes[1])
    assert fitted.word_codes([]).shape == (0, SMALL["n_categories"])


def test_an_unknown_word_is_judged_by_its_context(inducer):
    known = inducer.derive(TRAIN, view="own")
    a, b, *_ = inducer.vocabulary_.index
    one, other = known.transform([[a, "zorble", b]])[1], known.transform([[b, "zorble"]])[1]
    assert not np.allclose(one, other, atol=1e-4)


@pytest.mark.parametrize("view", ["both", "own", "traces"])
def test_unknown_words_are_predicted(inducer, view):
    learner = inducer.derive(TRAIN, view=view)
    assert np.isfinite(learner.transform(ODD)).all()
    assert learner.predict(ODD).shape == (n_tokens(ODD),)


def test_a_rare_word_is_judged_where_it_stands_and_a_common_one_is_not():
    learner = LEARNERS["inducer"](rare_from="occurrence", view="own").fit(TRAIN)
    counts = learner.vocabulary_.counts
    words = np.array(list(learner.vocabulary_.index))
    rare = words[(counts > 0) & (counts <= 4 * learner.rare)][0]
    common = words[counts > 4 * learner.rare][2]
    a, b = words[:2]
    for word, moves in ((rare, True), (common, False)):
        one, other = learner.transform([[a, word, b]])[1], learner.transform([[b, word]])[1]
        assert np.array_equal(one, other) != moves
    # Out of context either is what its type is.
    codes = learner.types_.codes[[list(words).index(w) for w in (rare, common)]]
    assert np.array_equal(learner.word_codes([rare, common]), codes)


def test_the_share_of_its_own_signature_grows_with_what_was_seen():
    """n/(n + r) of the word's signature, the rest foretold from the occurrence at hand."""
    learner = LEARNERS["inducer"](rare_from="occurrence").fit(TRAIN)
    types, vocabulary = learner.types_, learner.vocabulary_
    words = list(vocabulary.index)
    id_ = int(np.flatnonzero((vocabulary.counts > 1) & (vocabulary.counts <= 20))[0])
    encoded = vocabulary.encode([[words[0], words[id_], words[1]]])
    rows, table = types.lookup(encoded, vocabulary)
    around = naive.code_contexts(encoded.ids, [0, 3], types.context_codes, types.timescales)
    features = [
        types.shapes.index[f] for f in shape_features(words[id_]) if f in types.shapes.index
    ]
    guess = naive.predict_code(
        around[:, 1].ravel(), features, types.context_weights, types.bias, types.shape_weights
    )
    n = int(vocabulary.counts[id_])
    own = n / (n + learner.rare)
    point = own * types.points[id_] + (1 - own) * guess / np.linalg.norm(guess)
    expected = types.categories.soft(point[None].astype(np.float32), types.sharpness)[0]
    np.testing.assert_allclose(table[rows[1]], expected, atol=1e-5)
    assert rows[0] == encoded.ids[0]  # a common word has the code of its type


def test_a_guess_of_codes_multiplies_evidence_and_mixes_with_the_words_own_code():
    """n/(n + r) of the word's code, the rest the softmax of context and shape."""
    learner = LEARNERS["inducer"](rare_from="occurrence", rare_by="code").fit(TRAIN)
    types, vocabulary = learner.types_, learner.vocabulary_
    words = list(vocabulary.index)
    id_ = int(np.flatnonzero((vocabulary.counts > 1) & (vocabulary.counts <= 20))[0])
    encoded = vocabulary.encode([[words[0], words[id_], words[1]], ["zorbled"]])
    rows, table = types.lookup(encoded, vocabulary)
    own_code = types.categories.soft(types.points[id_ : id_ + 1], types.sharpness)[0]
    n = int(vocabulary.counts[id_])
    for at, word, own in ((1, words[id_], n / (n + learner.rare)), (3, "zorbled", 0)):
        around = naive.code_contexts(rows.clip(max=len(words)), [0, 3, 4], types.context_codes,
                                     types.timescales)  # fmt: skip
        features = [types.shapes.index[f] for f in shape_features(word) if f in types.shapes.index]
        guess = naive.predict_categories(
            around[:, at].ravel(), features, types.context_weights, types.bias, types.shape_weights
        )
        np.testing.assert_allclose(table[rows[at]], own * own_code + (1 - own) * guess, atol=1e-4)
    np.testing.assert_allclose(table.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("rare_by", ["signature", "code"])
def test_context_tells_what_kind_of_word_stands_there(rare_by):
    """A word never seen is coded more like the word whose place it took than any word is."""
    learner = LEARNERS["inducer"](rare_from="occurrence", rare_by=rare_by).fit(TRAIN)
    replaced = [(s[1], [s[0], "zzz", *s[2:]]) for s in TRAIN[:100] if len(s) > 3]
    vocabulary = learner.vocabulary_
    rows, table = learner.types_.lookup(
        vocabulary.encode([sentence for _, sentence in replaced]), vocabulary
    )
    starts = np.cumsum([0, *(len(sentence) for _, sentence in replaced)])[:-1]
    guessed = table[rows[starts + 1]]
    due = learner.word_codes([word for word, _ in replaced])
    usual = due.mean(axis=0)
    assert (guessed * due).sum(axis=1).mean() > 1.5 * (due @ usual).mean()


def test_occurrences_are_drawn_by_the_weight_of_their_type():
    weights, counts = np.array([1.0, 3.0, 0.0, 2.0]), np.array([10**6, 10**6, 10**6, 0])
    chance = chances(weights, counts)
    np.testing.assert_allclose(chance, [0.01, 0.03, 0, 0])  # 40,000 in all
    assert chances(weights, np.array([1, 1, 1, 1])).tolist() == [1, 1, 0, 1]
    learner = LEARNERS["inducer"]().fit(TRAIN)
    types, encoded = learner.types_, learner.vocabulary_.encode([*DEV[:3], ["zorble", "ran"]])
    wanted = np.zeros(len(types.codes))
    drawn = encoded.ids[encoded.ids >= 0][[0, 2]]
    wanted[drawn] = 1
    args = (types.context_codes, types.keep, types.alpha, np.random.default_rng(0))
    rows, x = draw_occurrences(encoded, wanted, *args)
    ids = np.where(encoded.ids < 0, len(wanted), encoded.ids)
    here = np.isin(ids, drawn)
    around = naive.code_contexts(ids, encoded.offsets, types.context_codes, types.timescales)
    assert rows.tolist() == ids[here].tolist()
    expected = around[:, here].transpose(1, 0, 2, 3).reshape(here.sum(), -1)
    np.testing.assert_allclose(x, expected, atol=1e-5)
    nothing = draw_occurrences(encoded, 0 * wanted, *args)
    assert nothing[0].shape == (0,) and nothing[1].shape == (0, x.shape[1])


def test_empty_sentences_hold_no_token(fitted):
    with_empty = [[], *DEV[:5], [], [], *ODD, []]
    without = [*DEV[:5], *ODD]
    assert np.array_equal(fitted.predict(with_empty), fitted.predict(without))
    assert np.array_equal(fitted.transform(with_empty), fitted.transform(without))


@every_learner
def test_empty_sentences_teach_nothing(kind):
    gaps = [part for sentence in TRAIN for part in ([], sentence)]
    one, other = LEARNERS[kind]().fit(TRAIN), LEARNERS[kind]().fit(gaps)
    assert not differences(snapshot(one), snapshot(other))


@every_learner
def test_sentences_may_be_any_sequences(kind):
    plain = LEARNERS[kind]().fit(TRAIN)
    other = LEARNERS[kind]().fit(tuple(tuple(sentence) for sentence in TRAIN))
    assert np.array_equal(plain.predict(DEV), other.predict(map(tuple, DEV)))
    streamed = LEARNERS[kind]().fit(sentence for sentence in TRAIN)
    assert np.array_equal(plain.predict(DEV), streamed.predict(sentence for sentence in DEV))


# More text, bounded vocabulary ------------------------------------------------------------


class Stream:
    """Sentences that can be read once."""

    def __init__(self, sentences):
        self.sentences, self.starts, self.given = sentences, 0, 0

    def __iter__(self):
        self.starts += 1
        for sentence in self.sentences:
            self.given += 1
            yield sentence


@every_learner
def test_more_text_is_read_once_and_changes_the_codes(kind):
    text = Stream([*corpus.splits["test"].sentences(), ["a", "glorp", "glorped"]] * 5)
    plain, more = LEARNERS[kind]().fit(TRAIN), LEARNERS[kind]().fit(TRAIN, text=text)
    assert (text.starts, text.given) == (1, len(text.sentences))
    words = ["the", "dog", "glorp"]
    assert not np.allclose(plain.word_codes(words), more.word_codes(words), atol=1e-3)
    assert len(more.predict(DEV)) == n_tokens(DEV)


def test_contexts_in_the_text_count_not_its_words_alone():
    backwards = [sentence[::-1] for sentence in TRAIN]  # the same words, as often
    one, other = (LEARNERS["inducer"]().fit(TRAIN, text=text) for text in (TRAIN, backwards))
    assert one.vocabulary_.index == other.vocabulary_.index
    assert not np.allclose(one.word_codes(["the"]), other.word_codes(["the"]), atol=1e-3)


def test_words_of_the_text_become_known_and_its_tokens_are_not_clustered():
    text = [["a", "glorp", "glorped"]] * 5
    learner = LEARNERS["inducer"]().fit(TRAIN, text=iter(text))
    assert {"glorp", "glorped"} <= set(learner.vocabulary_.index)
    assert learner.n_tokens_seen_ == N_TOKENS
    counts = dict(zip(learner.vocabulary_.index, learner.vocabulary_.counts, strict=True))
    assert counts["glorp"] == 5
    assert counts["a"] == 5 + sum(sentence.count("a") for sentence in TRAIN)


@pytest.mark.parametrize("max_types", [1, 25])
@every_learner
def test_the_vocabulary_is_bounded_and_the_rest_still_predicted(kind, max_types):
    learner = LEARNERS[kind](max_types=max_types).fit(TRAIN, text=DEV)
    one = learner if kind == "inducer" else learner.members_[0]
    words = [word for sentence in TRAIN + DEV for word in sentence]
    counts = sorted((words.count(word) for word in set(words)), reverse=True)
    assert len(one.vocabulary_) == len(one.types_.codes) == max_types
    assert sorted(one.vocabulary_.counts, reverse=True) == counts[:max_types]  # the commonest
    assert len(learner.predict(DEV)) == n_tokens(DEV)
    assert np.isfinite(learner.transform(DEV)).all()
    np.testing.assert_allclose(learner.word_codes(sorted(set(words))).sum(axis=1), 1, atol=1e-5)


# Streams ----------------------------------------------------------------------------------


CHUNKS = [TRAIN[:80], TRAIN[80:81], TRAIN[81:120], [], [[]], TRAIN[120:]]


def test_a_stream_is_learned_in_chunks():
    learner, seen = LEARNERS["inducer"](), []
    for chunk in CHUNKS:
        assert learner.partial_fit(iter(chunk)) is learner
        seen += chunk
        assert set(learner.vocabulary_.index) == {word for sentence in seen for word in sentence}
        counts = [sum(sentence.count(word) for sentence in seen) for word in ("the", "a")]
        index = learner.vocabulary_.index
        assert [learner.vocabulary_.counts[index[word]] for word in ("the", "a")] == counts
        assert learner.n_tokens_seen_ == n_tokens(seen)
        found = learner.predict([*DEV, *ODD])
        assert found.shape == (n_tokens(DEV) + n_tokens(ODD),)
        assert set(found) <= set(range(K))
        assert np.isfinite(learner.transform([*DEV, *ODD])).all()
        codes = learner.word_codes([*index, "zorble"])
        np.testing.assert_allclose(codes.sum(axis=1), 1, atol=1e-5)


def test_the_first_chunk_is_a_fit():
    once, streamed = LEARNERS["inducer"]().fit(TRAIN), LEARNERS["inducer"]().partial_fit(TRAIN)
    assert not differences(snapshot(once), snapshot(streamed))
    with pytest.raises(BadInputError, match="tokens"):
        LEARNERS["inducer"]().partial_fit([["a", "dog"]])


def test_every_chunk_changes_codes_and_prototypes_unless_it_is_empty():
    learner = LEARNERS["inducer"]().fit(TRAIN[:80])
    words = list(learner.vocabulary_.index)[:5]
    for chunk in (TRAIN[80:120], [], [[], []], TRAIN[120:]):
        codes, vectors = learner.word_codes(words), learner.transform(DEV)
        centres = learner.prototypes_.centres.copy()
        learner.partial_fit(chunk)
        taught = n_tokens(chunk) > 0
        assert np.array_equal(codes, learner.word_codes(words)) != taught
        assert np.array_equal(vectors, learner.transform(DEV)) != taught
        assert np.array_equal(centres, learner.prototypes_.centres) != taught


def test_streams_repeat_and_fit_forgets_them():
    one, other = LEARNERS["inducer"](), LEARNERS["inducer"]()
    for chunk in CHUNKS:
        one.partial_fit(chunk)
        other.partial_fit(chunk).predict(DEV)  # asking in between changes nothing
    assert not differences(snapshot(one), snapshot(other))
    fresh = LEARNERS["inducer"]().fit(TRAIN[:80])
    assert not differences(snapshot(one.fit(TRAIN[:80])), snapshot(fresh))


def test_a_stream_keeps_to_the_bound_on_types():
    learner = LEARNERS["inducer"](max_types=40)
    for chunk in CHUNKS:
        learner.partial_fit(chunk)
        assert len(learner.vocabulary_) == len(learner.types_.codes) == 40
    assert len(learner.predict(DEV)) == n_tokens(DEV)
    size = {name: getattr(a, "nbytes", 0) for name, a in vars(learner.types_).items()}
    learner.partial_fit(TRAIN * 3)
    assert size == {name: getattr(a, "nbytes", 0) for name, a in vars(learner.types_).items()}


def test_mean_contexts_of_a_long_stream_still_move():
    learner = LEARNERS["inducer"]().fit(TRAIN)
    learner.vocabulary_.counts *= 2**40  # as after years of reading
    word = learner.vocabulary_.index["the"]
    before = learner.types_.contexts[word].copy()
    odd = [["the", "the"]] * 5000
    moved = learner.partial_fit(odd).types_.contexts[word] - before
    encoded = learner.vocabulary_.encode(odd[:1])
    mean = naive.code_contexts(
        encoded.ids, encoded.offsets, learner.types_.context_codes, learner.types_.timescales
    ).mean(axis=1)
    expected = 10_000 / (2**20 + 10_000) * (mean.ravel() - before)
    np.testing.assert_allclose(moved, expected, atol=1e-5)


def test_sums_begin_anew_before_float32_stops_counting(monkeypatch):
    monkeypatch.setattr(types, "LONGEST_SUM", 4)
    text = types.Text([Encoded(np.zeros(n, np.int32), np.arange(n + 1), []) for n in (4, 2, 2)])
    amounts = iter([2.0**24, 1.0, 1.0])

    def add(ids, offsets, sums):
        sums += np.float32(next(amounts))

    assert text._summed((1,), add).tolist() == [2**24 + 2]


@pytest.mark.parametrize("view", ["own", "traces"])
def test_either_view_learns_from_a_stream(view):
    learner = LEARNERS["inducer"](view=view)
    for chunk in CHUNKS:
        learner.partial_fit(chunk)
    assert np.isfinite(learner.transform([*DEV, *ODD])).all()


# Little text, refusals --------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "sentences",
    [[["a"]], [["a", "a"]], [["a"]] * 9, [["a", "b", "c"]], [[str(n)] for n in range(9)]],
)
def test_as_many_clusters_as_tokens(sentences):
    for view in ("both", "own", "traces"):
        n = n_tokens(sentences)
        learner = HebbianRoleInducer(n_clusters=n, view=view).fit(sentences)
        found = learner.predict([*sentences, *ODD])
        assert len(found) == n + n_tokens(ODD)
        assert set(found) <= set(range(n))
        assert np.isfinite(learner.transform([*sentences, *ODD])).all()
        np.testing.assert_allclose(learner.word_codes(["a", "new"]).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("timescales", [1, (1,), (1.5,), "1, 4", (1, 1000)])
def test_any_timescales_learn(timescales):
    learner = LEARNERS["inducer"](timescales=timescales).fit(TRAIN)
    assert np.isfinite(learner.transform(DEV)).all()
    assert len(set(learner.predict(DEV))) > 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"timescales": (0,)}, "timescale 0 is below 1"),
        ({"timescales": (2, 0.5)}, "timescale 0.5"),
        ({"timescales": (2, float("nan"))}, "not finite"),
        ({"timescales": (2, 2)}, "twice"),
        ({"timescales": "2,eight"}, "not a number"),
        ({"timescales": ()}, "no timescales"),
        ({"view": "sideways"}, "view 'sideways' is unknown: choose both, own or traces"),
        ({"prototypes": "drawn"}, "prototypes 'drawn' is unknown: choose learned or random"),
        ({"n_clusters": 0}, "n_clusters is 0: give a whole number from 1 on"),
        ({"n_clusters": -4}, "n_clusters"),
        ({"n_clusters": float("nan")}, "n_clusters"),
        ({"n_categories": 0}, "n_categories"),
        ({"n_components": 0}, "n_components"),
        ({"n_context_words": 0}, "n_context_words"),
        ({"rounds": 0}, "rounds"),
        ({"rare": -0.1}, "rare"),
        ({"rare_from": "context"}, "rare_from 'context' is unknown: choose type or occurrence"),
        ({"rare_by": "role"}, "rare_by 'role' is unknown: choose signature or code"),
        ({"rare": float("nan")}, "rare"),
        ({"min_count": 0}, "min_count"),
        ({"n_directions": 0}, "n_directions"),
        ({"epochs": 0}, "epochs"),
        ({"max_types": 0}, "max_types"),
        ({"weight_spread": 1}, "weight_spread"),
        ({"weight_spread": -0.1}, "weight_spread"),
        ({"weight_spread": float("nan")}, "weight_spread"),
        ({"context_share": 0}, "context_share"),
        ({"context_share": 1.1}, "context_share"),
        ({"context_share": float("nan")}, "context_share"),
    ],
)
def test_parameters_out_of_range_are_refused_in_one_line(changes, words):
    with pytest.raises(BadInputError, match=words) as caught:
        LEARNERS["inducer"](**changes).fit(TRAIN)
    assert "\n" not in str(caught.value)


# Learning ---------------------------------------------------------------------------------


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
    learner = HebbianRoleInducer(n_clusters=60).fit(sentences)
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
    score = mapped_accuracy(RolePopulation(4, n_clusters=60).fit(sentences), dev)
    single = mapped_accuracy(HebbianRoleInducer(n_clusters=60).fit(sentences), dev)
    assert score > single - 0.01


def test_types_compete_by_their_endings_too():
    # Two endings in the same contexts: only how words end can tell them apart.
    rng = np.random.default_rng(0)
    stems = [f"{a}{b}" for a in "bdfgklmp" for b in "aeiou"]
    words = [[f"{stem}mari", f"{stem}kolu"] for stem in stems]
    sentences = [
        ["oh", str(rng.choice(words[rng.integers(len(words))])), "so"] for _ in range(1500)
    ]

    def told_apart(ending_weight):
        small = {"n_categories": 6, "n_components": 6, "n_context_words": 20, "n_directions": 5}
        learner = HebbianRoleInducer(n_clusters=6, ending_weight=ending_weight, **small)
        learner.fit(sentences).partial_fit([["oh", "zzmari", "so"]] * 20)
        codes = learner.word_codes([word for pair in words for word in pair] + ["xxmari"])
        ours, others = codes[0:-1:2].mean(axis=0), codes[1::2].mean(axis=0)
        unseen = codes[-1]
        return np.abs(ours - others).sum(), np.abs(unseen - ours).sum()

    without, _ = told_apart(0.0)
    apart, unseen = told_apart(1.0)
    assert apart > 1.5 > 0.7 > without
    assert unseen < 0.5  # a word never seen is taken for what it ends like


def test_members_share_the_vocabulary_and_differ_in_everything_drawn():
    members = LEARNERS["population"]().fit(TRAIN).members_
    first, second = members[:2]
    assert all(member.vocabulary_ is first.vocabulary_ for member in members)
    assert not np.array_equal(first.types_.codes, second.types_.codes)
    # Words seen at the length that a member gives its own code, contexts at theirs.
    width = first.types_.codes.shape[1]
    lengths = [np.linalg.norm(member.transform(DEV)[:, :width], axis=1) for member in members]
    for length in lengths:
        assert np.allclose(length, length[0], atol=1e-5)
        assert 0.4 <= length[0] <= 1.6
    assert abs(lengths[0][0] - lengths[1][0]) > 1e-3
    assert {len(np.hstack(member._attended[0])) for member in members} != {2 * first.n_directions}


def test_a_learner_alone_weights_nothing_by_chance(inducer):
    width = inducer.types_.codes.shape[1]
    assert np.allclose(np.linalg.norm(inducer.transform(DEV)[:, :width], axis=1), 1, atol=1e-5)


def test_what_a_population_derives_attends_to_everything():
    derived = LEARNERS["population"]().fit(TRAIN).derive(TRAIN)
    assert (derived.context_share, derived.weight_spread) == (1.0, 0.0)


@pytest.mark.parametrize("use", ["predict", "transform", "word_codes", "derive"])
@every_learner
def test_nothing_is_answered_before_fit(kind, use):
    with pytest.raises(NotFittedError, match="fit"):
        getattr(LEARNERS[kind](), use)([["a"]])


@pytest.mark.parametrize("nothing", [[], [[]], [[], []]])
def test_nothing_to_predict(fitted, nothing):
    assert fitted.predict(nothing).shape == fitted.predict(DEV)[:0].shape
    assert fitted.transform(nothing).shape == fitted.transform(DEV)[:0].shape


def test_learning_on_leaves_derived_learners_alone():
    parent = LEARNERS["inducer"]().fit(TRAIN[:80])
    child = parent.derive(TRAIN[:80], random_state=4)
    before = [learner.transform(DEV) for learner in (parent, child)]
    child.partial_fit(TRAIN[80:])
    assert np.array_equal(before[0], parent.transform(DEV))
    again = parent.derive(TRAIN[:80], random_state=4)
    parent.partial_fit(TRAIN[80:])
    assert np.array_equal(before[1], again.transform(DEV))


def test_a_stream_teaches_roles(larger):
    sentences, dev = larger.splits["train"].sentences(), larger.splits["dev"]
    majority = np.unique(dev.layers["grammatical"], return_counts=True)[1].max() / dev.n_tokens
    learner = HebbianRoleInducer(n_clusters=60)
    score = []
    for start in range(0, 600, 150):
        learner.partial_fit(sentences[start : start + 150])
        score.append(mapped_accuracy(learner, dev))
    assert score[-1] > majority + 0.4, score
    assert score[-1] > score[0] - 0.01, score


def test_learning_on_keeps_the_codes_of_words_that_stay_the_same(larger):
    # More of the same text: a word stays in the category that it had.
    sentences = larger.splits["train"].sentences()
    learner = HebbianRoleInducer(n_clusters=60).fit(sentences)
    known = learner.types_.counts >= learner.min_count
    before = learner.types_.codes[known].argmax(axis=1)
    learner.partial_fit(sentences)
    assert (learner.types_.codes[known].argmax(axis=1) == before).mean() > 0.5


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_stream_is_learned_whatever_the_rounds(rounds):
    learner = LEARNERS["inducer"](rounds=rounds).partial_fit(TRAIN[:80]).partial_fit(TRAIN[80:])
    assert np.isfinite(learner.transform(DEV)).all()


@every_learner
def test_a_bounded_vocabulary_and_sentences_that_can_be_read_once(kind):
    learner = LEARNERS[kind](max_types=25).fit(iter(TRAIN))
    assert len(learner.predict(iter(DEV))) == n_tokens(DEV)


def test_more_clusters_than_tokens_are_refused_when_deriving(inducer):
    with pytest.raises(BadInputError, match="clusters for"):
        inducer.derive(TRAIN, n_clusters=N_TOKENS + 1)
    with pytest.raises(BadInputError, match="0 tokens"):
        inducer.derive([])


@pytest.mark.parametrize("name", ["n_categories", "n_components", "rounds", "rare", "max_types"])
def test_what_the_codes_depend_on_cannot_be_derived(inducer, name):
    with pytest.raises((BadInputError, TypeError), match=name):
        inducer.derive(TRAIN, **{name: 3})


@pytest.mark.parametrize(
    "changes",
    [
        {"n_clusters": 2.5}, {"n_clusters": "5"}, {"n_clusters": None}, {"n_categories": 2.5},
        {"epochs": 1.5}, {"max_types": 2.5}, {"sharpness": float("nan")}, {"sharpness": -1},
        {"context_weight": float("nan")}, {"context_weight": -1}, {"conscience": float("nan")},
        {"conscience": -1}, {"frequent": -1}, {"frequent": 0}, {"frequent": float("nan")},
        {"random_state": -1}, {"random_state": 1.5},
    ],
)  # fmt: skip
def test_other_parameters_that_make_no_sense_are_refused_in_one_line(changes):
    (name,) = changes
    with pytest.raises(BadInputError, match=name) as caught:
        LEARNERS["inducer"](**changes).fit(TRAIN)
    assert "\n" not in str(caught.value)


def test_members_in_parallel_learn_the_same():
    learners = [LEARNERS["population"]().set_params(n_members=6, n_jobs=n) for n in (None, 1, 2, 5)]
    one, *others = [learner.fit(TRAIN) for learner in learners]
    for other in others:
        for a, b in zip(one.members_, other.members_, strict=True):
            assert not differences(snapshot(a), snapshot(b))
        assert np.array_equal(one.predict(DEV), other.predict(DEV))
        assert np.array_equal(one.transform(DEV), other.transform(DEV))


@pytest.mark.parametrize("n_members", [0, -1])
def test_a_population_without_members_is_refused(n_members):
    with pytest.raises(BadInputError, match="n_members"):
        RolePopulation(n_members, n_clusters=K, options=SMALL).fit(TRAIN)


@every_learner
def test_a_sentence_is_words_not_one_string(kind):
    with pytest.raises(BadInputError, match="words"):
        LEARNERS[kind]().fit(["the dog saw a cat"] * 20)
