"""Contexts of tokens and types: oracles, a case by hand, boundaries, unknown words."""

from itertools import pairwise

import naive
import numpy as np
import pytest

from hebbsim.engine.contexts import sum_word_contexts
from hebbsim.engine.network.contexts import sentence_contexts

TAUS = (1, 1.5, 2, 8, 32)
N_ROWS, N_WORDS = 6, 4

rng = np.random.default_rng(0)
TEXTS = {
    "random": (rng.integers(0, N_ROWS, 60), [0, 1, 9, 9, 30, 60]),
    "literal": ([0, 1, 2, 0], [0, 3, 4]),
    "repeated": (np.full(15, 2), [0, 5, 15]),
    "one token": ([3], [0, 1]),
    "empty": ([], [0]),
}


def token_contexts(ids, offsets, codes, taus):
    """Of the traces in a sentence of a network, shape=(2, T, S, C + 1)."""
    tau = np.array(taus, dtype=np.float32)
    ids, out = np.array(ids, dtype=np.int32), []
    for first, last in pairwise(offsets):
        here = np.full((last - first, 2, len(tau), codes.shape[1] + 1), np.nan, dtype=np.float32)
        sentence_contexts(codes[ids[first:last]], 1 - 1 / tau, 1 / tau, here)
        out.append(here)
    return np.concatenate(out).swapaxes(0, 1)


def word_sums(ids, offsets, taus, reach, n_rows=N_ROWS):
    tau = np.array(taus, dtype=np.float64)[:, None]
    weights = (1 / tau * (1 - 1 / tau) ** np.arange(reach)).astype(np.float32)
    sums = np.zeros((n_rows, 2, len(taus), N_WORDS + 2), dtype=np.float32)
    ids, offsets = np.array(ids, dtype=np.int32), np.array(offsets, dtype=np.int64)
    sum_word_contexts(ids, offsets, N_WORDS, weights, sums)
    return sums


def code_arguments(ids, offsets, taus):
    tau = np.array(taus, dtype=np.float64)
    keep, alpha = (1 - 1 / tau).astype(np.float32), (1 / tau).astype(np.float32)
    return np.array(ids, dtype=np.int32), np.array(offsets, dtype=np.int64), keep, alpha


def some_codes(n=N_ROWS, width=3):
    return np.random.default_rng(1).dirichlet(np.ones(width), n).astype(np.float32)


@pytest.mark.parametrize("reach", [1, 3, 61])
@pytest.mark.parametrize("case", TEXTS)
def test_word_contexts_equal_the_sums_they_stand_for(case, reach):
    found = word_sums(*TEXTS[case], TAUS, reach)
    expected = naive.word_contexts(*TEXTS[case], N_WORDS, TAUS, N_ROWS, reach)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_two_words_by_hand():
    # "w0 w1", tau = 2: a neighbour weighs 1/2, the one beyond 1/4; the boundary is the last.
    sums = word_sums([0, 1], [0, 2], [2], 5)
    left, right = sums[:2, 0, 0], sums[:2, 1, 0]
    assert left.tolist() == [[0, 0, 0, 0, 0, 0.5], [0.5, 0, 0, 0, 0, 0.25]]
    assert right.tolist() == [[0, 0.5, 0, 0, 0, 0.25], [0, 0, 0, 0, 0, 0.5]]
    out = token_contexts([0, 1], [0, 2], np.eye(2, dtype=np.float32), [2])
    assert out[0, :, 0].tolist() == [[0, 0, 1], [0.5, 0, 0.5]]  # full of the boundary
    assert out[1, :, 0].tolist() == [[0, 0.5, 0.5], [0, 0, 1]]


def test_words_without_a_column_share_one_and_words_without_a_row_have_none():
    ids, offsets = [0, 5, 1, -1, 2], [0, 5]
    sums = word_sums(ids, offsets, [2, 8], 10, n_rows=5)
    np.testing.assert_allclose(
        sums, naive.word_contexts(ids, offsets, N_WORDS, [2, 8], 5, 10), rtol=1e-5
    )
    assert sums[1, :, 0, N_WORDS].tolist() == [0.5, 0.5]  # 5 to the left, -1 to the right
    assert not sums[3:].any()  # neither 5 nor -1 was added to a row


def test_sums_are_added_to():
    ids, offsets = TEXTS["random"]
    ids, offsets = np.array(ids, dtype=np.int32), np.array(offsets, dtype=np.int64)
    weights = np.array([[0.5, 0.25]], dtype=np.float32)
    once, twice = np.zeros((2, N_ROWS, 2, 1, N_WORDS + 2), dtype=np.float32)
    sum_word_contexts(ids, offsets, N_WORDS, weights, once)
    for _ in range(2):
        sum_word_contexts(ids, offsets, N_WORDS, weights, twice)
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)


def test_word_sums_have_the_same_bits_however_the_text_is_cut():
    source = np.random.default_rng(5)
    ids = source.integers(0, N_ROWS, 2_300_000).astype(np.int32)  # more than two blocks
    inner = np.unique(source.integers(1, len(ids), 300_000))
    inner = inner[(inner < 5000) | (inner > 1_200_000)]  # and a sentence longer than one
    offsets = np.concatenate([[0], inner, [len(ids)]])
    weights = np.array([[0.5, 0.25, 0.125], [0.2, 0.1, 0.05]], dtype=np.float32)
    whole, parts = np.zeros((2, N_ROWS, 2, 2, N_WORDS + 2), dtype=np.float32)
    sum_word_contexts(ids, offsets, N_WORDS, weights, whole)
    n = len(offsets)
    for start, stop in ((0, 7), (7, n // 3), (n // 3, n - 1)):
        sum_word_contexts(ids, offsets[start : stop + 1], N_WORDS, weights, parts)
    assert np.array_equal(whole, parts)
    assert whole.all()


def test_tau_one_sees_the_next_word_alone():
    out = token_contexts([0, 1, 2], [0, 3], np.eye(3, dtype=np.float32), [1])[:, :, 0]
    boundary = 3
    assert np.array_equal(out[0], np.eye(4)[[boundary, 0, 1]])
    assert np.array_equal(out[1], np.eye(4)[[1, 2, boundary]])
    sums = word_sums([0, 1, 2], [0, 3], [1], 10)[:3, :, 0]
    assert np.array_equal(sums[:, 0], np.eye(6)[[5, 0, 1]])
    assert np.array_equal(sums[:, 1], np.eye(6)[[1, 2, 5]])


def test_sentences_do_not_see_each_other():
    ids, codes = rng.integers(0, N_ROWS, 20), some_codes()
    together = token_contexts(ids, [0, 7, 20], codes, TAUS)
    assert np.array_equal(together[:, :7], token_contexts(ids[:7], [0, 7], codes, TAUS))
    assert np.array_equal(together[:, 7:], token_contexts(ids[7:], [0, 13], codes, TAUS))
    apart = word_sums(ids[:7], [0, 7], TAUS, 30) + word_sums(ids[7:], [0, 13], TAUS, 30)
    np.testing.assert_allclose(word_sums(ids, [0, 7, 20], TAUS, 30), apart, rtol=1e-4, atol=1e-6)


def test_directions_mirror_each_other():
    ids, codes = rng.integers(0, N_ROWS, 12), some_codes()
    ahead = token_contexts(ids, [0, 12], codes, TAUS)
    behind = token_contexts(ids[::-1], [0, 12], codes, TAUS)
    assert np.array_equal(ahead[0], behind[1][::-1])
    assert np.array_equal(ahead[1], behind[0][::-1])


def test_what_a_trace_of_a_network_holds_adds_up_to_one():
    out = token_contexts(np.zeros(9), [0, 9], some_codes(), [4, 30])
    np.testing.assert_allclose(out.sum(axis=-1), 1, rtol=1e-5)
