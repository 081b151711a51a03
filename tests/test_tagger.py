"""A learner with the names of its clusters: roles of new text, and the one file that holds both."""

from __future__ import annotations

import json

import numpy as np
import pytest
import taggers
from safetensors.numpy import load_file, save_file
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from taggers import ABOUT, NEW, ROLES, SENTENCES, SMALL, small

import hebbsim
from hebbsim.engine.checkpoint import read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError
from hebbsim.models import RoleNetwork
from hebbsim.probes import RoleReadout, SoftReadout, memberships
from hebbsim.readers.grammar import make_builtin
from hebbsim.tagging import RoleTagger, Token, tagger

MAKERS = {"single": taggers.single, "voting": taggers.voting, "nameless": taggers.nameless}


@pytest.fixture
def single():
    return taggers.single()


@pytest.fixture
def voting():
    return taggers.voting()


@pytest.fixture
def nameless():
    return taggers.nameless()


KINDS = pytest.mark.parametrize("kind", MAKERS)


@pytest.fixture
def saved(single, tmp_path):
    single.save(tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


# Reading ------------------------------------------------------------------------------------


def test_roles_and_shares_are_those_of_the_read_outs(single):
    learner = small().fit(SENTENCES)
    centres = learner.prototypes_.centres
    known = memberships(learner.transform(SENTENCES), centres)
    new = memberships(learner.transform(NEW), centres)
    soft = SoftReadout().fit([known], ROLES, [centres])
    majority = RoleReadout().fit(known.clusters[:, 0], ROLES)
    found = single.assign(NEW)
    assert found.roles.tolist() == soft.predict([new]).tolist()
    assert np.array_equal(found.shares, soft.probabilities([new]).max(axis=1))
    assert found.clusters[:, 0].tolist() == new.clusters[:, 0].tolist()
    by_majority = single.assign(NEW, readout="majority")
    assert by_majority.roles.tolist() == majority.predict(new.clusters[:, 0]).tolist()
    assert len(set(by_majority.shares)) > 1


def test_learners_vote_and_each_tells_its_cluster(voting):
    read = voting.assign(NEW)
    assert read.clusters.shape == (10, 2)
    known = voting.memberships(SENTENCES)
    soft = SoftReadout().fit(known, ROLES, voting.prototypes)
    assert read.roles.tolist() == soft.predict(voting.memberships(NEW)).tolist()
    token = voting.tag(NEW)[0][0]
    assert token.cluster == tuple(read.clusters[0].tolist())
    assert len(token.cluster) == 2


def test_without_roles_there_are_clusters_alone(nameless):
    (tokens,) = nameless.tag([["the", "dog"]])
    assert [(t.word, t.role, t.share) for t in tokens] == [("the", None, None), ("dog", None, None)]
    assert isinstance(tokens[0].cluster, int)


def test_text_is_cut_as_readers_of_raw_text_do_and_keeps_its_case(single):
    (tokens,) = single.tag(["The dog saw a cat. The bird slept."])
    apart = single.tag([["the", "dog", "saw", "a", "cat", "."], ["the", "bird", "slept", "."]])
    assert [t.word for t in tokens][:5] == ["The", "dog", "saw", "a", "cat"]
    assert [t[1:] for t in tokens] == [t[1:] for sentence in apart for t in sentence]
    assert single.tag([]) == []
    assert single.tag(["", [], "dog"])[:2] == [[], []]


def test_words_keep_their_case_where_the_learner_knows_it():
    cased = [[word.upper() for word in sentence] for sentence in SENTENCES]
    asked = [["DOG"], ["dog"]]
    found = RoleTagger(small().fit(cased), lower=False).name(cased, ROLES).assign(asked)
    assert found.shares[0] != found.shares[1]
    lowered = RoleTagger(small().fit(SENTENCES)).name(SENTENCES, ROLES).assign(asked)
    assert lowered.shares[0] == lowered.shares[1]


def test_batches_change_nothing(single, monkeypatch):
    whole = single.tag([*NEW, "The dog saw a cat. A bird slept.", *NEW])
    monkeypatch.setattr(tagger, "BATCH", 2)
    assert single.tag([*NEW, "The dog saw a cat. A bird slept.", *NEW]) == whole


def test_shares_of_a_token_add_up_to_one_and_the_largest_is_the_role(single, voting):
    for one in (single, voting):
        known = one.memberships(NEW)
        for readout, given in (
            ("soft", known),
            ("majority", np.stack([k.clusters[:, 0] for k in known], axis=1)),
        ):
            shares = one.naming.probabilities(known, readout)
            assert np.allclose(shares.sum(axis=1), 1)
            roles = np.array(one.naming.roles)[shares.argmax(axis=1)]
            assert roles.tolist() == getattr(one.naming, readout).predict(given).tolist()


@pytest.mark.parametrize(
    ("sentences", "readout", "said"),
    [
        ("the dog", "soft", "a list of texts"),
        ([["a", 3]], "soft", "words are text"),
        ([3], "soft", "list of words"),
        (NEW, "hard", "soft or majority"),
    ],
)
def test_what_cannot_be_read_is_refused(single, sentences, readout, said):
    with pytest.raises(BadInputError, match=said):
        single.tag(sentences, readout=readout)


def test_names_need_words_and_a_role_for_each():
    tagger = RoleTagger(small().fit(SENTENCES))
    with pytest.raises(BadInputError, match="give some"):
        tagger.name([[]], [])
    with pytest.raises(BadInputError, match="shape"):
        tagger.name(SENTENCES, ROLES[:-1])
    known = tagger.memberships(SENTENCES)
    with pytest.raises(BadInputError, match="10 words"):
        tagger.name(NEW, ROLES, members=known)


def test_clusters_are_known_by_their_commonest_words(single):
    read = single.assign(SENTENCES)
    words = [word for sentence in SENTENCES for word in sentence]
    largest = int(np.bincount(read.clusters[:, 0]).argmax())
    of_it = [w for w, c in zip(words, read.clusters[:, 0], strict=True) if c == largest]
    found = single.naming.words[0][largest]
    assert found[0][1] == max(map(of_it.count, of_it))
    assert {word for word, _ in found} == set(of_it)
    assert single.naming.sizes[0][largest] == len(of_it)
    roles = [r for r, c in zip(ROLES, read.clusters[:, 0], strict=True) if c == largest]
    counts = dict(zip(single.naming.roles, single.naming.of_roles()[largest], strict=True))
    assert counts == {role: roles.count(role) for role in single.naming.roles}


# Files --------------------------------------------------------------------------------------


@KINDS
def test_a_file_reads_as_the_learner_did_to_the_last_bit(kind, tmp_path):
    one = MAKERS[kind]()
    one.save(tmp_path / "mine.safetensors")
    again = hebbsim.load(tmp_path / "mine.safetensors")
    for readout in ("soft", "majority"):
        assert again.tag([*SENTENCES, *NEW], readout=readout) == one.tag(
            [*SENTENCES, *NEW], readout=readout
        )
    assert again.about == one.about
    assert again.lower is True
    again.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (
        tmp_path / "mine.safetensors"
    ).read_bytes()


def test_rare_words_are_guessed_by_their_shape_as_before(tmp_path):
    """Unknown words, and words given up: rows of the file are not those of the network."""
    learner = RoleNetwork(**{**SMALL, "settings": [*SMALL["settings"], "max_words=6"]})
    learner.fit([*SENTENCES, ["a", "quick", "fox", "ran", "far", "away", "."]] * 2)
    tagger = RoleTagger(learner)
    tagger.save(tmp_path / "mine.safetensors")
    again = RoleTagger.load(tmp_path / "mine.safetensors").members[0]
    asked = [["the", "quick", "zebras", "slept", "."]]
    assert np.array_equal(again.transform(asked), learner.transform(asked))
    assert len(set(again.transform([["zebra"], ["42"]])[:, 0])) == 2


def test_a_file_is_small(single, saved, tmp_path):
    single_learner = small().fit(SENTENCES)
    single_learner.save(tmp_path / "learner.safetensors")
    assert saved.stat().st_size < 0.1 * (tmp_path / "learner.safetensors").stat().st_size


def test_a_file_says_what_it_was_trained_on(saved):
    assert hebbsim.load(saved).about == ABOUT


def test_the_folder_of_a_run_stands_for_its_tagger(single, tmp_path):
    with pytest.raises(BadInputError, match=r"holds no tagger\.safetensors; give the file"):
        hebbsim.load(tmp_path)
    single.save(tmp_path / "tagger.safetensors")
    assert hebbsim.load(str(tmp_path)).tag(NEW) == single.tag(NEW)


def test_a_foreign_or_damaged_file_is_one_clear_line(saved, tmp_path):
    learner = tmp_path / "learner.safetensors"
    small().fit(SENTENCES).save(learner)
    with pytest.raises(BadInputError, match=r"role-network/4, not hebbsim\.tagger/1"):
        hebbsim.load(learner)
    with pytest.raises(BadInputError, match="no such file or folder; `hebbsim run roles` writes"):
        hebbsim.load(tmp_path / "none.safetensors")
    (tmp_path / "text").write_text("the dog saw a cat .")
    with pytest.raises(
        BadInputError, match=r"no checkpoint of hebbsim, or a damaged one \((?i:head)"
    ):
        hebbsim.load(tmp_path / "text")
    with pytest.raises(BadInputError, match="is a folder; give a file"):
        RoleNetwork.load(tmp_path)
    save_file({"a": np.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(BadInputError, match="something else"):
        hebbsim.load(tmp_path / "other.safetensors")
    content = bytearray(saved.read_bytes())
    content[-9] ^= 1
    saved.write_bytes(bytes(content))
    with pytest.raises(BadInputError, match="damaged"):
        hebbsim.load(saved)
    saved.write_bytes(bytes(content[:1000]))
    with pytest.raises(BadInputError, match="cannot read"):
        hebbsim.load(saved)


def changed(saved, change):
    """The file as somebody else could write it: whole, and with other content."""
    arrays, document = read_checkpoint(saved, tagger.KIND)
    change(arrays, document)
    write_checkpoint(saved, tagger.KIND, arrays, document)


def twice(arrays, document):
    words = document["members"][0]["words"]
    words[1] = words[0]


def not_finite(arrays, document):
    arrays["0/codes"][3, 1] = np.nan


def too_many_counts(arrays, document):
    counts = arrays["naming/counts 0"]
    arrays["naming/counts 0"] = np.concatenate([counts, counts])


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, document: arrays.pop("0/codes"),
        lambda arrays, document: arrays.update({"0/counts": -arrays["0/counts"]}),
        lambda arrays, document: arrays.update({"0/counts": arrays["0/counts"].astype(np.int32)}),
        lambda arrays, document: arrays.update({"0/top prototypes": np.ones((2, 2), np.float32)}),
        lambda arrays, document: arrays.update({"naming/values 0": np.ones((6, 99))}),
        lambda arrays, document: arrays.update({"naming/counts 0": np.ones((6, 5))}),
        too_many_counts,
        lambda arrays, document: arrays.update({"naming/sizes 0": np.ones(5, np.int64)}),
        lambda arrays, document: document.update(members=[]),
        lambda arrays, document: document.update(members=3),
        lambda arrays, document: document.update(about=3),
        lambda arrays, document: document.update(about={"config": 3}),
        lambda arrays, document: document.update(about={"config": {"n_tokens": "many"}}),
        lambda arrays, document: document.pop("lower"),
        lambda arrays, document: document["naming"].update(words=[[]]),
        lambda arrays, document: document["naming"].update(words=[6 * [[3]]]),
        lambda arrays, document: document["members"][0].update(network={"words": 3}),
        lambda arrays, document: document["members"][0]["network"]["tokens"].update(size=10**9),
        twice,
        not_finite,
    ],
)
def test_content_that_does_not_fit_is_refused(saved, change):
    changed(saved, change)
    with pytest.raises(BadInputError, match=r"mine\.safetensors cannot be used: ."):
        hebbsim.load(saved)


def test_a_file_holds_arrays_and_json_alone(saved):
    for name, array in load_file(saved).items():
        assert array.dtype.kind in "if", name
    _, document = read_checkpoint(saved, tagger.KIND)
    assert json.loads(json.dumps(document)) == document


def test_a_file_that_cannot_be_written_is_one_line(single, tmp_path):
    with pytest.raises(BadInputError, match="cannot write"):
        single.save(tmp_path / "no" / "folder.safetensors")


# Sense --------------------------------------------------------------------------------------


def test_roles_of_the_built_in_grammar_are_found():
    corpus = make_builtin(n_train=800)
    train, dev, test = (corpus.splits[name] for name in ("train", "dev", "test"))
    learner = RoleNetwork(n_clusters=80, passes=1).fit(train.sentences())
    one = RoleTagger(learner).name(dev.sentences(), dev.layers["grammatical"])
    right = one.assign(test.sentences()).roles == test.layers["grammatical"]
    assert right.mean() > 0.65
    assert all(isinstance(token, Token) for token in one.tag(["the dog saw a cat ."])[0])


# In a Pipeline ------------------------------------------------------------------------------


def accuracy(pipeline):
    return (pipeline.predict(SENTENCES) == ROLES).mean()


@pytest.mark.filterwarnings("error")
def test_a_tagger_is_a_step_of_a_pipeline_with_a_classifier(single, voting):
    for one in (single, voting):
        vectors = np.hstack([m.transform(SENTENCES) for m in one.members])
        assert np.array_equal(one.transform(SENTENCES), vectors)
        before = one.tag(NEW)
        pipeline = make_pipeline(one, StandardScaler(), LogisticRegression())
        assert pipeline.fit(SENTENCES, ROLES) is pipeline
        assert accuracy(pipeline) > 0.9
        # A clone of what learned before is the same, and its classifier starts afresh.
        again = clone(pipeline)
        assert again[0] is one
        assert accuracy(again.fit(SENTENCES, ROLES)) == accuracy(pipeline)
        assert one.tag(NEW) == before


def test_a_fitted_learner_is_a_step_of_a_pipeline_as_a_frozen_estimator():
    frozen = pytest.importorskip("sklearn.frozen", reason="scikit-learn before 1.6 has none")
    learner = small().fit(SENTENCES)
    pipeline = make_pipeline(frozen.FrozenEstimator(learner), LogisticRegression())
    assert accuracy(pipeline.fit(SENTENCES, ROLES)) > 0.9
    # As itself it would learn, and labels never reach it.
    with pytest.raises(BadInputError, match="takes no labels"):
        make_pipeline(small(), LogisticRegression()).fit(SENTENCES, ROLES)
