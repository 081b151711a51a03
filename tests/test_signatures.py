"""Signatures of words over a stream: oracles, cuts, cases by hand, what codes preserve."""

import naive
import numpy as np
import pytest

from hebbsim.engine import RandomSignatures, WordSignatures
from hebbsim.engine import signatures as module
from hebbsim.errors import BadInputError

TAUS = (1, 2, 8, 32)
V, C = 9, 4

rng = np.random.default_rng(0)
TEXTS = {
    "random": (rng.integers(0, V, 200), [0, 1, 9, 9, 30, 120, 200]),
    "literal": ([0, 1, 2, 0], [0, 3, 4]),
    "repeated": (np.full(150, 2), [0, 5, 150]),
    "one token": ([3], [0, 1]),
    "empty": ([], [0]),
}
FORMS = {
    "words": lambda: WordSignatures(V, C, TAUS),
    "random": lambda: RandomSignatures(V, 20, TAUS),
    "random, left": lambda: RandomSignatures(V, 20, TAUS, sides=1),
}
every_form = pytest.mark.parametrize("form", FORMS)


def expected(signatures, ids, offsets):
    if isinstance(signatures, WordSignatures):
        return naive.word_contexts(ids, offsets, C, TAUS, V)
    codes = signatures.scale * np.float64(signatures.codes)
    both = naive.sum_random_contexts(ids, offsets, codes, TAUS, V)
    return both[:, : signatures.sums.shape[1]]


@every_form
@pytest.mark.parametrize("case", TEXTS)
def test_signatures_equal_their_oracle(form, case):
    signatures = FORMS[form]()
    assert signatures.learn(*TEXTS[case]) is signatures
    np.testing.assert_allclose(
        signatures.sums, expected(signatures, *TEXTS[case]), rtol=1e-4, atol=1e-5
    )
    assert signatures.counts.tolist() == [list(TEXTS[case][0]).count(word) for word in range(V)]


@every_form
@pytest.mark.parametrize("width", [1, 15, 16, 100])
def test_whatever_the_width(form, width):
    if form == "words":
        signatures = WordSignatures(V, width, TAUS)
        oracle = naive.word_contexts(*TEXTS["random"], width, TAUS, V)
    else:
        signatures = RandomSignatures(V, width, TAUS, sides=1 + (form == "random"))
        oracle = expected(signatures, *TEXTS["random"])
    np.testing.assert_allclose(
        signatures.learn(*TEXTS["random"]).sums, oracle, rtol=1e-4, atol=1e-4
    )


@every_form
@pytest.mark.parametrize("block", [8, 2**20])
def test_the_same_bits_however_a_stream_is_cut(form, block, monkeypatch):
    monkeypatch.setattr(module, "LONGEST_SUM", 5)
    monkeypatch.setattr(module, "BLOCK", block)
    ids, offsets = TEXTS["random"]
    whole, parts = FORMS[form]().learn(ids, offsets), FORMS[form]()
    for start, stop in ((0, 2), (2, 3), (3, 6)):
        a, b = offsets[start], offsets[stop]
        parts.learn(ids[a:b], np.array(offsets[start : stop + 1]) - a)
    assert bool(whole._earlier) == (block == 8)
    assert np.array_equal(whole.sums, parts.sums)
    assert np.array_equal(whole.counts, parts.counts)


@every_form
def test_sums_of_a_frequent_word_begin_anew(form, monkeypatch):
    ids, offsets = np.full(400, 2), np.arange(0, 401, 5)
    whole = FORMS[form]().learn(ids, offsets)
    monkeypatch.setattr(module, "LONGEST_SUM", 30)
    monkeypatch.setattr(module, "BLOCK", 23)
    signatures = FORMS[form]().learn(ids, offsets)
    assert [*signatures._earlier] == [2]
    np.testing.assert_allclose(signatures.sums, whole.sums, rtol=1e-4)
    np.testing.assert_allclose(signatures.means([3, 2]), whole.means([3, 2]), rtol=1e-4)
    np.testing.assert_allclose(signatures.means(), whole.means(), rtol=1e-4)
    # Beside 2**26, float32 does not see less than 4.
    before = np.float32(2**26) * np.sign(signatures.sums[2])
    signatures._recent[2] = before
    signatures.learn(ids, offsets).learn(ids, offsets)
    assert np.array_equal(signatures.counts, 3 * whole.counts)
    gained = signatures._earlier[2] + signatures._recent[2] - before
    np.testing.assert_allclose(gained, 3 * whole.sums[2], rtol=0.1)


@every_form
def test_without_offsets_all_is_one_sentence(form):
    ids = TEXTS["random"][0]
    one, other = FORMS[form]().learn(ids), FORMS[form]().learn(ids, [0, len(ids)])
    assert np.array_equal(one.sums, other.sums)


@every_form
def test_means_are_sums_by_occurrence(form):
    signatures = FORMS[form]().learn([1, 1, 2, 1, 5], [0, 2, 5])
    means = signatures.means()
    np.testing.assert_allclose(means[1], signatures.sums[1] / 3, rtol=1e-6)
    assert not means[3].any()
    assert np.array_equal(signatures.means([5, 1]), means[[5, 1]])


def test_two_words_by_hand():
    sums = WordSignatures(2, 2, 2).learn([0, 1]).sums[:, :, 0]
    # Columns: word 0, word 1, other words, boundary.
    assert sums[0].tolist() == [[0, 0, 0, 0.5], [0, 0.5, 0, 0.25]]
    assert sums[1].tolist() == [[0.5, 0, 0, 0.25], [0, 0, 0, 0.5]]
    random = RandomSignatures(2, 30, 2).learn([0, 1])
    codes = random.scale * random.codes
    np.testing.assert_allclose(random.sums[1, 0, 0], 0.5 * codes[0] + 0.25 * codes[2], rtol=1e-6)
    np.testing.assert_allclose(random.sums[0, 1, 0], 0.5 * codes[1] + 0.25 * codes[2], rtol=1e-6)


def test_codes_are_of_length_one_and_nearly_orthogonal():
    random = RandomSignatures(200, 3000, 2)
    codes = random.scale * random.codes
    np.testing.assert_allclose(codes @ codes.T, np.eye(201), atol=0.12)
    assert np.array_equal(random.codes, RandomSignatures(200, 3000, 2).codes)
    assert not np.array_equal(random.codes, RandomSignatures(200, 3000, 2, random_state=1).codes)


def test_products_of_exact_signatures_are_kept():
    ids = np.random.default_rng(2).zipf(1.5, 4000) % V
    offsets = np.arange(0, 4001, 10)
    exact = WordSignatures(V, V, TAUS).learn(ids, offsets).means().reshape(V, -1)
    random = RandomSignatures(V, 20_000, TAUS).learn(ids, offsets).means().reshape(V, -1)
    np.testing.assert_allclose(random @ random.T, exact @ exact.T, rtol=0.05, atol=0.05)


@every_form
@pytest.mark.parametrize("tokens, offsets", [([0, V], None), ([-1], None), ([0, 1], [0, 3])])
def test_bad_text_is_refused_and_changes_nothing(form, tokens, offsets):
    signatures = FORMS[form]()
    with pytest.raises(BadInputError):
        signatures.learn(tokens, offsets)
    assert not signatures.sums.any()
    assert not signatures.counts.any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: WordSignatures(0), lambda: WordSignatures(5, -1), lambda: RandomSignatures(0),
        lambda: RandomSignatures(5, 0), lambda: RandomSignatures(5, sides=3),
        lambda: RandomSignatures(5, timescales=0.5),
    ],
)  # fmt: skip
def test_sizes_that_make_no_sense_are_refused(make):
    with pytest.raises(BadInputError):
        make()
