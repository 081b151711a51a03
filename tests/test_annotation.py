"""Structure of corpora under one name; what trees say of depth and agreement."""

import numpy as np
import pytest

from hebbsim.readers import load_corpus
from hebbsim.readers.annotation import PROPERTIES, structure, subject_distances
from hebbsim.readers.base import Corpus, make_split
from hebbsim.readers.cogs import analyse
from hebbsim.readers.trees import clause_depths, subject_numbers


def test_depth_counts_the_clauses_that_a_word_stands_in():
    # she said that he , who slept , left and ate
    heads = [2, 0, 8, 8, 6, 4, 6, 2, 10, 8]
    relations = "nsubj root mark nsubj nsubj acl:relcl punct ccomp cc conj".split()
    assert clause_depths(heads, relations) == list("0011222111")
    assert clause_depths([2, 1], ["ccomp", "nsubj"])  # a circle ends
    assert clause_depths([], []) == []


def test_trees_of_any_shape_are_read_in_one_walk():
    n = 50_000  # a walk to the root from every word would take minutes
    chain = clause_depths(list(range(n)), ["root"] + ["ccomp"] * (n - 1))
    assert chain == [str(depth) for depth in range(n)]
    features = ["Number=Sing"] * (n // 2) + ["VerbForm=Fin"] * (n // 2)
    relations = ["nsubj"] * (n // 2) + ["aux"] * (n // 2 - 1) + ["root"]
    numbers, distances = subject_numbers([n] * (n - 1) + [0], relations, features)
    # All subjects of one predicate: the last one stands at the first auxiliary after it.
    assert numbers[n // 2] == "sg" and distances[n // 2] == "1"


def test_numbers_of_subjects_stand_at_the_finite_verb_after_them():
    # dogs near a cat have barked
    heads, relations = [6, 4, 4, 1, 6, 0], ["nsubj", "case", "det", "nmod", "aux", "root"]
    features = ["Number=Plur", "_", "_", "Number=Sing", "VerbForm=Fin", "VerbForm=Part"]
    numbers, distances = subject_numbers(heads, relations, features)
    assert numbers == ["none"] * 4 + ["pl", "none"]
    assert distances == ["0"] * 4 + ["4", "0"]


def test_a_coordinated_subject_is_plural():
    heads, relations = [4, 3, 1, 0], ["nsubj:pass", "cc", "conj", "root"]
    features = ["Number=Sing", "_", "Number=Sing", "VerbForm=Fin"]
    assert subject_numbers(heads, relations, features)[0][3] == "pl"


@pytest.mark.parametrize(
    "heads, relations, features",
    [
        ([0, 1], ["root", "nsubj"], ["VerbForm=Fin", "Number=Sing"]),  # the verb stands first
        ([2, 0], ["nsubj", "root"], ["Number=Sing", "VerbForm=Inf"]),  # not finite
        ([2, 0], ["nsubj", "root"], ["_", "VerbForm=Fin"]),  # of no number
        ([2, 0], ["obj", "root"], ["Number=Sing", "VerbForm=Fin"]),  # no subject
    ],
)
def test_verbs_without_a_number_to_tell(heads, relations, features):
    assert subject_numbers(heads, relations, features) == (["none"] * 2, ["0"] * 2)


def test_the_built_in_corpus_has_every_property():
    corpus = load_corpus("builtin")
    split = corpus.splits["dev"]
    found = structure(corpus, split)
    assert tuple(found) == PROPERTIES
    assert {len(labels) for labels in found.values()} == {split.n_tokens}
    assert set(found["subject_number"]) == {"", "sg", "pl"}
    assert set(found["depth"]) == {"0", "1", "2+"}
    assert found["position"][split.offsets[3]] == "0"
    roles = split.layers["grammatical"]
    assert set(found["pos"][roles == "SUBJ"]) <= {"NOUN", "PRON"}
    assert found["pos"][roles == "PRED"].tolist().count("VERB") > 0
    # The subject of a finite verb is that many tokens before it.
    distances = subject_distances(split)
    at = np.flatnonzero(distances)
    assert (roles[at - distances[at]] == "SUBJ").all()
    np.testing.assert_array_equal(distances > 0, found["subject_number"] != "")
    assert distances.max() > 3


def test_cogs_tells_parts_of_speech_and_depth_by_its_closed_classes():
    tokens = "Emma said that a cat wanted to walk .".split()
    form = (
        "* cat ( x _ 4 ) ; say . agent ( x _ 1 , Emma ) AND say . ccomp ( x _ 1 , x _ 5 ) AND "
        "want . agent ( x _ 5 , x _ 4 ) AND want . xcomp ( x _ 5 , x _ 7 ) AND "
        "walk . agent ( x _ 7 , x _ 4 )"
    )
    found = analyse(tokens, form)
    layers = {"thematic": found.thematic, "grammatical": found.grammatical}
    split = make_split("train", [[token.lower() for token in tokens]], layers)
    labels = structure(Corpus("cogs", {"train": split}, "thematic"), split)
    assert labels["pos"].tolist() == "NOUN VERB SCONJ DET NOUN VERB ADP VERB PUNCT".split()
    assert labels["depth"].tolist() == ["0", "0", "1", "1", "1", "1", "2+", "2+", "2+"]
    assert labels["role"].tolist() == found.thematic
    assert "subject_number" not in labels
    assert not subject_distances(split).any()


def test_raw_text_has_positions_alone():
    split = make_split("train", [["a", "b"], ["c"] * 14])
    labels = structure(Corpus("text", {"train": split}), split)
    assert list(labels) == ["position"]
    assert labels["position"].tolist()[:4] == ["0", "1", "0", "1"]
    assert labels["position"].tolist()[-2:] == ["12+", "12+"]
