"""Words as numbers: order, counts, bounds, unknown words, shape features."""

import numpy as np
import pytest

from hebbsim.errors import BadInputError
from hebbsim.models.vocabulary import EndingCodes, ShapeFeatures, Vocabulary, shape_features

TEXT = [["the", "dog", "saw", "the", "cat"], [], ["the", "cat"], ["a", "dog", "sat"]]


def test_words_are_numbered_as_they_come_and_counted():
    vocabulary = Vocabulary(max_types=100)
    encoded = vocabulary.take_in(TEXT)
    assert list(vocabulary.index) == ["the", "dog", "saw", "cat", "a", "sat"]
    assert encoded.ids.tolist() == [0, 1, 2, 0, 3, 0, 3, 4, 1, 5]
    assert encoded.ids.dtype == np.int32
    assert encoded.offsets.tolist() == [0, 5, 7, 10]  # without the empty sentence
    assert encoded.offsets.dtype == np.int64
    assert encoded.unknown == []
    assert vocabulary.counts.tolist() == [3, 2, 1, 2, 1, 1]
    assert len(vocabulary) == 6


def test_the_vocabulary_grows_with_the_stream():
    whole, parts = Vocabulary(100), Vocabulary(100)
    whole.take_in(TEXT)
    for sentence in TEXT:
        parts.take_in([sentence])
    assert parts.index == whole.index
    assert np.array_equal(parts.counts, whole.counts)


def test_a_full_vocabulary_leaves_new_words_unknown_and_counts_the_others():
    vocabulary = Vocabulary(max_types=3)
    encoded = vocabulary.take_in(TEXT)
    assert list(vocabulary.index) == ["the", "dog", "saw"]
    assert encoded.ids.tolist() == [0, 1, 2, 0, -1, 0, -1, -1, 1, -1]
    assert encoded.unknown == ["cat", "cat", "a", "sat"]
    assert vocabulary.counts.tolist() == [3, 2, 1]


@pytest.mark.parametrize(
    ("sentences", "said"),
    [([["a", 7]], "a word is 7, of type int: words are text"), ([[b"a"]], "a word is b'a'"),
     ([["a"], [["b"]]], r"a word is \['b'\], of type list"), ([[None]], "a word is None"),
     ([np.arange(3)], "of type int64"), ([7], "a sentence is 7: give a list of words"),
     (["text"], "a sentence is the text 'text'")],
)  # fmt: skip
def test_words_that_are_no_text_are_refused_in_one_line(sentences, said):
    for read in (Vocabulary(10).take_in, Vocabulary(10).encode):
        with pytest.raises(BadInputError, match=said) as caught:
            read(sentences)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("nothing", [[], [[]], [[], []], iter([])])
def test_no_text(nothing):
    vocabulary = Vocabulary(10)
    encoded = vocabulary.take_in(nothing)
    assert encoded.ids.shape == (0,)
    assert encoded.offsets.tolist() == [0]
    assert len(vocabulary) == len(vocabulary.counts) == 0


def test_encoding_learns_nothing():
    vocabulary = Vocabulary(100)
    taken = vocabulary.take_in(TEXT)
    index, counts = dict(vocabulary.index), vocabulary.counts.copy()
    encoded = vocabulary.encode([*TEXT, ["a", "bird", "saw", "fish"]])
    assert vocabulary.index == index
    assert np.array_equal(vocabulary.counts, counts)
    assert np.array_equal(encoded.ids[:10], taken.ids)
    assert encoded.ids[10:].tolist() == [4, -1, 2, -1]
    assert encoded.offsets.tolist() == [0, 5, 7, 10, 14]
    assert encoded.unknown == ["bird", "fish"]


def test_encoded_arrays_are_the_callers_own():
    encoded = Vocabulary(10).take_in(TEXT)
    encoded.ids[:] = 0
    encoded.offsets[:] = 0


def test_admitted_words_have_no_count_yet():
    vocabulary = Vocabulary(3)
    vocabulary.take_in([["b", "b"]])
    vocabulary.admit(["a", "b", "c", "d"])
    assert vocabulary.index == {"b": 0, "a": 1, "c": 2}
    assert vocabulary.counts.tolist() == [2, 0, 0]


def test_sorting_puts_the_commonest_first_and_drops_the_rest():
    vocabulary = Vocabulary(100)
    before = vocabulary.take_in(TEXT)
    renumbered = vocabulary.sort(3)
    # "dog" came before "cat": ties stay in the order of arrival.
    assert vocabulary.index == {"the": 0, "dog": 1, "cat": 2}
    assert vocabulary.counts.tolist() == [3, 2, 2]
    assert renumbered.tolist() == [0, 1, -1, 2, -1, -1, -1]
    assert np.array_equal(renumbered[before.ids], vocabulary.encode(TEXT).ids)
    assert renumbered[np.int32(-1)] == -1  # unknown stays unknown
    vocabulary.take_in([["new"]])
    assert "new" not in vocabulary.index  # no more room than it was sorted for


@pytest.mark.parametrize(
    ("word", "features"),
    [
        ("a", ["length 1"]),
        ("ran", ["-n", "-an", "r-", "ra-", "length 3"]),
        ("walked", ["-d", "-ed", "-ked", "-lked", "w-", "wa-", "wal-", "length 6"]),
        ("4th", ["-h", "-th", "4-", "4t-", "digit", "length 3"]),
        ("...", ["-.", "-..", ".-", "..-", "mark", "has .", "length 3"]),
        ("", ["mark", "length 0"]),
    ],
)
def test_shape_of_a_word(word, features):
    assert shape_features(word) == features


def test_long_words_count_as_twelve_letters():
    assert shape_features("internationalisation")[-1] == "length 12"


def test_features_are_kept_where_enough_words_share_them():
    words = ["walked", "talked", "baked", "cat"]
    shapes = ShapeFeatures(words, min_words=3)
    assert set(shapes.index) == {"-d", "-ed", "-ked"}
    assert sorted(shapes.index.values()) == list(range(len(shapes)))
    active, n_active = shapes.active(["liked", "red", "cat", "unheard"])
    assert n_active.tolist() == [3, 2, 0, 1]
    names = {number: name for name, number in shapes.index.items()}
    found = [{names[f] for f in row[:n]} for row, n in zip(active, n_active, strict=True)]
    assert found == [{"-d", "-ed", "-ked"}, {"-d", "-ed"}, set(), {"-d"}]


def test_no_shared_feature_and_no_word():
    shapes = ShapeFeatures(["cat", "dog"], min_words=5)
    assert len(shapes) == 0
    active, n_active = shapes.active(["cat"])
    assert active.shape == (1, 1)
    assert n_active.tolist() == [0]
    active, n_active = shapes.active([])
    assert active.shape == (0, 1)
    assert n_active.shape == (0,)


def test_words_that_end_alike_have_like_codes():
    stems = ["b", "d", "f", "g", "k", "l", "m", "p"]
    words = [stem + ending for stem in stems for ending in ("ari", "olu")]
    codes = EndingCodes(ShapeFeatures(words, min_words=5), 200, np.random.default_rng(0))
    found = codes.of([*words, "x", "zari"])
    length = np.linalg.norm(found, axis=1)
    assert np.allclose(length[:-2], 1, atol=1e-5) and length[-2] == 0  # x: nothing shared
    alike = found @ found.T
    assert alike[0, 2] > 0.99 and alike[0, -1] > 0.99  # bari, dari; zari was never seen
    assert abs(alike[0, 1]) < 0.3  # bari, bolu
    # Beginnings have no code, however many words share them.
    starts = EndingCodes(
        ShapeFeatures([f"pre{i}" for i in "abcdefgh"], 5), 20, np.random.default_rng(0)
    )
    assert not starts.of(["prea"]).any()
