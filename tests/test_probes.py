"""Probes against closed forms, library oracles and hand-computed cases."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import precision_recall_fscore_support

from hebbsim.errors import BadInputError
from hebbsim.probes import (
    CLUSTERING,
    RoleReadout,
    accuracy,
    adjusted_rand,
    compare,
    decide_role,
    decide_split,
    label_equivalence,
    many_to_one,
    one_to_one,
    resample_sums,
    role_scores,
    seed_interval,
    sentence_sums,
    variation_of_information,
    verdicts,
)

ROLES = np.array(["OBJ", "SUBJ", "DET"])


def random_tokens(seed: int, n: int = 400, k: int = 12, p: int | None = None):
    rng = np.random.default_rng(seed)
    shape = (n,) if p is None else (n, p)
    return rng.integers(k, size=shape), ROLES[rng.choice(3, size=n, p=[0.5, 0.3, 0.2])]


# --- read-out ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_majority_mapping_equals_a_slow_count(seed):
    ids, roles = random_tokens(seed)
    readout = RoleReadout().fit(ids, roles)
    for cluster in np.unique(ids):
        of_cluster = roles[ids == cluster].tolist()
        given_role = str(readout.predict([cluster])[0])
        assert of_cluster.count(given_role) == max(of_cluster.count(r) for r in ROLES)


def test_ties_and_unseen_clusters_take_the_more_frequent_role():
    # Cluster 0 is split evenly; SUBJ is the majority over all, and sorts after OBJ.
    readout = RoleReadout().fit([0, 0, 1, 1], ["OBJ", "SUBJ", "SUBJ", "SUBJ"])
    assert readout.predict([0, 1, 5, 10**6]).tolist() == ["SUBJ"] * 4


def test_a_cluster_inside_the_range_that_was_never_seen():
    readout = RoleReadout().fit([0, 2, 2, 2], ["OBJ", "SUBJ", "SUBJ", "SUBJ"])
    assert readout.predict([1]).tolist() == readout.predict([9]).tolist() == ["SUBJ"]


def test_population_vote_by_hand():
    # Two members. Smoothed P(r|c) = (n[c,r] + P(r)) / (n[c] + 1), P(A) = P(B) = 1/2.
    ids = np.array([[0, 0], [0, 1], [0, 1], [1, 1], [1, 0], [1, 1]])
    roles = np.array(["A", "A", "B", "B", "B", "A"])
    readout = RoleReadout(smoothing=1.0).fit(ids, roles)
    # Token (0, 1): member 0 sees A 2, B 1 of 3; member 1 sees A 2, B 2 of 4.
    log_a = np.log(2.5 / 4) + np.log(2.5 / 5)
    log_b = np.log(1.5 / 4) + np.log(2.5 / 5)
    assert log_a > log_b
    assert readout.predict([[0, 1]]).tolist() == ["A"]
    # Token (1, 0): member 0 sees A 1, B 2; member 1 sees A 1, B 1.
    assert readout.predict([[1, 0]]).tolist() == ["B"]


def test_population_vote_equals_a_slow_sum():
    ids, roles = random_tokens(3, p=4)
    readout = RoleReadout(smoothing=2.5).fit(ids, roles)
    names = sorted(set(roles))
    prior = {r: np.mean(roles == r) for r in names}
    new = random_tokens(4, n=50, k=14, p=4)[0]  # clusters 12 and 13 are new
    for token, predicted in zip(new, readout.predict(new), strict=True):
        score = dict.fromkeys(names, 0.0)
        for member, cluster in enumerate(token):
            inside = roles[ids[:, member] == cluster]
            for r in names:
                p = (np.sum(inside == r) + 2.5 * prior[r]) / (len(inside) + 2.5)
                score[r] += np.log(p)
        assert score[str(predicted)] == pytest.approx(max(score.values()))


def test_a_population_of_one_is_the_majority_mapping():
    ids, roles = random_tokens(5)
    one = RoleReadout().fit(ids, roles).predict(ids)
    assert np.array_equal(one, RoleReadout().fit(ids[:, None], roles).predict(ids[:, None]))


@pytest.mark.parametrize(
    ("ids", "roles", "smoothing", "message"),
    [
        ([], [], 1.0, "got none"),
        ([0, 1], ["A"], 1.0, "2 cluster ids"),
        ([0], ["A"], 0.0, "above 0"),
        ([0], ["A"], float("nan"), "above 0"),
    ],
)
def test_readout_refuses(ids, roles, smoothing, message):
    with pytest.raises(BadInputError, match=message):
        RoleReadout(smoothing=smoothing).fit(ids, roles)


def test_readout_refuses_another_number_of_members():
    ids, roles = random_tokens(0, p=3)
    with pytest.raises(BadInputError, match="3 columns"):
        RoleReadout().fit(ids, roles).predict(ids[:, :2])


# --- metrics ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_role_scores_equal_scikit_learn(seed):
    gold, predicted = random_tokens(seed)[1], random_tokens(seed + 100)[1]
    scores = role_scores(gold, predicted)
    assert [s.support for s in scores] == sorted((s.support for s in scores), reverse=True)
    p, r, f, n = precision_recall_fscore_support(gold, predicted, labels=[s.role for s in scores])
    assert np.allclose([s.precision for s in scores], p)
    assert np.allclose([s.recall for s in scores], r)
    assert np.allclose([s.f1 for s in scores], f)
    assert [s.support for s in scores] == n.tolist()


def test_role_scores_of_codes_are_those_of_names():
    gold, predicted = random_tokens(0)[1], random_tokens(1)[1]
    names, codes = np.unique(np.concatenate([gold, predicted]), return_inverse=True)
    assert role_scores(gold, predicted) == role_scores(codes[:400], codes[400:], names)


def test_a_role_never_predicted_scores_zero():
    (score,) = [s for s in role_scores(np.array(["A", "B"]), np.array(["A", "A"])) if s.role == "B"]
    assert (score.recall, score.precision, score.f1) == (0, 0, 0)


@pytest.mark.parametrize("seed", range(3))
def test_sentence_sums_equal_a_loop_and_allows_empty_sentences(seed):
    gold, predicted = random_tokens(seed, n=10)[1], random_tokens(seed + 9, n=10)[1]
    offsets = np.array([0, 3, 3, 7, 10])
    expected = [
        sum(g == p for g, p in zip(gold[a:b], predicted[a:b], strict=True))
        for a, b in pairwise(offsets)
    ]
    assert sentence_sums(gold == predicted, offsets).tolist() == expected
    assert sum(expected) / 10 == pytest.approx(accuracy(gold, predicted))


@pytest.mark.parametrize("predicted", [["SUBJ"], ["SUBJ", "OBJ", "OBJ"], "SUBJ"])
def test_one_role_is_not_right_for_every_token(predicted):
    with pytest.raises(BadInputError, match=r"gold roles of shape \(2,\), but predicted ones of"):
        accuracy(["SUBJ", "OBJ"], predicted)


@pytest.mark.parametrize("name", CLUSTERING)
def test_measures_of_clusters_ignore_their_names(name):
    measure, _ = CLUSTERING[name]
    ids, roles = random_tokens(1, k=3)
    assert measure(roles, ids) == pytest.approx(measure(roles, np.array([7, 0, 4])[ids]))
    perfect = np.unique(roles, return_inverse=True)[1]
    assert measure(roles, perfect) == pytest.approx(float(name != "variation_of_information"))
    assert measure(roles, ids) != pytest.approx(measure(roles, perfect))


def counted(roles, ids):
    """Tokens by pair, by role and by cluster, one at a time."""
    pairs = list(zip(roles.tolist(), ids.tolist(), strict=True))
    return Counter(pairs), Counter(r for r, _ in pairs), Counter(c for _, c in pairs)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [2, 3, 5])
def test_measures_of_clusters_equal_their_definitions(seed, k):
    ids, roles = random_tokens(seed, n=60, k=k)
    n, (pairs, of_role, of_cluster) = len(ids), counted(roles, ids)
    named = {c: max(ROLES, key=lambda role, c=c: pairs[role, c]) for c in of_cluster}
    right = sum(named[c] == role for role, c in zip(roles, ids.tolist(), strict=True))
    assert many_to_one(roles, ids) == pytest.approx(right / n)
    # Every way to give clusters names of their own; some go without, where there are more.
    names = [*ROLES, *[None] * k]
    best = max(
        sum(pairs[role, c] for role, c in zip(order, of_cluster, strict=True))
        for order in permutations(names, len(of_cluster))
    )
    assert one_to_one(roles, ids) == pytest.approx(best / n)
    lost = sum(
        count / n * (math.log2(of_role[role] / count) + math.log2(of_cluster[c] / count))
        for (role, c), count in pairs.items()
    )
    assert variation_of_information(roles, ids) == pytest.approx(lost)

    # Of all pairs of tokens: those that are together in both, beside what chance gives.
    def together(counts):
        return sum(math.comb(count, 2) for count in counts.values())

    both, by_role, by_cluster = map(together, (pairs, of_role, of_cluster))
    chance = by_role * by_cluster / math.comb(n, 2)
    expected = (both - chance) / ((by_role + by_cluster) / 2 - chance)
    assert adjusted_rand(roles, ids) == pytest.approx(expected)


# --- intervals --------------------------------------------------------------------------


def test_seed_interval_equals_scipy():
    values = [0.91, 0.93, 0.9, 0.95, 0.92]
    estimate = seed_interval(values)
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert estimate == pytest.approx((np.mean(values), low, high))


def test_one_seed_has_no_interval():
    estimate = seed_interval([0.5])
    assert estimate.mean == 0.5 and np.isnan(estimate.low) and np.isnan(estimate.high)


def test_resamples_are_paired_and_seeded():
    counts = np.column_stack([np.arange(20.0), 3 * np.arange(20.0)])
    draws = resample_sums(counts, n_resamples=50, random_state=1)
    assert np.allclose(draws[:, 1], 3 * draws[:, 0])
    assert np.array_equal(draws, resample_sums(counts, n_resamples=50, random_state=1))
    assert not np.array_equal(draws, resample_sums(counts, n_resamples=50, random_state=2))


# --- comparisons of trained models --------------------------------------------------------


def trained(rng, p, runs, lengths, spread):
    """Right tokens of every sentence in runs whose skill varies around p, shape=(S, 1, N)."""
    skill = p + rng.normal(0, spread, size=runs)
    return np.array([rng.binomial(lengths, q) for q in skill])[:, None]


def test_without_variance_of_training_the_interval_is_that_of_scipy_over_sentences():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 12, size=300)
    a, b = rng.binomial(lengths, 0.9), rng.binomial(lengths, 0.8)
    same = [np.repeat(runs[None, None], 3, axis=0) for runs in (a, b)]
    ours = compare(*same, lengths, n_resamples=4000)
    theirs = stats.bootstrap(
        (a, b, lengths),
        lambda x, y, n, axis: (x.sum(axis) - y.sum(axis)) / n.sum(axis),
        paired=True, vectorized=True, method="percentile", n_resamples=4000, random_state=1,
    ).confidence_interval  # fmt: skip
    assert ours.difference.mean == pytest.approx((a - b).sum() / lengths.sum())
    assert ours.difference.low == pytest.approx(theirs.low, abs=0.003)
    assert ours.difference.high == pytest.approx(theirs.high, abs=0.003)
    assert ours.ratio.low < a.sum() / b.sum() < ours.ratio.high


def test_without_variance_of_sentences_the_test_is_welchs():
    # 4,000 sentences of one token, of which a run gets exactly its share right.
    shares = ([0.90, 0.92, 0.93, 0.91, 0.95], [0.88, 0.90, 0.91])
    runs = [np.array([np.arange(4000) < 4000 * x for x in own])[:, None] for own in shares]
    found = compare(*runs, np.ones(4000, dtype=int), n_resamples=4000)
    theirs = stats.ttest_ind(*shares, equal_var=False)
    half = (found.difference.high - found.difference.low) / 2
    interval = theirs.confidence_interval(0.95)
    # Sentences add a little to the variance.
    assert 1 <= half / ((interval.high - interval.low) / 2) < 1.15
    assert theirs.pvalue < found.p < 1.6 * theirs.pvalue


def rejections(compare_once, repeats=150):
    return np.mean([compare_once(np.random.default_rng(i)).p < 0.05 for i in range(repeats)])


@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_models_of_equal_skill_are_told_apart_by_chance_alone(spread):
    def once(rng):
        lengths = rng.integers(3, 12, size=120)
        models = [trained(rng, 0.8, n, lengths, spread) for n in (5, 4)]
        return compare(*models, lengths, n_resamples=200)

    assert rejections(once) <= 0.08  # 5 % and twice its standard error


def test_a_difference_that_is_there_is_found():
    def once(rng):
        lengths = rng.integers(3, 12, size=120)
        models = [trained(rng, p, 5, lengths, 0.01) for p in (0.9, 0.8)]
        return compare(*models, lengths, n_resamples=200)

    assert rejections(once, repeats=20) == 1


@pytest.mark.parametrize("paired", [True, False])
def test_draws_that_both_models_share_are_no_difference_between_them(paired):
    """What labelled sentences were drawn moves both models; pairing takes it out."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(8, 12, size=400)
    skill = 0.75 + rng.normal(0, 0.05, size=5)
    mine = np.array([[rng.binomial(lengths, q + 0.03) for q in skill] for _ in range(4)])
    theirs = np.array([[rng.binomial(lengths, q) for q in skill]])
    found = compare(mine, theirs, lengths, paired_draws=paired)
    assert found.difference.mean == pytest.approx(0.03, abs=0.01)
    assert (found.p < 0.05) == paired


def test_one_training_run_shows_no_difference():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 12, size=100)
    several, one = trained(rng, 0.9, 5, lengths, 0), trained(rng, 0.2, 1, lengths, 0)
    found = compare(several, one, lengths)
    assert np.isnan(found.p) and np.isnan(found.difference.low)
    assert verdicts([found.difference.mean], [found.p])[0][1] == "no difference shown"
    # A rival without a seed has no variance of training.
    assert compare(several, one, lengths, other_is_trained=False).p < 0.001


@pytest.mark.parametrize(("holding", "tested"), [(9, False), (10, True)])
def test_a_role_in_a_handful_of_sentences_is_not_tested(holding, tested):
    totals = (np.arange(200) < holding).astype(int)
    mine, theirs = np.tile(totals, (3, 1, 1)), np.zeros((3, 1, 200), dtype=int)
    found = compare(mine, theirs, totals)
    assert found.difference.mean == 1 and np.isfinite(found.p) == tested


def test_a_model_against_itself_differs_by_nothing():
    correct, lengths = np.tile([[[1, 4, 2]], [[1, 4, 2]]], 4), np.tile([2, 5, 2], 4)
    found = compare(correct, correct, lengths)
    assert found.difference == (0, 0, 0) and found.ratio == (1, 1, 1) and found.p == 1


def test_no_ratio_to_a_model_that_has_nothing_right():
    right = np.ones((2, 1, 12), dtype=int)
    result = compare(right, 0 * right, np.ones(12, dtype=int))
    assert np.isnan(result.ratio).all() and result.difference.mean == 1


def test_verdicts_are_corrected_for_their_number():
    p = [0.03, 0.5, 0.5, 0.5]
    assert verdicts([0.1], p[:1])[0] == (0.03, "ahead")
    assert verdicts([0.1, 0, 0, 0], p)[0] == (pytest.approx(0.12), "no difference shown")
    assert [word for _, word in verdicts([-1.0, np.nan], [0.01, np.nan])] == [
        "behind", "no difference shown",
    ]  # fmt: skip


# --- label equivalence ------------------------------------------------------------------


def points(*means, runs=3):
    """Runs of a curve that has these sums on one sentence."""
    return [np.full((runs, 1), mean) for mean in means]


def test_equivalence_interpolates_in_log_sentences():
    found = label_equivalence([10, 100, 400], points(60.0, 80.0, 90.0), points(85.0)[0])
    assert found.sentences == pytest.approx(200) and found.place == "within"


@pytest.mark.parametrize(("target", "place", "end"), [(5.0, "below", 30), (95.0, "above", 300)])
def test_equivalence_outside_the_curve_is_said(target, place, end):
    found = label_equivalence([30, 300], points(60.0, 90.0), points(target)[0])
    assert found.place == place and found.sentences == pytest.approx(end)


def test_a_curve_that_dips_is_levelled_by_isotonic_regression():
    curve = points(50.0, 80.0, 70.0, 90.0)  # levelled: 50, 75, 75, 90
    at = [
        label_equivalence([10, 30, 100, 300], curve, points(t)[0]).sentences for t in (62.5, 82.5)
    ]
    assert at == pytest.approx([300**0.5, 30000**0.5])


@pytest.mark.parametrize(("labels", "runs", "target_runs"), [
    ([100, 1000], 5, 5),  # too far apart
    ([100, 300], 2, 5),  # too few runs
    ([100, 300], 5, 1),
])  # fmt: skip
def test_points_that_do_not_allow_a_number_give_none(labels, runs, target_runs):
    curve, target = points(60.0, 90.0, runs=runs), points(80.0, runs=target_runs)[0]
    assert label_equivalence(labels, curve, target) is None
    assert label_equivalence([100, 300], points(60.0, 90.0), points(80.0)[0]) is not None


def test_equivalence_interval_shrinks_with_more_sentences_and_grows_with_the_curves_own_spread():
    rng = np.random.default_rng(0)

    def width(n, spread):
        lengths = np.full(n, 8)
        curve = [trained(rng, p, 4, lengths, spread)[:, 0] for p in (0.7, 0.8, 0.9)]
        found = label_equivalence([10, 30, 90], curve, trained(rng, 0.85, 4, lengths, 0)[:, 0])
        assert found.low <= found.sentences <= found.high
        return np.log(found.high / found.low)

    assert width(2500, 0) < width(100, 0)
    assert width(2500, 0) < width(2500, 0.02)


@pytest.mark.parametrize("labels", [[30], [30, 30], [300, 30]])
def test_equivalence_refuses_a_curve_that_is_none(labels):
    with pytest.raises(BadInputError, match="increasing"):
        label_equivalence(labels, points(*labels), points(1.0)[0])


# --- structure --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lookup", "traces", "decided"),
    [
        (0.6, 0.7, "structure"),
        (0.7, 0.6, "content"),
        (0.6, 0.69, "either"),
        (0.1, 0.49, "neither"),
        (0.0, 0.5, "structure"),
    ],
)
def test_decide_role(lookup, traces, decided):
    assert decide_role(lookup, traces) == decided


@pytest.mark.parametrize(
    ("gold", "lookup", "lookup_dev", "decided"),
    [
        ("DET OBJ OBJ", "DET SUBJ SUBJ", 0.9, "structure"),
        ("DET OBJ OBJ", "DET SUBJ SUBJ", 0.3, "other"),  # lookup does no worse than on dev
        ("DET OBJ DET", "MOD SUBJ MOD", 0.9, "other"),  # its errors lie elsewhere
        ("DET OBJ", "DET OBJ", 1.0, "other"),
    ],
)
def test_decide_split(gold, lookup, lookup_dev, decided):
    found = decide_split(
        np.array(gold.split()),
        np.array(lookup.split()),
        lookup_dev=lookup_dev,
        structure_roles={"OBJ", "SUBJ"},
    )
    assert found.decided == decided


# --- properties -------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ABC")), min_size=1, max_size=40))
def test_the_mapping_is_the_best_many_to_one_mapping_of_its_own_tokens(tokens):
    ids = np.array([c for c, _ in tokens])
    roles = np.array([r for _, r in tokens])
    best = sum(max(np.sum(roles[ids == c] == r) for r in set(roles)) for c in set(ids.tolist()))
    assert np.sum(RoleReadout().fit(ids, roles).predict(ids) == roles) == best
