"""Vectors that others learned: their files, and what a learner makes of them."""

from __future__ import annotations

import gzip
import json
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file
from test_role_network import SENTENCES, small
from test_roles_tagger import SMALL as SHORT

import hebbsim
import hebbsim.readers
import hebbsim.runs.figures
from hebbsim import run_roles
from hebbsim.cli import main
from hebbsim.errors import BadInputError
from hebbsim.models import RoleNetwork, RolePopulation
from hebbsim.models.sharded import InProcess, Shards, fit_shards
from hebbsim.readers import vectors as module
from hebbsim.readers.lines import digest
from hebbsim.readers.vectors import WordVectors, read_vectors

WORDS = ["the", "Paris", "the", "dog", "is  n't", "nothing"]
VALUES = np.array(
    [[1, 2, 3], [-1, 0.5, 2e-3], [9, 9, 9], [4, 5, 6], [0, 1, 0], [0, 0, 0]], dtype=np.float32
)


def text(words=WORDS, values=VALUES, header=False, blank=" ", end=""):
    lines = [
        f"{word}{blank}{blank.join(str(x) for x in row)}{end}"
        for word, row in zip(words, values.tolist(), strict=True)
    ]
    return "\n".join([f"{len(words)} {values.shape[1]}"] * header + lines) + "\n"


def check(found):
    """That it holds `WORDS`: the first of those that stand twice, none of a zero vector."""
    assert set(found.index) == {"the", "Paris", "paris", "dog", "is n't"}
    for word, at in (("the", 0), ("Paris", 1), ("paris", 1), ("dog", 3), ("is n't", 4)):
        np.testing.assert_array_equal(found.values[found.index[word]], VALUES[at])


# Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"header": True}, {"blank": "\t"}, {"header": True, "end": " "}], ids=str
)
@pytest.mark.parametrize("packed", [False, True])
def test_text_of_word2vec_glove_and_fasttext(tmp_path, options, packed):
    path = tmp_path / "v.vec"
    content = text(**options).encode()
    path.write_bytes(gzip.compress(content) if packed else content)
    found = read_vectors(path)
    check(found)
    assert found.sha256 == digest(path, unpacked=False) and found.path == str(path)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_safetensors(tmp_path, beside, kind):
    path = tmp_path / "v.safetensors"
    metadata = None if beside else {"words": json.dumps(WORDS)}
    save_file({"m": VALUES.astype(kind), "other": np.arange(3)}, path, metadata)
    if beside:
        (tmp_path / "v.txt").write_text("\n".join(WORDS) + "\n")
    found = read_vectors(path)
    np.testing.assert_array_equal(found.values, VALUES.astype(kind).astype(np.float32))
    assert found.index["paris"] == 1 and "nothing" not in found.index


def test_only_a_newline_ends_a_word_of_the_list_beside_safetensors(tmp_path):
    words = ["the\x85", "a\u2028b", "dog"]
    save_file({"m": VALUES[[0, 1, 3]]}, tmp_path / "v.safetensors")
    (tmp_path / "v.txt").write_bytes("\r\n".join(words).encode())
    found = read_vectors(tmp_path / "v.safetensors").index
    assert found == {"the\x85": 0, "a\u2028b": 1, "dog": 2}


def test_binary_files_by_gensim(tmp_path):
    models = pytest.importorskip("gensim.models")
    words = [word for word in WORDS if " " not in word]
    held = models.KeyedVectors(3)
    held.add_vectors(["the", "Paris", "dog"], VALUES[[0, 1, 3]])
    held.save_word2vec_format(tmp_path / "v.bin", binary=True)
    found = read_vectors(tmp_path / "v.bin")
    assert found.index == {"the": 0, "Paris": 1, "paris": 1, "dog": 2}
    np.testing.assert_array_equal(found.values, VALUES[[0, 1, 3]])
    model = models.FastText([words] * 3, vector_size=4, min_count=1, epochs=1, bucket=10, seed=1)
    models.fasttext.save_facebook_model(model, str(tmp_path / "f.bin"))
    found = read_vectors(tmp_path / "f.bin")
    for word in set(words):
        np.testing.assert_allclose(found.values[found.index[word]], model.wv[word], rtol=1e-5)
    whole = (tmp_path / "v.bin").read_bytes()
    (tmp_path / "v.bin").write_bytes(whole[:-5])
    with pytest.raises(BadInputError, match="damaged, or no binary file"):
        read_vectors(tmp_path / "v.bin")


def test_without_gensim_a_line_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "v.bin").write_bytes(b"1 2\nthe " + VALUES[0, :2].tobytes() + b"\n")
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(BadInputError, match=r"pip install 'hebbsim\[vectors\]'"):
        read_vectors(tmp_path / "v.bin")


@pytest.mark.parametrize("power", [-90, 90])
def test_points_do_not_depend_on_the_scale_of_the_vectors(power):
    near, far = (WordVectors.of(WORDS, np.ldexp(VALUES, n)) for n in (0, power))
    np.testing.assert_array_equal(far.points, near.points)


def test_the_first_vectors_of_a_long_file_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    (tmp_path / "v.txt").write_text(text(header=True))
    assert set(read_vectors(tmp_path / "v.txt").index) == {"the", "Paris", "paris"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds nothing|no vectors|fewer than two"),
        (b"2 3\n", "promises 2 vectors and it holds 0"),
        (text(header=True).encode()[:-12], ":7: not a word and 3 numbers"),
        (text(header=True).encode().rsplit(b"\n", 2)[0], "promises 6 vectors and it holds 5"),
        (b"the 1 2\ndog 1 x\n", ":2: not a word and 2 numbers"),
        (b"one word alone\n", ":1: not a word and"),
        (b"the 1 2\ndog 1 nan\n", "vector 2 holds a number that is not finite"),
        (b"the 1 2\nnothing 0 0\n", "fewer than two words"),
        (b"\x80\x04\x95rest", "a pickle, which can run code"),
        (b"\x1f\x8b\x08\x00rest", "damaged gzip file"),
    ],
)
@pytest.mark.usefixtures("corpus")
def test_a_file_that_cannot_be_used_is_one_line_and_exit_2(tmp_path, capsys, content, says):
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=says) as refused:
        read_vectors(path)
    assert "\n" not in str(refused.value)
    with pytest.raises(SystemExit) as end:
        main(["run", "roles", "--vectors", str(path), "--out", str(tmp_path / "run")])
    assert end.value.code == 2 and capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arrays", "metadata", "says"),
    [
        ({"a": VALUES}, None, "has no words"),
        ({"a": VALUES}, {"words": '["the"]'}, "1 words for 6 vectors"),
        ({"a": VALUES}, {"words": "the"}, "not a JSON list of words"),
        ({"a": VALUES, "b": VALUES}, None, "2 matrices"),
    ],
)
def test_safetensors_that_cannot_be_used(tmp_path, arrays, metadata, says):
    save_file(arrays, tmp_path / "v.safetensors", metadata)
    with pytest.raises(BadInputError, match=says):
        read_vectors(tmp_path / "v.safetensors")


# Learners -----------------------------------------------------------------------------------

KNOWN = ["the", "a", "dog", "cat", "saw", "fed", "."]
#: Two kinds of words by their vectors: of nouns, and of all others.
GIVEN = WordVectors.of(
    KNOWN,
    np.random.default_rng(0).normal(0, 0.1, (7, 4))
    + [[5.0 * (word in ("dog", "cat")), 1, 0, 0] for word in KNOWN],
)


def first_layer(learner):
    return learner.network_.words[0]


def codes(learner, words):
    network = learner.network_
    return first_layer(learner).codes[[network.index[word] for word in words]]


def softmax(x):
    y = np.exp(x - x.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)


def test_codes_of_words_are_those_of_their_vectors_and_stay_so():
    learner = small(vectors=GIVEN).fit(SENTENCES)
    layer = first_layer(learner)
    x = GIVEN.values - GIVEN.values.mean(axis=0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    groups = layer.groups / np.linalg.norm(layer.groups, axis=1, keepdims=True)
    expected = softmax(layer.inverse_temperature * x @ groups.T)
    np.testing.assert_allclose(codes(learner, KNOWN), expected, rtol=2e-4, atol=1e-6)
    # The others learn theirs by the company they keep.
    assert np.ptp(codes(learner, ["girl", "slept", "bird"]), axis=1).min() > 0.01


def test_words_may_learn_on_from_their_vectors():
    held, learned = (small(vectors=GIVEN, vectors_learn=on).fit(SENTENCES) for on in (False, True))
    np.testing.assert_array_equal(first_layer(held).groups, first_layer(learned).groups)
    assert not np.allclose(codes(held, KNOWN), codes(learned, KNOWN), atol=0.01)
    begun = small(vectors=GIVEN, vectors_learn=True).partial_fit(SENTENCES[:2])
    assert not first_layer(begun).settled
    words = [word for word in KNOWN if word in begun.network_.index]
    np.testing.assert_array_equal(codes(begun, words), codes(held, words))


def test_categories_start_where_the_words_of_each_group_lie():
    learner = small(vectors=GIVEN, vectors_learn=True)
    network = learner.partial_fit(SENTENCES[:3]).network_
    layer, rows = network.words[0], np.array([network.index[w] for w in KNOWN])
    shares = layer.codes[rows].astype(float)
    layer.min_count = 1
    layer.begin(network.rng, network.spelling)
    points = layer.locate(rows, network.spelling).astype(float)
    expected = shares.T @ points / shares.sum(axis=0)[:, None]
    np.testing.assert_allclose(layer.category_weights.values, expected, rtol=1e-4, atol=1e-5)


def test_without_vectors_nothing_changes_and_a_word_that_is_given_up_loses_its_own():
    plain, given = small().fit(SENTENCES), small(vectors=GIVEN).fit(SENTENCES)
    assert not first_layer(plain).held.any() and first_layer(given).held.sum() == len(KNOWN)
    row = given.network_.index["dog"]
    first_layer(given).forget(np.array([row]))
    assert not first_layer(given).held[row]
    assert (first_layer(given).codes[row] == np.float32(1 / 5)).all()


@pytest.mark.parametrize("learn", [False, True])
@pytest.mark.parametrize("cut", [4, 30])
def test_a_learner_that_was_saved_goes_on_to_the_same_bits(tmp_path, learn, cut):
    whole = small(vectors=GIVEN, vectors_learn=learn).partial_fit(SENTENCES)
    first = small(vectors=GIVEN, vectors_learn=learn).partial_fit(SENTENCES[:cut])
    first.save(tmp_path / "l")
    again = RoleNetwork.load(tmp_path / "l").partial_fit(SENTENCES[cut:])
    for one, other in zip(whole.state()[0].items(), again.state()[0].items(), strict=True):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1], err_msg=one[0])


def test_members_that_vote_share_the_vectors(tmp_path):
    options = {
        name: value for name, value in small().get_params().items() if name != "random_state"
    }
    learner = RolePopulation(2, **options | {"vectors": GIVEN}).fit(SENTENCES)
    assert all(first_layer(member).held.sum() == len(KNOWN) for member in learner.members_)
    learner.save(tmp_path / "p")
    again = RolePopulation.load(tmp_path / "p")
    np.testing.assert_array_equal(learner.predict(SENTENCES), again.predict(SENTENCES))


def test_shards_and_vectors_are_refused():
    with pytest.raises(BadInputError, match="shards learn without vectors"):
        fit_shards(small(vectors=GIVEN), Shards(InProcess(), SENTENCES, 2))


# Runs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--vectors", "none"], "--vectors: none: no such file"),
        (["--vectors-learn"], "--vectors-learn says how --vectors are used"),
        (["--vectors", __file__, "--shards", "2"], "--shards learns without --vectors"),
    ],
)
def test_options_that_do_not_fit_are_one_line(options, says, capsys):
    with pytest.raises(SystemExit) as end:
        main(["run", "roles", *options])
    said = capsys.readouterr().err
    assert end.value.code == 2 and says in said and said.count("\n") == 1


@pytest.fixture
def corpus(monkeypatch):
    from hebbsim.readers.grammar import make_builtin

    found = make_builtin(n_train=60, n_dev=20, n_test=20, n_gen=0)
    monkeypatch.setattr(hebbsim.readers, "load_corpus", lambda *_, **__: found)
    monkeypatch.setattr(hebbsim.runs.figures, "draw_run", lambda *_: {})
    return found


def test_a_run_tells_of_its_vectors_and_its_tagger_does_without_them(corpus, tmp_path):
    train = corpus.splits["train"].forms.tolist()
    words = sorted(set(train))[::2]
    path = tmp_path / "v.vec"
    path.write_text(text(words, np.random.default_rng(0).normal(size=(len(words), 3))))
    results = run_roles(out=tmp_path / "run", vectors=path, **SHORT)
    (note,) = [note for note in results.notes if note.startswith(f"vectors {path}")]
    share = 100 * len(words) / len(set(train))
    tokens = 100 * sum(word in words for word in train) / len(train)
    assert f"{share:.1f} % of the training words and {tokens:.1f} % of the tokens" in note
    inputs = json.loads((tmp_path / "run" / "provenance.json").read_text())["inputs"]
    assert inputs["vectors"] == digest(path, unpacked=False)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["vectors"] == str(path)
    path.unlink()
    tagger = hebbsim.load(tmp_path / "run")
    assert tagger.about["provenance"]["inputs"]["vectors"] == inputs["vectors"]
    assert len(tagger.tag(["the dog saw a cat ."])[0]) == 6


def test_vectors_of_another_language_are_refused(corpus, tmp_path):
    (tmp_path / "v").write_text("strange 1 2\nwords 2 1\n")
    with pytest.raises(BadInputError, match="no training word of corpus builtin has a vector"):
        run_roles(vectors=tmp_path / "v", seeds=1)
