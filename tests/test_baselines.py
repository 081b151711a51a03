"""The supervised baselines: what they learn, what they may not see, what is kept."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys

import numpy as np
import pytest

from hebbsim.baselines import (
    BiGRUConfig,
    LookupBaseline,
    MajorityBaseline,
    PredictionJob,
    TorchMissingError,
    train_bigru,
)
from hebbsim.baselines import cache as cache_module
from hebbsim.baselines.bigru import draw_labelled
from hebbsim.baselines.config import config_for
from hebbsim.baselines.features import N_AFFIXES, Vocabulary, affixes
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.readers.base import Split

FAST = BiGRUConfig(word_size=16, affix_size=8, hidden=16, learning_rate=0.03, min_updates=60)


def make_split(n_sentences: int, seed: int, name: str = "train") -> Split:
    """Noun, verb, noun: the same nouns on both sides, so that position alone decides."""
    rng = np.random.default_rng(seed)
    nouns, verbs = np.array(["cat", "dog", "owl", "cow"]), np.array(["sees", "hears"])
    forms = np.stack(
        [
            rng.choice(nouns, n_sentences),
            rng.choice(verbs, n_sentences),
            rng.choice(nouns, n_sentences),
        ],
        axis=1,
    ).ravel()
    roles = np.tile(np.array(["SUBJ", "PRED", "OBJ"]), n_sentences)
    return Split(name, forms, np.arange(n_sentences + 1) * 3, {"grammatical": roles})


def accuracy(model, split: Split) -> float:
    return float(np.mean(model.predict(split.sentences()) == split.layers["grammatical"]))


@pytest.fixture
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HEBBSIM_CACHE_DIR", str(tmp_path))
    return tmp_path


# Majority and lookup


def test_majority_and_lookup_by_hand():
    sentences = [["a", "b"], ["a"], ["a", "c"], ["d", "d"]]
    roles = ["X", "Y", "X", "Z", "Y", "Z", "Y"]
    majority = MajorityBaseline().fit(sentences, roles)
    assert majority.role_ == "Y"
    assert majority.predict([["a", "q"], [], ["c"]]).tolist() == ["Y"] * 3
    lookup = LookupBaseline().fit(sentences, roles)
    # "a" is X, X, Z; "d" ties between Z and Y, and Y is commoner overall.
    assert lookup.table_ == {"a": "X", "b": "Y", "c": "Y", "d": "Y"}
    assert lookup.predict([["a", "unseen"], ["d"]]).tolist() == ["X", "Y", "Y"]


def test_majority_tie_goes_to_the_first_in_the_alphabet():
    assert MajorityBaseline().fit([["a", "b"]], ["Z", "A"]).role_ == "A"


@pytest.mark.parametrize("model", [MajorityBaseline, LookupBaseline])
def test_simple_baselines_refuse_what_does_not_fit(model):
    with pytest.raises(BadInputError, match="1 roles for 2 tokens"):
        model().fit([["a", "b"]], ["X"])
    with pytest.raises(BadInputError, match="no labelled tokens"):
        model().fit([], [])
    assert model().fit([["a"]], ["X"]).predict([]).shape == (0,)


# What the network sees of a word


def test_vocabulary_numbers_words_and_shared_affixes():
    vocabulary = Vocabulary([["cats", "rats"], ["cats", "x"]])
    numbers, affix_numbers, codes = vocabulary.encode(["cats", "rats", "bats", "q"])
    assert vocabulary.counts[numbers].tolist() == [2, 1, 0, 0]
    assert numbers[2] == numbers[3] != numbers[0]
    assert affix_numbers.shape == (4, N_AFFIXES) and codes.shape == (4, 0)
    # "ats$" is shared by two words, "cats$" belongs to one and says nothing new.
    known = [
        affix for affix, number in zip(affixes("cats"), affix_numbers[0], strict=False) if number
    ]
    assert known == ["s$", "ts$", "ats$", "=a"]
    # An unknown word shares what its affixes share.
    assert set(affix_numbers[2]) == set(affix_numbers[0])


def test_vocabulary_scales_codes_and_gives_zeros_where_there_is_none():
    codes = {"a": np.array([3.0, -3.0]), "b": np.array([3.0, 3.0])}
    _, _, encoded = Vocabulary([["a", "c"]], codes).encode(["a", "b", "c"])
    np.testing.assert_allclose(encoded, [[1, -1], [1, 1], [0, 0]])


# The BiGRU


def test_bigru_learns_what_only_context_decides():
    torch = pytest.importorskip("torch")
    train, dev = make_split(200, 0), make_split(50, 1, "dev")
    torch.set_num_threads(2)
    before = torch.random.get_rng_state()
    model = train_bigru(train, "grammatical", dev=dev, config=FAST)
    lookup = LookupBaseline().fit(train.sentences(), train.layers["grammatical"])
    assert accuracy(lookup, dev) < 0.8
    assert accuracy(model, dev) > 0.99
    assert max(model.dev_curve) == accuracy(model, dev)
    # The process's own random state, threads and determinism are untouched.
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.get_num_threads() == 2
    assert not torch.are_deterministic_algorithms_enabled()


def test_bigru_reads_from_both_sides_whatever_the_length():
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    # "x" between fillers is named by its left or by its right neighbour, two tokens away.
    sentences, roles = [], []
    for _ in range(300):
        key, side = rng.choice(["l", "r"]), rng.integers(2)
        core = [key, "-", "x", "-", "-"] if side else ["-", "-", "x", "-", key]
        tail = ["-"] * int(rng.integers(4))
        sentences.append(core + tail)
        roles.append(["N", "N", f"{key}{side}", "N", "N"] + ["N"] * len(tail))
    offsets = np.cumsum([0, *map(len, sentences)])
    split = Split("train", np.concatenate(sentences), offsets, {"layer": np.concatenate(roles)})
    config = dataclasses.replace(FAST, dropout=0.2, min_updates=200)
    model = train_bigru(split.subset(range(200)), "layer", config=config)
    held = split.subset(range(200, 300))
    right = (model.predict(held.sentences()) == held.layers["layer"])[held.forms == "x"]
    assert np.mean(right) > 0.95  # about 0.75 from one side alone


def test_of_equally_good_epochs_the_last_is_kept():
    pytest.importorskip("torch")
    train, dev = make_split(100, 0), make_split(30, 1, "dev")
    model = train_bigru(train, "grammatical", dev=dev, config=FAST)
    alone = train_bigru(train, "grammatical", config=FAST)
    assert model.dev_curve[-2:] == [1.0, 1.0]
    for a, b in zip(model.parameters(), alone.parameters(), strict=True):
        assert np.array_equal(a, b)  # as it was at the end


def test_same_seed_same_predictions_and_another_seed_others():
    pytest.importorskip("torch")
    # Roles at random: nothing but the seed says what to predict on new sentences.
    train, dev = make_split(20, 0), make_split(100, 1, "dev")
    noise = np.random.default_rng(2).permutation(train.layers["grammatical"])
    train = dataclasses.replace(train, layers={"grammatical": noise})
    config = dataclasses.replace(FAST, min_updates=20)
    runs = [train_bigru(train, "grammatical", config=config, seed=seed) for seed in (0, 0, 1)]
    first, again, other = (model.predict(dev.sentences()) for model in runs)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def scrambled(split: Split, keep: np.ndarray) -> Split:
    """The split with every label outside the sentences `keep` replaced."""
    roles = np.full(split.n_tokens, "WRONG")
    for sentence in keep:
        span = slice(split.offsets[sentence], split.offsets[sentence + 1])
        roles[span] = split.layers["grammatical"][span]
    return dataclasses.replace(split, layers={"grammatical": roles})


def test_labels_outside_the_drawn_sentences_are_never_used():
    pytest.importorskip("torch")
    train, dev = make_split(60, 0), make_split(20, 1, "dev")
    drawn = draw_labelled(60, 10, seed=3)
    wrong_dev = dataclasses.replace(dev, layers={"grammatical": np.full(dev.n_tokens, "WRONG")})
    config = dataclasses.replace(FAST, min_updates=30)
    honest = train_bigru(train, "grammatical", dev=dev, labels=10, config=config, seed=3)
    blind = train_bigru(
        scrambled(train, drawn), "grammatical", dev=wrong_dev, labels=10, config=config, seed=3
    )
    assert "WRONG" not in blind.roles and blind.dev_curve == []
    for a, b in zip(honest.parameters(), blind.parameters(), strict=True):
        assert np.array_equal(a, b)
    seen = train_bigru(scrambled(train, drawn[1:]), "grammatical", labels=10, config=config, seed=3)
    assert "WRONG" in seen.roles  # the test would notice a label that is used


def test_draws_of_one_seed_are_nested():
    small, large = draw_labelled(50, 5, seed=1), draw_labelled(50, 20, seed=1)
    assert set(small) < set(large) and len(set(large)) == 20
    assert set(small) != set(draw_labelled(50, 5, seed=2))


def test_stops_early_and_keeps_the_best_epoch():
    pytest.importorskip("torch")
    train, dev = make_split(100, 0), make_split(30, 1, "dev")
    # Subjects and objects swapped: what is learned from train only harms on this dev.
    swapped = np.tile(np.array(["OBJ", "PRED", "SUBJ"]), 30)
    dev = dataclasses.replace(dev, layers={"grammatical": swapped})
    config = dataclasses.replace(FAST, epochs=200, patience=3)
    model = train_bigru(train, "grammatical", dev=dev, config=config)
    *until, a, b, c = model.dev_curve
    assert until[-1] == max(until) > max(a, b, c)
    assert accuracy(model, dev) == until[-1]


def test_predict_is_pure_and_takes_any_sentence():
    pytest.importorskip("torch")
    model = train_bigru(make_split(60, 0), "grammatical", config=FAST)
    sentences = [["cat", "sees", "dog"], [], ["owl"], ["never", "seen", "1,5", "before"]]
    first = model.predict(sentences)
    assert first.shape == (8,) and set(first) <= set(model.roles)
    # Neither an earlier call nor the company of other sentences changes a prediction.
    assert np.array_equal(model.predict(sentences), first)
    alone = np.concatenate([model.predict([words]) for words in sentences])
    assert np.array_equal(alone, first)
    assert model.predict([]).shape == (0,) == model.predict([[]]).shape


def test_codes_carry_roles_to_words_without_labels():
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    nouns = [f"n{i}" for i in range(40)]
    verbs = [f"v{i}" for i in range(40)]
    codes = {w: np.array([1.0, 0.0]) for w in nouns} | {w: np.array([0.0, 1.0]) for w in verbs}
    order = [[n, v] if rng.random() < 0.5 else [v, n] for n, v in zip(nouns, verbs, strict=True)]
    forms = np.array(order).ravel()
    roles = np.where(np.char.startswith(forms, "n"), "NOUN", "VERB")
    whole = Split("train", forms, np.arange(41) * 2, {"grammatical": roles})
    known, unknown = whole.subset(np.arange(10)), whole.subset(np.arange(10, 40))
    config = dataclasses.replace(FAST, affix_size=0)
    started = train_bigru(known, "grammatical", codes=codes, config=config)
    plain = train_bigru(known, "grammatical", config=config)
    assert accuracy(started, unknown) == 1.0
    assert accuracy(plain, unknown) < 0.9


def test_training_needs_labelled_tokens():
    pytest.importorskip("torch")
    train = make_split(5, 0)
    with pytest.raises(BadInputError, match="layer 'thematic'"):
        train_bigru(train, "thematic")
    with pytest.raises(BadInputError, match="labels=0"):
        train_bigru(train, "grammatical", labels=0)
    with pytest.raises(BadInputError, match="labels=6"):
        train_bigru(train, "grammatical", labels=6)
    with pytest.raises(BadInputError, match="no labelled tokens"):
        train_bigru(train.subset([]), "grammatical")


@pytest.mark.parametrize(
    "change", [{"hidden": 0}, {"dropout": 1.0}, {"epochs": 0}, {"learning_rate": float("nan")}]
)
def test_config_refuses_nonsense(change):
    with pytest.raises(BadInputError, match=next(iter(change))):
        BiGRUConfig(**change)


def test_the_configuration_follows_the_vocabulary():
    def of(n_types):
        forms = np.array([f"w{i}" for i in range(n_types)] * 2)
        return config_for(Split("train", forms, np.array([0, len(forms)])))

    assert of(1999).hidden < of(2000).hidden
    assert make_job(config=None).key() == make_job(config=of(10)).key()
    assert make_job(config=None).key() != make_job(config=of(2000)).key()


# Torch is optional


def test_without_torch_one_line_says_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "hebbsim.baselines._network", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(TorchMissingError, match=r"pip install 'hebbsim\[torch\]'") as caught:
        train_bigru(make_split(3, 0), "grammatical")
    assert isinstance(caught.value, HebbsimError) and "\n" not in str(caught.value)


def test_importing_the_baselines_does_not_import_torch():
    code = "import sys, hebbsim.baselines; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# Kept predictions


def make_job(**changes) -> PredictionJob:
    fields = {
        "train": make_split(30, 0),
        "layer": "grammatical",
        "evaluation": {"dev": make_split(10, 1, "dev")},
        "sha256": {"corpus": "0" * 64},
        "config": dataclasses.replace(FAST, epochs=1, min_updates=5),
    }
    return PredictionJob(**(fields | changes))


def forbid_training(monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(cache_module, "train_bigru", fail)


def test_second_run_is_read_not_trained(cache_folder, monkeypatch):
    pytest.importorskip("torch")
    job = make_job()
    assert job.load() is None
    first = job.run()
    forbid_training(monkeypatch)
    fields = {f.name: getattr(job, f.name) for f in dataclasses.fields(job)}
    for again in (
        job.run(),
        PredictionJob(**fields).run(),
        pickle.loads(pickle.dumps(job)).run(),
    ):
        assert again.keys() == first.keys()
        assert np.array_equal(again["dev"], first["dev"])
    with pytest.raises(AssertionError, match="trained again"):
        make_job(seed=1).run()
    assert [path.suffix for path in cache_folder.rglob("*.*")] == [".npz"]  # nothing left over


def test_every_split_gets_its_own_predictions(cache_folder):
    pytest.importorskip("torch")
    splits = {name: make_split(n, n, name) for name, n in [("test", 7), ("gen/a", 3), ("dev", 5)]}
    splits["gen/none"] = splits["dev"].subset([])
    # One word each: where a split begins shows in what is predicted.
    words = np.array(["sees", "cat", "sees"])
    splits["gen/words"] = Split("gen/words", words, np.arange(4))
    job = make_job(evaluation=splits, config=FAST)
    model = train_bigru(job.train, job.layer, config=FAST)
    assert len(set(model.predict([["sees"], ["cat"]]))) == 2
    for predictions in (job.run(), job.run()):  # trained, then read
        assert list(predictions) == list(splits)
        for name, split in splits.items():
            assert np.array_equal(predictions[name], model.predict(split.sentences()))


def relabelled(split: Split) -> Split:
    return dataclasses.replace(split, layers={"grammatical": np.full(split.n_tokens, "X")})


CHANGES = {
    "corpus": {"sha256": {"corpus": "1" * 64}},
    "train": {"train": make_split(30, 9)},
    "train labels": {"train": relabelled(make_split(30, 0))},
    "dev": {"dev": make_split(10, 1, "dev")},
    "dev labels": {"dev": relabelled(make_split(10, 1, "dev"))},
    "evaluation": {"evaluation": {"dev": make_split(10, 2, "dev")}},
    "evaluation names": {"evaluation": {"test": make_split(10, 1, "dev")}},
    "labels": {"labels": 5},
    "codes": {"codes": {"cat": np.array([1.0, 2.0])}},
    "code values": {"codes": {"cat": np.array([1.0, 3.0])}},
    "code words": {"codes": {"dog": np.array([1.0, 2.0])}},
    "config": {"config": FAST},
    "seed": {"seed": 1},
}


def test_key_follows_every_ingredient(monkeypatch):
    monkeypatch.setattr(cache_module, "_torch_version", lambda: "2.0")
    both = make_split(30, 0)
    both.layers["thematic"] = both.layers["grammatical"]
    keys = [make_job().key(), make_job(layer="thematic", train=both).key()]
    keys += [make_job(**change).key() for change in CHANGES.values()]
    monkeypatch.setattr(cache_module, "_torch_version", lambda: "2.1")
    keys.append(make_job().key())
    monkeypatch.setattr(cache_module, "_source", lambda: "another")
    keys.append(make_job().key())
    assert len(set(keys)) == len(keys)
    assert make_job().key() == keys[-1]


def test_labels_that_are_not_used_do_not_change_the_key(monkeypatch):
    monkeypatch.setattr(cache_module, "_torch_version", lambda: "2.0")
    dev = make_split(10, 1, "dev")
    assert make_job(labels=5, dev=dev).key() == make_job(labels=5).key()


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "other length", "pickled"])
def test_damaged_entry_is_trained_again(cache_folder, damage):
    pytest.importorskip("torch")
    job = make_job()
    first = job.run()
    (path,) = cache_folder.rglob("*.npz")
    whole = path.read_bytes()
    if damage == "other length":
        np.savez(path, **{"roles": np.array(["SUBJ"]), "split dev": np.zeros(3, np.uint16)})
    elif damage == "pickled":
        np.savez(
            path, **{"roles": np.array(["SUBJ"], object), "split dev": np.zeros(30, np.uint16)}
        )
    else:
        kept = {"truncated": whole[: len(whole) // 2], "garbage": b"no archive", "empty": b""}
        path.write_bytes(kept[damage])
    assert job.load() is None
    assert np.array_equal(job.run()["dev"], first["dev"])
    assert np.array_equal(job.load()["dev"], first["dev"])


def test_runs_on_where_nothing_can_be_kept(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEBBSIM_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert make_job().run()["dev"].shape == (30,)
