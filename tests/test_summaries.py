"""Summaries of parts of a text, merged in any order, against one pass over the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbsim.errors import HebbsimError
from hebbsim.models.summaries import RowSums, WordCounts, from_fixed, merge_all, to_fixed

#: Rows of small tables, and in which order they are merged.
tables = st.lists(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9), st.integers(0, 2**31)), max_size=6),
    min_size=1,
    max_size=6,
)
orders = st.randoms(use_true_random=False)


def merged(summaries, random):
    """Merged in a random tree: any two at a time."""
    left = list(summaries)
    while len(left) > 1:
        random.shuffle(left)
        left.append(left.pop().merge(left.pop()))
    return left[0]


@settings(max_examples=40, deadline=None)
@given(tables, orders)
def test_means_are_those_of_all_vectors_and_exact_in_any_order(parts, random):
    summaries, vectors = [], {}
    for part in parts:
        rows = sorted({row for row, _, _ in part})
        there = {row: (n, np.random.default_rng(seed)) for row, n, seed in part}
        means, counts = np.zeros((len(rows), 3), dtype=np.float32), []
        for i, row in enumerate(rows):
            n, rng = there[row]
            found = rng.random((n, 3))
            vectors.setdefault(row, []).append(found)
            means[i] = found.mean(axis=0)
            counts.append(n)
        summaries.append(RowSums.of(np.array(rows, int), np.array(counts, int), means))
    one, other = merged(summaries, random), merge_all(summaries)
    assert one.sums.tobytes() == other.sums.tobytes()
    assert one.rows.tolist() == sorted(vectors)
    for row, n, mean in zip(one.rows.tolist(), one.counts, one.means(), strict=True):
        expected = np.concatenate(vectors[row])
        assert n == len(expected)
        # A mean is rounded to float32, and again; the grid adds 2**-27 a part.
        np.testing.assert_allclose(mean, expected.mean(axis=0), atol=2 * 2.0**-24 + 6 * 2.0**-27)


def test_the_commonest_words_are_the_same_however_counts_are_merged():
    parts = [WordCounts({"b": 2, "a": 1}), WordCounts({"c": 3, "a": 1}), WordCounts({"d": 1})]
    for order in (parts, parts[::-1]):
        assert list(merge_all(order).commonest(3).items()) == [("c", 3), ("a", 2), ("b", 2)]


def test_fixed_point_is_close_and_refuses_what_does_not_fit():
    values = np.array([0.1, -3.7, 2.0**35])
    np.testing.assert_allclose(from_fixed(to_fixed(values)), values, atol=2.0**-27)
    for wrong in (np.nan, np.inf, 2.0**36, -(2.0**36)):
        with pytest.raises(HebbsimError, match="grid"):
            to_fixed([wrong])
    one = np.ones(1, dtype=np.int64)
    large = RowSums.of(0 * one, one, np.array([[2.0**35]], dtype=np.float32))
    with pytest.raises(HebbsimError, match="too large"):
        large.merge(large).merge(large)
