"""Summaries of parts of a text, merged in any order, against one pass over the whole."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hebbsim.engine.prediction import learn_prediction
from hebbsim.errors import HebbsimError
from hebbsim.models.components import Components
from hebbsim.models.sharded import _TEXT, LARGEST_BLOCK, InProcess, Shards, encode, read_part
from hebbsim.models.summaries import (
    Moments,
    RowSums,
    Wins,
    WordCounts,
    from_fixed,
    merge_all,
    principal_directions,
    to_fixed,
)
from hebbsim.models.types import Text
from hebbsim.models.vocabulary import Vocabulary

#: A text, and in how many parts, merged in which order, two by two.
texts = st.lists(
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=9), min_size=2, max_size=30
)
orders = st.randoms(use_true_random=False)

#: Half a step of float32 at one, and of the grid of fixed point. A float32 sum of n values
#: whose sizes add up to s is off by n * UNIT * s at most, whatever the order (Higham 2002,
#: Accuracy and Stability of Numerical Algorithms, section 4.2).
UNIT, GRID = 2.0**-24, 2.0**-27


def parts_of(text, random):
    n = random.randint(1, len(text))
    cuts = sorted(random.sample(range(1, len(text)), n - 1)) if n > 1 else []
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def merged(summaries, random):
    """Merged in a random tree: any two at a time."""
    left = list(summaries)
    while len(left) > 1:
        random.shuffle(left)
        left.append(left.pop().merge(left.pop()))
    return left[0]


@settings(max_examples=60, deadline=None)
@given(texts, orders)
def test_counts_and_the_order_of_words_are_those_of_one_pass(text, random):
    whole = Vocabulary(max_types=100)
    whole.take_in(text)
    whole.sort(5)
    parts = [WordCounts.of(part, number) for number, part in enumerate(parts_of(text, random))]
    found = merged(parts, random).vocabulary(5)
    assert list(found.index) == list(whole.index)
    assert found.counts.tolist() == whole.counts.tolist()


@settings(max_examples=40, deadline=None)
@given(texts, orders)
def test_signatures_merge_to_those_of_one_pass_and_exactly_in_any_order(text, random):
    vocabulary = Vocabulary(max_types=100)
    whole = vocabulary.take_in(text)
    parts = [vocabulary.encode(part) for part in parts_of(text, random)]
    weights = np.float32([[0.5, 0.25, 0.125], [0.1, 0.09, 0.081]])
    codes = np.random.default_rng(0).random((len(vocabulary) + 1, 3), dtype=np.float32)
    keep, alpha = np.float32([0.5, 0.9]), np.float32([0.5, 0.1])
    for sums in (
        lambda part: Text([part]).sum_words(len(vocabulary), 4, weights),
        lambda part: Text([part]).sum_codes(len(vocabulary), codes, keep, alpha),
    ):
        summaries = [RowSums.of(sums(part)) for part in parts]
        found = merged(summaries, random)
        expected = sums(whole)
        table = found.table(len(vocabulary)).reshape(expected.shape)
        # Both are sums of positive float32 values, up to four a token (three places and the
        # boundary); each part is rounded to the grid.
        n = 4 * len(whole.ids)
        np.testing.assert_allclose(table, expected, rtol=2 * n * UNIT, atol=len(parts) * GRID)
        assert found.sums.tobytes() == merge_all(summaries).sums.tobytes()


@settings(max_examples=40, deadline=None)
@given(texts, orders)
def test_rows_that_only_some_parts_hold_are_kept(text, random):
    vocabulary = Vocabulary(max_types=100)
    vocabulary.take_in(text)
    counts = []
    for part in parts_of(text, random):
        rows, n = np.unique(vocabulary.encode(part).ids, return_counts=True)
        counts.append(RowSums(rows.astype(np.int64), to_fixed(n[:, None])))
    table = merged(counts, random).table(len(vocabulary))
    assert table[:, 0].tolist() == vocabulary.counts.tolist()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**31), orders)
@example(n=2, seed=100_000, random=Random(0))  # a covariance of rank one, all but singular
def test_moments_give_the_predictor_of_one_pass(n, seed, random):
    rng = np.random.default_rng(seed)
    x = rng.random((2, n, 3), dtype=np.float32)
    y = rng.random((2, n, 2), dtype=np.float32)
    bounds = sorted({0, n, *rng.integers(n, size=3).tolist()})
    parts = [Moments.of(x[:, a:b], y[:, a:b]) for a, b in pairwise(bounds)]
    one, other = merged(parts, random), merge_all(parts)
    assert one.xx.tobytes() == other.xx.tobytes() and one.xy.tobytes() == other.xy.tobytes()
    weights, bias = one.predictor(ridge=0.01)
    for side in range(2):
        inputs, targets = x[side].astype(float), y[side].astype(float)
        mean, target = inputs.mean(axis=0), targets.mean(axis=0)
        centred = inputs - mean
        power = np.maximum((inputs**2).mean(axis=0), 1e-4)
        matrix = centred.T @ centred / n + 0.01 * np.diag(power)
        expected = np.linalg.solve(matrix, centred.T @ (targets - target) / n)
        # Mean products of values below one are float32 sums of up to n terms, and the grid's
        # part in them is less than UNIT: so far off is an entry, and three times as far
        # the norm of a matrix of three rows. A system that is off by `off` (relative to its
        # inverse, `amplified`) has a solution that is off by no more than this.
        off = 3 * (n + 1) * UNIT
        amplified = off * np.linalg.norm(np.linalg.inv(matrix), 2)
        assume(amplified < 0.5)
        allowed = amplified * (1 + np.linalg.norm(expected, 2)) / (1 - amplified)
        np.testing.assert_allclose(weights[side], expected, rtol=0, atol=allowed)
        # Three weights by means below one; the means are off by the grid alone.
        at = target - mean @ expected
        np.testing.assert_allclose(bias[side], at, rtol=0, atol=3 * allowed + UNIT)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(0, 2**31), orders)
def test_wins_are_those_of_all_inputs_together(n, seed, random):
    rng = np.random.default_rng(seed)
    x = rng.random((n, 4), dtype=np.float32)
    centres = rng.random((3, 4), dtype=np.float32)
    winners = rng.integers(3, size=n).astype(np.int32)
    cut = int(rng.integers(n + 1))
    parts = [Wins.of(x[s], winners[s], centres) for s in (slice(0, cut), slice(cut, n))]
    found = merged(parts, random)
    exact = x.astype(float)
    for k in range(3):
        assert found.counts[k] == (winners == k).sum()
        # Every value is rounded to the grid once; the rest is exact.
        total = exact[winners == k].sum(axis=0)
        np.testing.assert_allclose(from_fixed(found.sums[k]), total, rtol=0, atol=n * GRID)
    # Of 4 n squares of differences below one: a difference is rounded to float32 (UNIT),
    # its square is off by twice that, and the n distances by the grid.
    distance = ((exact - centres[winners]) ** 2).sum()
    allowed = 3 * 4 * n * UNIT + n * GRID
    assert from_fixed(found.distance)[0] == pytest.approx(distance, rel=0, abs=allowed)
    whole = Wins.of(x, winners, centres)
    assert found.sums.tobytes() == whole.sums.tobytes()
    assert found.distance == whole.distance


def test_the_delta_rule_comes_to_rest_where_moments_say():
    rng = np.random.default_rng(0)
    x = rng.random((4000, 3), dtype=np.float32)
    y = (x @ np.float32([[1, -1], [0, 2], [0.5, 0]]) + np.float32([0.2, -0.3])).astype(np.float32)
    weights, bias = np.zeros((3, 2), dtype=np.float32), np.zeros(2, dtype=np.float32)
    order = np.tile(np.arange(len(x)), 5)
    nothing = np.zeros((len(x), 1), dtype=np.int32)
    learn_prediction(
        x, y, order, np.full(len(order), 0.3, dtype=np.float32), np.ones(3, dtype=np.float32),
        weights, bias, nothing, np.zeros(len(x), dtype=np.int32),
        np.zeros((1, 2), dtype=np.float32), np.empty(2, dtype=np.float32),
    )  # fmt: skip
    found, at = Moments.of(x[None], y[None]).predictor(ridge=0)
    np.testing.assert_allclose(found[0], weights, atol=2e-3)
    np.testing.assert_allclose(at[0], bias, atol=2e-3)


def test_sangers_rule_comes_to_rest_where_moments_say():
    rng = np.random.default_rng(0)
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    x = (rng.standard_normal((20_000, 4)) * [4, 2, 1, 0.1] @ turn).astype(np.float32)
    online = Components(2, 4)
    online.learn(x, np.arange(len(x)))
    covariance = Moments.of(x[None], x[None]).covariance()[0]
    found = principal_directions(covariance, 2, rng)
    for one, other in zip(online.components, found, strict=True):
        lengths = np.linalg.norm(one), np.linalg.norm(other)
        assert abs(one @ other) / (lengths[0] * lengths[1]) > 0.999
        assert lengths[0] == pytest.approx(lengths[1], rel=0.1)


def test_fixed_point_is_close_and_refuses_what_does_not_fit():
    values = np.array([0.1, -3.7, 2.0**35])
    np.testing.assert_allclose(from_fixed(to_fixed(values)), values, atol=2.0**-27)
    for wrong in (np.nan, np.inf, 2.0**36, -(2.0**36)):
        with pytest.raises(HebbsimError, match="grid"):
            to_fixed([wrong])
    large = RowSums.of(np.array([[2.0**35]]))
    with pytest.raises(HebbsimError, match="too large"):
        large.merge(large).merge(large)


def test_shards_sum_what_a_text_in_memory_does():
    """Blocks, rows by shard and words without a number, against the plain sums."""
    rng = np.random.default_rng(0)
    text = [list(rng.choice(list("abcdefghij"), size=n)) for n in rng.integers(1, 12, size=300)]
    shards = Shards(InProcess(), text, 3)
    vocabulary = shards.use(max_types=8)
    (whole,) = encode(read_part(text, 0), vocabulary)
    assert len(vocabulary) == 8 and (whole.ids < 0).any()
    weights = np.float32([[0.5, 0.25]])
    codes = rng.random((9, 3), dtype=np.float32)
    keep = alpha = np.float32([0.5])
    plain = Text([whole])
    assert shards.longest() == plain.longest()
    np.testing.assert_allclose(
        shards.sum_words(8, 4, weights), plain.sum_words(8, 4, weights), rtol=1e-6, atol=1e-6
    )
    np.testing.assert_allclose(
        shards.sum_codes(8, codes, keep, alpha), plain.sum_codes(8, codes, keep, alpha), rtol=1e-5
    )
    assert [u for part in shards.encoded for e in part for u in e.unknown] == whole.unknown


def test_parts_of_a_text_are_numbered_behind_the_blocks_of_the_sentences():
    assert LARGEST_BLOCK * 64 >= _TEXT > 64
