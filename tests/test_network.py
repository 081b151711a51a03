import unicodedata
import zlib

import naive_network
import numpy as np
import pytest

from hebbsim.engine.network import Network, Plasticity, TokenLayer, WordLayer
from hebbsim.engine.network.plasticity import can_stand
from hebbsim.engine.network.shape import ending_code, piece_rows, shape_code
from hebbsim.errors import BadInputError

WORDS = "the a dog cat man owl saw fed met in on . red old runs sleeps".split()


def sentences(n, seed=0):
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, len(WORDS) + 1)
    return [
        rng.choice(WORDS, size=rng.integers(1, 9), p=weight / weight.sum()).tolist()
        for _ in range(n)
    ]


def layers(**top):
    word = {"size": 5, "n_directions": 4, "settle": 40, "visits": 2.0}
    pieces = {"pieces": 4096, "shrinkage": 3.0, "piece_shrinkage": 2.0, "beginnings": 0.3}
    token = {"size": 6, "start": 160, "settle": 60, "n_directions": 3, "subsample": 0.05}
    return [
        WordLayer("first", "text", **word),
        WordLayer(
            "second", "first", start=80, memory_floor=0.05, ending_weight=0.7, **pieces, **word
        ),
        TokenLayer("tokens", "second", **{**token, **top}),
    ]


def network(**options):
    return Network(layers(), (2, 8), **options)


@pytest.fixture(scope="module")
def learned():
    return network().learn(sentences(150))


def same(a, b):
    mine, theirs = a.state(), b.state()
    assert mine[1] == theirs[1]
    assert mine[0].keys() == theirs[0].keys()
    return all(np.array_equal(array, theirs[0][name]) for name, array in mine[0].items())


def piece_row(piece, n):
    return zlib.crc32(piece.encode()) % n if piece else n


def test_an_ending_has_up_to_six_letters_and_a_syllable_of_hangul_is_its_letters():
    same = np.array_equal
    assert same(ending_code("xabcdef"), ending_code("yabcdef"))
    assert not same(ending_code("xabcdef"), ending_code("xzbcdef"))
    assert same(ending_code("책을"), ending_code(unicodedata.normalize("NFD", "책을")))
    assert not same(ending_code("blé"), ending_code(unicodedata.normalize("NFD", "blé")))


def test_accents_of_greek_do_not_tell_endings_and_pieces_apart():
    """An iota below does: it marks the dative."""
    for one, other, alike in (("τὸν", "τόν", True), ("λόγῳ", "λόγω", False), ("né", "ne", False)):
        assert np.array_equal(ending_code(one), ending_code(other)) is alike
        assert np.array_equal(*piece_rows([one, other], 8192)) is alike


def test_equals_the_oracle_token_by_token():
    found = network(context_words=12)  # fewer than there are
    oracle = naive_network.Network(
        layers(), (2, 8), 12, lambda word: shape_code(word, 256), ending_code
    )
    for sentence in sentences(110):
        found.learn([sentence])
        oracle.learn(sentence)
    for mine, theirs in zip(found.words, oracle.words, strict=True):
        for word, row in found.index.items():
            np.testing.assert_allclose(
                mine.memory_weights.values[row], theirs.memory[word].W[0], atol=2e-5
            )
            np.testing.assert_allclose(mine.codes[row], theirs.code(word), atol=5e-3)
        assert mine.piece_counts.sum() == sum(theirs.piece_counts.values())
        for piece, weights in theirs.pieces.items():
            row = piece_row(piece, mine.pieces)
            np.testing.assert_allclose(mine.piece_weights.values[row], weights.W[0], atol=2e-5)
        np.testing.assert_allclose(mine.category_weights.values, theirs.categories.W, atol=5e-3)
    assert found.settled
    assert oracle.top.settled
    np.testing.assert_allclose(
        found.top.prototype_weights.values, oracle.top.prototypes.W, atol=2e-2
    )
    assert np.ptp(found.word_codes(["stranger"])) > 0.01  # by its pieces
    for sentence in (sentences(1, seed=5)[0], ["a", "stranger", "met", "the", "owls"]):
        np.testing.assert_allclose(found.vectors([sentence]), oracle.vectors(sentence), atol=2e-2)


@pytest.mark.parametrize("cuts", [[1], [7, 60], list(range(1, 150))])
def test_any_cutting_of_the_stream_gives_the_same_bits(learned, cuts):
    stream, found = sentences(150), network()
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found.learn(stream[start:stop])
    assert same(found, learned)


def test_reading_learns_nothing(learned):
    before = {name: array.copy() for name, array in learned.state()[0].items()}
    about = learned.state()[1]
    first = learned.vectors([*sentences(5, seed=3), ["never", "seen", "the", "dog"]])
    again = learned.vectors([*sentences(5, seed=3), ["never", "seen", "the", "dog"]])
    assert first.tobytes() == again.tobytes()
    arrays, after = learned.state()
    assert after == about
    assert all(np.array_equal(before[name], array) for name, array in arrays.items())


@pytest.mark.parametrize("stopped", [0, 3, 30, 60, 149])
def test_goes_on_from_a_file_after_any_sentence(learned, stopped):
    stream = sentences(150)
    whole = network().learn(stream[:stopped])
    found = Network(layers(), (2, 8)).restore(*whole.state())
    assert same(found.learn(stream[stopped:]), learned)


def test_shuffled_traces_go_on_from_a_file_too():
    stream = sentences(150)
    shuffled = lambda: Network(layers(shuffled=True), (2, 8))  # noqa: E731
    half = shuffled().restore(*shuffled().learn(stream[:90]).state())
    assert same(half.learn(stream[90:]), shuffled().learn(stream))


def test_a_repetition_is_no_new_evidence_of_a_word():
    stream = sentences(60)
    found = network().learn(stream)
    counts = found.counts.copy()
    found.learn(stream, again=True)
    assert np.array_equal(found.counts, counts)
    assert found.words[0].counts.sum() == 2 * counts.sum()


class TestBound:
    def test_memory_is_bounded_and_the_rarest_latest_words_go(self):
        found = network(max_words=10)
        common = [[f"w{i}" for i in range(8)]] * 3
        found.learn([*common, ["rare", "late"]])
        assert set(found.index) == {*common[0], "rare", "late"}
        row = found.index["late"]
        found.learn([["new"]])
        assert "late" not in found.index
        assert "rare" in found.index
        assert found.index["new"] == row
        assert found.words[0].counts[row] == 1  # of the word that was there before nothing is left

    def test_the_column_of_a_word_that_is_given_up_goes_to_the_next(self):
        found = network(max_words=10, context_words=4)
        found.learn([[f"w{i}"] * (3 + i) for i in range(4)])
        first = {word: int(found.vocabulary.columns[row]) for word, row in found.index.items()}
        assert first == {"w0": 1, "w1": 2, "w2": 3, "w3": 4}
        found.learn([["many"] * 9, *[[f"v{i}"] * 2 for i in range(4)]])
        assert found.vocabulary.columns[found.index["many"]] == 0  # there was none left
        found.learn([*[[f"u{i}"] * 8 for i in range(5)], ["u5"]])  # w0 goes, as it occurred least
        # Once is too seldom, whosever row it has.
        assert found.vocabulary.columns[found.index["u5"]] == 0
        found.learn([["u5"] * 7])
        told_apart = {word for word, row in found.index.items() if found.vocabulary.columns[row]}
        assert "w0" not in found.index
        assert len(told_apart) == 4 and told_apart & {f"u{i}" for i in range(6)}
        assert sorted(found.vocabulary.columns)[-4:] == [1, 2, 3, 4]  # none is shared, none is lost

    def test_arrays_grow_no_further(self):
        found = network(max_words=50)
        found.learn([[f"w{i}"] for i in range(50)])
        sizes = [array.shape for array in found.state()[0].values()]
        found.learn([[f"v{i}", "the"] for i in range(500)])
        assert len(found.index) <= 50
        changing = ("rows", "free", "free columns")
        after = [a.shape for name, a in found.state()[0].items() if name not in changing]
        assert all(shape in sizes for shape in after if shape and shape[0] > 50)

    def test_a_word_may_go_within_its_own_sentence(self):
        found = network(max_words=3).learn([["a", "b", "c", "d", "e", "f"]])
        assert len(found.index) <= 3
        assert found.tokens == 6


@pytest.mark.parametrize(
    ("part", "learns"),
    [
        ("memory", lambda n: n.words[1].memory_weights.values),
        ("directions", lambda n: n.words[1].direction_weights.values),
        ("categories", lambda n: n.words[1].category_weights.values),
        ("guess", lambda n: n.top.guess_weights.values),
        ("own", lambda n: n.top.own_weights.values),
        ("prediction", lambda n: n.top.prediction_weights[1].values),
        ("token directions", lambda n: n.top.direction_weights[0].values),
        ("prototypes", lambda n: n.top.prototype_weights.values),
    ],
)
def test_every_part_goes_on_learning_in_a_stream(part, learns):
    found = network().learn(sentences(150))
    before = learns(found).copy()
    found.learn(sentences(100, seed=1))
    assert np.abs(learns(found) - before).max() > 1e-4


@pytest.mark.parametrize(
    "changed",
    [
        {"visits": 0.5}, {"inverse_temperature": 3.0}, {"min_count": 40}, {"direction_visits": 1},
        {"memory_floor": 0.5}, {"settle": 10}, {"timescales": (3.0,)}, {"n_directions": 2},
    ],
)  # fmt: skip
def test_every_setting_of_a_word_layer_is_heeded(learned, changed):
    words = layers()
    for name, value in changed.items():
        setattr(words[0], name, value)
    found = Network(words, (2, 8)).learn(sentences(150))
    assert not np.array_equal(found.words[0].codes, learned.words[0].codes)


@pytest.mark.parametrize(
    "changed",
    [
        {"lengths": (1.0, 0.5, 0.9, 0.7, 0.3)}, {"shrinkage": 50.0}, {"known_from": 100.0},
        {"subsample": 0.5}, {"fade_after": 5}, {"settle": 200}, {"shuffled": True},
    ],
)  # fmt: skip
def test_every_setting_of_the_token_layer_is_heeded(learned, changed):
    found = Network(layers(**changed), (2, 8)).learn(sentences(150))
    assert not np.array_equal(
        found.top.prototype_weights.values, learned.top.prototype_weights.values
    )


def test_common_words_compete_less_often_than_rare_ones():
    """Of a word's n tokens about 2 visits sqrt(n) compete."""
    layer = WordLayer("first", "text", size=2, n_directions=2, settle=0, visits=1.0)
    found = Network([layer, TokenLayer("tokens", "first", size=2, start=10**9)], 2)
    found.learn([["common"] * 10] * 1000)
    wins = layer.category_weights.state[2:4].sum() - 2
    assert 100 < wins < 300


def test_another_rule_takes_the_place_of_one():
    top = TokenLayer("tokens", "second", size=6, start=160, prediction=Plasticity("delta"))
    found = Network([*layers()[:2], top], (2, 8)).learn(sentences(150))
    assert np.isfinite(found.vectors(sentences(3))).all()
    assert found.top.prediction_weights[0].values.any()


class TestRefused:
    @pytest.mark.parametrize("sentence", ["the dog", 3, ["the", 3], [None]])
    def test_what_is_no_sentence(self, learned, sentence):
        with pytest.raises(BadInputError, match="words"):
            learned.vectors([sentence])

    def test_a_layer_over_one_that_is_not_beneath(self):
        with pytest.raises(BadInputError, match="no layer beneath"):
            Network([WordLayer("a", "b"), WordLayer("b", "text"), TokenLayer("t", "a")])

    def test_a_network_without_a_token_layer(self):
        with pytest.raises(BadInputError, match="token layer"):
            Network([WordLayer("a", "text")])


class TestRulesThatCanStand:
    @pytest.mark.parametrize(
        ("part", "can", "cannot"),
        [
            ("memory", {"instar", "oja"}, {"delta", "kmeans", "stdp"}),
            ("categories", {"kmeans", "instar"}, {"delta", "stdp"}),
            ("prototypes", {"kmeans", "soft_competitive"}, {"softmax", "stdp"}),
            ("own", {"ccipca", "sanger"}, {"nlms", "stdp"}),
            ("directions", {"ccipca", "oja"}, {"delta", "stdp"}),
            ("prediction", {"delta", "nlms", "softmax"}, {"hebb", "ccipca", "stdp"}),
            ("guess", {"delta", "nlms", "softmax"}, {"instar", "kmeans", "stdp"}),
        ],
    )
    def test_of_each_part(self, part, can, cannot):
        assert can <= set(can_stand(part))
        assert not cannot & set(can_stand(part))
        kind, below = (WordLayer, "text") if part in WordLayer.PARTS else (TokenLayer, "words")
        for rule in can:
            kind("mine", below, **{part: Plasticity(rule)})
        for rule in cannot:
            with pytest.raises(BadInputError) as refused:
                kind("mine", below, **{part: Plasticity(rule)})
            assert str(refused.value) == (
                f"layer mine cannot learn its {part} by {rule}: choose {', '.join(can_stand(part))}"
            )

    def test_every_part_of_the_layers_is_known(self):
        for layer in layers():
            for part in layer.PARTS:
                assert getattr(layer, part).rule in can_stand(part)

    def test_what_is_no_part_or_no_plasticity(self):
        with pytest.raises(BadInputError, match="no layer has a part 'roof': choose memory"):
            can_stand("roof")
        with pytest.raises(BadInputError, match="memory of layer a is 'instar': give a Plasticity"):
            WordLayer("a", "text", memory="instar")
