"""Rivals that learn without labels: against slow forms of themselves, and on what they are told."""

from __future__ import annotations

import ast

import naive_rivals as naive
import numpy as np
import pytest
from scipy.sparse import csr_array
from test_imports import imports_of

from hebbsim.baselines import BiGRUConfig
from hebbsim.config import read_toml
from hebbsim.errors import BadInputError, LibraryMissingError
from hebbsim.experiments.tune.config import read_range
from hebbsim.rivals import RIVALS, SETTINGS, masked, new_rival, rival_class, settings_for
from hebbsim.rivals.base import Types
from hebbsim.rivals.brown import brown_tree
from hebbsim.rivals.hmm import Parameters, expectations
from hebbsim.rivals.spectral import ppmi


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_classes", [1, 4, 20])
def test_brown_clusters_are_those_of_trying_every_merge(seed, n_classes):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.5, 4, size=(9, 9)))
    counts[0, 1] += 1
    tree = brown_tree(csr_array(counts), n_classes)
    leaves, merges = naive.brown(counts, n_classes)
    of_class = [set(np.flatnonzero(tree.classes == c)) for c in range(len(leaves))]
    assert of_class == leaves
    nodes = list(of_class)
    for (a, b), pair in zip(tree.merges, merges, strict=True):
        assert (nodes[a], nodes[b]) == pair
        nodes.append(nodes[a] | nodes[b])


@pytest.mark.parametrize("seed", range(4))
def test_forward_backward_sums_over_every_sequence_of_states(seed):
    rng = np.random.default_rng(seed)
    start, move = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), size=3)
    emit = rng.dirichlet(np.ones(5), size=3).T
    sentences = [rng.integers(5, size=n).astype(np.int32) for n in (2, 5, 1, 4, 5)]
    given = Parameters(*(part.astype(np.float32) for part in (start, move, emit)))
    counts, states = expectations(given, sentences)
    expected = [naive.hmm(start, move, emit, sentence) for sentence in sentences]
    for found, parts in zip(counts, list(zip(*expected, strict=True))[:3], strict=True):
        np.testing.assert_allclose(found, sum(parts), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(states, np.concatenate([e[3] for e in expected]), atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
def test_pointwise_mutual_information_entry_by_entry(smoothing):
    pairs = np.random.default_rng(0).integers(6, size=(40, 2))
    expected = naive.ppmi(pairs, 6, smoothing)
    np.testing.assert_allclose(ppmi(pairs, 6, smoothing).toarray(), expected, atol=1e-12)


# --- every rival ----------------------------------------------------------------------------

SMALL = {
    "skipgram": {"size": 8, "epochs": 2},
    "spectral": {"size": 8},
    "brown": {"classes": 6},
    "hmm": {"epochs": 3},
    "hmm-online": {"batch": 16},
    "masked-bigru": {},
}


@pytest.fixture(scope="module", autouse=True)
def small_network():
    """A masked BiGRU of few updates."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masked, "config_of", lambda _: BiGRUConfig(hidden=16, min_updates=60))
        yield


@pytest.fixture(scope="module")
def sentences():
    rng = np.random.default_rng(0)
    nouns, verbs = ["cat", "dog", "girl", "Bird"], ["saw", "fed"]
    drawn = [[rng.choice(nouns), rng.choice(verbs), rng.choice(nouns), "."] for _ in range(60)]
    return [list(map(str, words)) for words in drawn]


def made(name, n_clusters=5, seed=0, **settings):
    rival = new_rival(name, n_clusters, seed, SMALL[name] | settings)
    try:
        rival.require_library()
    except LibraryMissingError as error:
        pytest.skip(str(error))
    return rival


@pytest.fixture(scope="module", params=RIVALS)
def fitted(request, sentences):
    """Clusters of a rival, found once."""
    return request.param, made(request.param).fit(sentences)


def test_a_rival_gives_every_token_a_cluster_and_shares(fitted, sentences):
    _, rival = fitted
    others = [["cat", "ate", "dog"], [], ["Zebra"], *sentences[:3]]
    found = rival.memberships(others)
    assert found.clusters.shape == found.shares.shape == (16, 5)
    assert found.clusters.dtype == np.int32 and set(found.clusters.ravel()) <= set(range(5))
    assert found.shares.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert (np.diff(found.shares, axis=1) <= 1e-6).all()
    assert np.array_equal(rival.predict(others), found.clusters[:, 0])
    assert rival.prototypes_.shape[0] == 5 and np.isfinite(rival.prototypes_).all()
    assert rival.predict([]).shape == (0,)


def test_a_rival_is_repeatable_and_fit_begins_anew(fitted, sentences):
    name, rival = fitted
    before = rival.predict(sentences)
    assert np.array_equal(before, rival.predict(sentences)), "prediction changes nothing"
    other = made(name).fit(sentences[:20])
    assert np.array_equal(other.fit(sentences).predict(sentences), before)
    # Of another seed the numbers of the clusters differ, if nothing else.
    assert not np.array_equal(made(name, seed=1).fit(sentences).predict(sentences), before)


def test_a_rival_sees_neighbours(fitted, sentences):
    name, _ = fitted
    settings = {"epochs": 30} if name == "hmm" else {}
    rival = made(name, n_clusters=8, **settings).fit(sentences)
    clusters = rival.predict([["cat", "saw", "dog", "."], ["dog", "saw", "cat", "."]])
    subjects, objects = {clusters[0], clusters[4]}, {clusters[2], clusters[6]}
    assert not subjects & objects


@pytest.mark.parametrize("name", [n for n in RIVALS if n not in ("hmm", "hmm-online")])
def test_more_clusters_than_tokens_are_refused(name):
    with pytest.raises(BadInputError, match="9 clusters of 4 tokens"):
        made(name, n_clusters=9).fit([["a", "b"], ["a", "c"]])


def test_rare_words_share_a_type_by_their_looks():
    types = Types([["walked", "talked", "Oslo", "the", "the"]], rare=1, ending=2)
    one, two, other, common = types.numbers(["walked", "jumped", "Oslo", "the"])
    assert one == two and len({one, other, common}) == 3
    plain = Types([["walked", "talked", "Oslo", "the", "the"]], rare=1)
    assert len(set(plain.numbers(["walked", "Oslo", "new"]))) == 1


def test_settings_that_dev_chose_are_settings_of_a_rival():
    for kind, rivals in read_toml(SETTINGS, "").items():
        assert kind in ("builtin", "cogs", "natural")
        for name, settings in rivals.items():
            assert settings_for(name, [kind]) == settings
            new_rival(name, 3, 0, settings)
    with pytest.raises(BadInputError, match="brown has no 'size': choose classes, ending"):
        new_rival("brown", 3, 0, {"size": 2})


def test_every_range_is_of_a_setting(sentences):
    for name in RIVALS:
        rng = np.random.default_rng(0)
        drawn = {each.name: each.draw(rng) for each in map(read_range, rival_class(name).RANGES)}
        new_rival(name, 3, 0, drawn)


def test_rivals_know_nothing_of_the_learner():
    for path in SETTINGS.parent.glob("*.py"):
        imported = {module for module, _ in imports_of(ast.parse(path.read_text("utf-8")))}
        learners = tuple(
            f"hebbsim.{part}" for part in ("engine", "models", "tagging", "runs", "experiments")
        )
        assert not [module for module in imported if module.startswith(learners)], path
