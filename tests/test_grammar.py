"""The built-in corpus: sizes, seeds, gold layers, and what each split holds out.

Every guarantee is checked on forms and gold layers alone, with a small analysis of
its own (`Clause` and what follows), never with the generator's record of what it did.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest

from hebbsim.errors import BadInputError
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.lexicon import Pool, all_nouns, all_verbs, conjugate, grammar_data

ROLES = set("SUBJ OBJ IOBJ OBL NMOD PRED MOD ADV DET AUX CASE MARK CC PUNCT".split())
THEMES = set("AGENT THEME RECIPIENT LOCATION NMOD PRED NONE".split())
NOMINAL = {"SUBJ", "OBJ", "IOBJ", "OBL", "NMOD"}
RELATIVIZERS = {"that", "who", "which"}
BE = set("is are was were be been".split())
RULES = grammar_data()["splits"]
NOUN_SPLITS = [name for name, rule in RULES.items() if "nouns" in rule]
VERB_SPLITS = [name for name, rule in RULES.items() if "verbs" in rule]
EVENT_SPLITS = [name for name, rule in RULES.items() if "event" in rule]


class Token(NamedTuple):
    form: str
    role: str
    theme: str
    number: str
    depth: int


@pytest.fixture(scope="module")
def corpus():
    return make_builtin(seed=0)


@pytest.fixture(scope="module")
def parsed(corpus):
    return parse(corpus)


def parse(corpus):
    """Sentences of every split as lists of tokens."""
    result = {}
    for name, split in corpus.splits.items():
        columns = [split.forms, *(split.layers[k] for k in ("grammatical", "thematic", "number"))]
        rows = list(
            map(
                Token,
                *(column.tolist() for column in columns),
                map(int, split.layers["depth"].tolist()),
            )
        )
        bounds = zip(split.offsets[:-1], split.offsets[1:], strict=True)
        result[name] = [rows[a:b] for a, b in bounds]
    return result


# An analysis from the gold layers.


def subject_of(tokens, i):
    """Index of the subject of the verb group at `i`: the nearest to the left in its clause."""
    for j in range(i - 1, -1, -1):
        if tokens[j].depth < tokens[i].depth:
            return None
        if tokens[j].depth == tokens[i].depth and tokens[j].role == "SUBJ":
            return j
    return None


def is_relativizer(tokens, i):
    return tokens[i].form in RELATIVIZERS and tokens[i].role in ("SUBJ", "OBJ")


def clauses(tokens):
    """For each token, the types of the clauses around it, outermost first."""
    stack: list[str] = []
    result = []
    for i, token in enumerate(tokens):
        if token.depth > len(stack):
            assert token.depth == len(stack) + 1
            if is_relativizer(tokens, i):
                kind = "subject_relative" if token.role == "SUBJ" else "object_relative"
            elif token.role == "MARK":
                kind = "infinitive" if token.form == "to" else "complement"
            else:  # no word opens the clause
                kind = "complement" if tokens[i - 1].role == "PRED" else "object_relative"
            stack.append(kind)
        del stack[token.depth :]
        result.append(tuple(stack))
    return result


def openings(tokens):
    """(index, type) of every embedded clause."""
    around = clauses(tokens)
    depths = [0, *(token.depth for token in tokens)]
    return [(i, around[i][-1]) for i in range(len(tokens)) if depths[i + 1] > depths[i]]


def relative_hosts(tokens):
    """(type, role of the noun) of every relative clause."""
    return [(kind, tokens[i - 1].role) for i, kind in openings(tokens) if "relative" in kind]


def pp_hosts(tokens):
    """Role of the noun before every PP that modifies a noun."""
    hosts = []
    for i, token in enumerate(tokens):
        if token.role == "CASE":
            inside = next(t for t in tokens[i + 1 :] if t.role in NOMINAL)
            if inside.role == "NMOD":
                hosts.append(tokens[i - 1].role)
    return hosts


def pp_chain(tokens):
    """Most PPs in a row that hang from one another."""
    longest = run = 0
    for host in pp_hosts(tokens):
        run = run + 1 if host == "NMOD" else 1
        longest = max(longest, run)
    return longest


def complement_depth(tokens):
    return max(around.count("complement") for around in clauses(tokens))


def conjuncts(tokens):
    """Role of the nouns on both sides of every *and* that joins two nouns."""
    roles = []
    for i, token in enumerate(tokens):
        if token.role == "CC":
            after = next(t.role for t in tokens[i + 1 :] if t.role in NOMINAL | {"AUX", "PRED"})
            # Where *and* joins clauses (saw emma and mia slept), a subject follows an object.
            if after in NOMINAL and after == tokens[i - 1].role:
                roles.append(after)
    return roles


def coordinated(tokens, noun):
    """Whether the noun is the second of two coordinated subjects."""
    before = next(
        i for i in range(noun - 1, -2, -1) if i < 0 or tokens[i].role not in ("DET", "MOD")
    )
    return before > 0 and tokens[before].role == "CC" and tokens[before - 1].role == "SUBJ"


def construction(tokens, i):
    """Construction that the verb at `i` heads, as far as the splits tell them apart."""
    before = [t.form for t in tokens[:i] if t.role != "ADV"]
    if before and before[-1] in BE and not tokens[i].form.endswith("ing"):
        return "passive"
    subject = subject_of(tokens, i)
    if subject is not None and tokens[subject].theme == "THEME":
        return "inchoative"
    same = [t for t in tokens[i + 1 :] if t.depth <= tokens[i].depth]
    end = next(k for k, t in enumerate(same) if t.role in ("PRED", "PUNCT"))
    if any(t.role == "IOBJ" for t in same[:end]):
        return "double_object"
    if any((t.form, t.role) == ("to", "CASE") for t in same[:end]):
        return "to_dative"
    return "transitive"


def attractor(tokens):
    """Whether a subject's PP or clause ends in a noun of another number than its verb shows."""
    for i, token in enumerate(tokens):
        if token.role not in ("AUX", "PRED") or token.number == "none" or not shows_number(token):
            continue
        subject = subject_of(tokens, i)
        last = max(j for j in range(i) if tokens[j].role in NOMINAL)
        between = [t.role for t in tokens[subject + 1 : i] if t.depth == token.depth]
        if is_relativizer(tokens, subject) or "PRED" in between:
            continue  # the subject is elsewhere, or this is the second of two verbs
        if last > subject and tokens[last].number not in (token.number, "none"):
            return True
    return False


PLURAL_FORMS = {"are", "were", "have", "do"} | {verb.base for verb in all_verbs()}
SINGULAR_FORMS = {"is", "was", "has", "does"} | {verb.third for verb in all_verbs()}
PASTS = {verb.past for verb in all_verbs() if verb.base != "be"}


def shows_number(token):
    return token.form in (PLURAL_FORMS | SINGULAR_FORMS) - PASTS


# Sizes, seeds, shape.


def test_default_sizes(corpus):
    sizes = {name: split.n_sentences for name, split in corpus.splits.items()}
    assert (sizes["train"], sizes["dev"], sizes["test"]) == (4000, 600, 1200)
    assert {name: sizes[f"gen/{name}"] for name in RULES} == dict.fromkeys(RULES, 300)
    assert len(sizes) == 3 + len(RULES)
    assert len(list(corpus.generalization())) == len(RULES)


def test_every_generalization_split_is_described_in_one_line(corpus):
    assert [f"gen/{name}" for name in RULES] == list(corpus.splits)[3:]
    assert all(rule["description"] and "\n" not in rule["description"] for rule in RULES.values())


def test_same_seed_same_bytes_in_any_process():
    code = (
        "from hebbsim.readers.grammar import make_builtin;"
        "print(make_builtin(3, n_train=400, n_dev=20, n_test=20, n_gen=3).sha256['builtin'])"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(digests) == 1


def test_digest_is_that_of_the_content():
    small = dict(n_train=30, n_dev=4, n_test=4, n_gen=0)
    first, second = make_builtin(1, **small), make_builtin(1, **small)
    for name, split in first.splits.items():
        assert split.sentences() == second.splits[name].sentences()
    assert first.sha256 == second.sha256
    assert make_builtin(2, **small).sha256 != first.sha256
    assert make_builtin(1, **{**small, "n_test": 5}).sha256 != first.sha256


def test_seeds_differ(corpus):
    other = make_builtin(1, n_train=500, n_dev=1, n_test=1, n_gen=0).splits["train"].sentences()
    same = sum(a == b for a, b in zip(corpus.splits["train"].sentences(), other, strict=False))
    assert same < 10


def test_no_sentence_twice(corpus):
    sentences = [tuple(s) for split in corpus.splits.values() for s in split.sentences()]
    assert len(set(sentences)) == len(sentences)


def test_one_sentence_a_split():
    corpus = make_builtin(0, n_train=1, n_dev=1, n_test=1, n_gen=0)
    assert {name: split.n_sentences for name, split in corpus.splits.items()} == {
        "train": 1,
        "dev": 1,
        "test": 1,
    }


def test_without_dev_and_test():
    assert list(make_builtin(0, n_train=3, n_dev=0, n_test=0, n_gen=0).splits) == ["train"]


def test_one_training_sentence_cannot_show_the_words_of_the_other_splits():
    with pytest.raises(BadInputError, match=r"gen/subj_to_obj_common.*larger n_train, or n_gen=0"):
        make_builtin(0, n_train=1, n_dev=1, n_test=1, n_gen=1)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"n_train": 0}, "n_train=0"),
        ({"n_train": 2.5}, "n_train=2.5"),
        ({"n_dev": -1}, "n_dev=-1"),
        ({"n_gen": "3"}, "n_gen='3'"),
        ({"n_test": True}, "n_test=True"),
        ({"seed": None}, "seed=None"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_bad_sizes_are_refused_in_one_line(change, name):
    with pytest.raises(BadInputError) as error:
        make_builtin(**change)
    assert str(error.value).startswith(name) and "\n" not in str(error.value)


def test_numpy_integers_are_sizes():
    corpus = make_builtin(np.int64(0), n_train=np.int32(2), n_dev=0, n_test=0, n_gen=0)
    assert corpus.splits["train"].n_sentences == 2


# Words.


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("walk", "walk walks walked walked walking"),
        ("plan+", "plan plans planned planned planning"),
        ("die", "die dies died died dying"),
        ("see/saw/seen", "see sees saw seen seeing"),
        ("write/wrote/written", "write writes wrote written writing"),
        ("sit+/sat/sat", "sit sits sat sat sitting"),
        ("carry", "carry carries carried carried carrying"),
        ("play", "play plays played played playing"),
        ("catch/caught/caught", "catch catches caught caught catching"),
    ],
)
def test_verb_forms(entry, forms):
    assert conjugate(entry) == tuple(forms.split())


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("boy", "boys"),
        ("box", "boxes"),
        ("city", "cities"),
        ("knife", None),
        ("wolf", "wolves"),
        ("sheep", "sheep"),
        ("potato", "potatoes"),
        ("piano", "pianos"),
        ("milk", ""),
        ("emma", ""),
    ],
)
def test_noun_forms(singular, plural):
    found = {noun.singular: noun.plural for noun in all_nouns()}
    assert found.get(singular) == plural


def test_pool_draws_by_weight():
    pool = Pool([("a", 1.0), ("never", 0.0), ("b", 3.0)])
    assert [pool.draw(lambda u=u: u) for u in (0.0, 0.24, 0.26, 0.99)] == ["a", "a", "b", "b"]
    assert len(pool) == 2


def test_vocabulary_is_large_and_zipfian(corpus):
    counts = sorted(Counter(corpus.splits["train"].forms.tolist()).values(), reverse=True)
    assert len(counts) >= 1000
    ranks = np.arange(1, 501)
    slope = np.polyfit(np.log(ranks), np.log(counts[:500]), 1)[0]
    assert -1.2 < slope < -0.7


def test_lengths_are_realistic(corpus):
    lengths = np.diff(corpus.splits["train"].offsets)
    assert 8 <= lengths.mean() <= 11
    assert 20 <= lengths.max() <= 28


def test_generalization_has_no_word_that_train_lacks(corpus):
    known = set(corpus.splits["train"].forms.tolist())
    for split in corpus.generalization():
        assert known.issuperset(split.forms.tolist()), split.name


def test_train_has_every_construction_and_role(corpus):
    train = corpus.splits["train"]
    wanted = {*grammar_data()["settings"]["constructions"], "subject_relative", "object_relative"}
    wanted |= {"coordination", "noun_pp"}
    kinds = Counter(train.kinds.tolist())
    assert set(kinds) == wanted
    assert min(kinds.values()) >= 20
    roles = Counter(train.layers["grammatical"].tolist())
    assert set(roles) == ROLES
    assert min(roles.values()) >= 100


def test_one_form_has_several_roles(corpus):
    train = corpus.splits["train"]
    roles: dict[str, set[str]] = {}
    for form, role in zip(train.forms.tolist(), train.layers["grammatical"].tolist(), strict=True):
        roles.setdefault(form, set()).add(role)
    assert {"DET", "MARK", "SUBJ", "OBJ"} <= roles["that"]
    assert {"CASE", "MARK"} <= roles["to"]
    assert {"DET", "OBJ"} <= roles["her"]
    assert {"SUBJ", "PRED"} <= roles["saw"]
    assert {"SUBJ", "OBJ", "IOBJ", "OBL", "NMOD"} <= roles["girl"]


def test_nobody_is_named_twice(parsed):
    names = {noun.singular for noun in all_nouns() if noun.kind == "name"}
    for sentences in parsed.values():
        for tokens in sentences:
            named = [t.form for t in tokens if t.form in names]
            assert len(set(named)) == len(named)


# Gold layers.


def test_layers_are_aligned_and_closed(corpus):
    for split in corpus.splits.values():
        assert len(split.kinds) == split.n_sentences
        assert set(split.layers) == {"grammatical", "thematic", "number", "depth"}
        assert all(len(layer) == split.n_tokens for layer in split.layers.values())
        assert set(split.layers["grammatical"].tolist()) <= ROLES
        assert set(split.layers["thematic"].tolist()) <= THEMES
        assert set(split.layers["number"].tolist()) <= {"sg", "pl", "none"}
        assert set(split.layers["depth"].tolist()) <= set("0123456")
        assert set(split.forms[split.offsets[1:] - 1].tolist()) == {"."}


def test_layers_agree_with_each_other(parsed):
    for sentences in parsed.values():
        for tokens in sentences:
            for i, token in enumerate(tokens):
                assert (token.role == "PRED") == (token.theme == "PRED")
                assert (token.role == "NMOD") == (token.theme == "NMOD")
                assert (token.theme == "NONE") == (token.role not in NOMINAL | {"PRED"})
                assert token.theme in {
                    "SUBJ": {"AGENT", "THEME", "RECIPIENT"},
                    "OBJ": {"THEME"},
                    "IOBJ": {"RECIPIENT"},
                    "OBL": {"AGENT", "RECIPIENT", "LOCATION"},
                }.get(token.role, {token.theme})
                if token.role in NOMINAL:
                    assert (token.number == "none") == is_relativizer(tokens, i)


def test_number_of_nouns_is_that_of_their_form(parsed):
    singular = {noun.singular for noun in all_nouns()} | {"he", "she", "it", "him", "her"}
    plural = {noun.plural for noun in all_nouns()} | {"they", "them"}
    for tokens in parsed["train"]:
        for i, token in enumerate(tokens):
            if token.role in NOMINAL and not is_relativizer(tokens, i):
                assert token.form in {"sg": singular, "pl": plural}[token.number]


def test_verbs_agree_with_their_subjects(parsed):
    shown = Counter()
    for sentences in parsed.values():
        for tokens in sentences:
            for i, token in enumerate(tokens):
                if token.role not in ("AUX", "PRED") or token.number == "none":
                    continue
                subject = subject_of(tokens, i)
                if is_relativizer(tokens, subject):
                    subject -= 1
                number = "pl" if coordinated(tokens, subject) else tokens[subject].number
                assert token.number == number, " ".join(t.form for t in tokens)
                if shows_number(token):
                    assert token.form in {"sg": SINGULAR_FORMS, "pl": PLURAL_FORMS}[number]
                    shown[number] += 1
    assert min(shown["sg"], shown["pl"]) > 1000


def test_number_stands_on_the_first_word_of_a_finite_verb_group(parsed):
    for tokens in parsed["train"]:
        verbs = [t for t in tokens if t.role not in ("ADV", "SUBJ")]
        for before, token in pairwise(verbs):
            if token.role in ("AUX", "PRED"):
                finite = before.role != "AUX" and (before.form, before.role) != ("to", "MARK")
                assert (token.number != "none") == finite


def test_an_before_a_vowel(parsed):
    for sentences in parsed.values():
        for tokens in sentences:
            for word, following in pairwise(tokens):
                if word.form in ("a", "an"):
                    assert (word.form == "an") == (following.form[0] in "aeiou")


@pytest.mark.parametrize(
    ("text", "roles", "themes", "depth"),
    [
        (
            "a woman forgets that some sheep can run .",
            "DET SUBJ PRED MARK DET SUBJ AUX PRED PUNCT",
            "AGENT PRED AGENT PRED",
            "000111110",
        ),
        (
            "he wanted to roll a basket .",
            "SUBJ PRED MARK PRED DET OBJ PUNCT",
            "AGENT PRED PRED THEME",
            "0011110",
        ),
        (
            "emma has handed maria this cheese .",
            "SUBJ AUX PRED IOBJ DET OBJ PUNCT",
            "AGENT PRED RECIPIENT THEME",
            "0000000",
        ),
        (
            "perhaps sophia has sent the big apple to the baker .",
            "ADV SUBJ AUX PRED DET MOD OBJ CASE DET OBL PUNCT",
            "AGENT PRED THEME RECIPIENT",
            "00000000000",
        ),
        (
            "noah was photographed by henry in a house .",
            "SUBJ AUX PRED CASE OBL CASE DET OBL PUNCT",
            "THEME PRED AGENT LOCATION",
            "000000000",
        ),
        (
            "the monkey was not fed an apple .",
            "DET SUBJ AUX ADV PRED DET OBJ PUNCT",
            "RECIPIENT PRED THEME",
            "00000000",
        ),
        (
            "the angry mice and the dog ate this tomato that chloe baked .",
            "DET MOD SUBJ CC DET SUBJ PRED DET OBJ OBJ SUBJ PRED PUNCT",
            "AGENT AGENT PRED THEME THEME AGENT PRED",
            "0000000001110",
        ),
        (
            "rosa crashed the bicycle that rusted .",
            "SUBJ PRED DET OBJ SUBJ PRED PUNCT",
            "AGENT PRED THEME THEME PRED",
            "0000110",
        ),
        (
            "the red car did not open .",
            "DET MOD SUBJ AUX ADV PRED PUNCT",
            "THEME PRED",
            "0000000",
        ),
        (
            "the clever farmer has been rich .",
            "DET MOD SUBJ AUX AUX PRED PUNCT",
            "THEME PRED",
            "0000000",
        ),
        (
            "the turtle on the bench ate and played .",
            "DET SUBJ CASE DET NMOD PRED CC PRED PUNCT",
            "AGENT NMOD PRED PRED",
            "000000000",
        ),
        (
            "singers who the big frog found baked the salad .",
            "SUBJ OBJ DET MOD SUBJ PRED PRED DET OBJ PUNCT",
            "AGENT THEME AGENT PRED PRED THEME",
            "0111110000",
        ),
        (
            "the woman thanks a cook who ate fresh bread which liam ate .",
            "DET SUBJ PRED DET OBJ SUBJ PRED MOD OBJ OBJ SUBJ PRED PUNCT",
            "AGENT PRED THEME AGENT PRED THEME THEME AGENT PRED",
            "0000011112220",
        ),
        (
            "the boy brought this happy girl and the boy an apple .",
            "DET SUBJ PRED DET MOD IOBJ CC DET IOBJ DET OBJ PUNCT",
            "AGENT PRED RECIPIENT RECIPIENT THEME",
            "000000000000",
        ),
    ],
)
def test_literal_sentences(parsed, text, roles, themes, depth):
    """Sentences of seed 0, annotated by hand."""
    found = next(
        tokens
        for sentences in parsed.values()
        for tokens in sentences
        if " ".join(t.form for t in tokens) == text
    )
    assert [t.role for t in found] == roles.split()
    assert [t.theme for t in found if t.theme != "NONE"] == themes.split()
    assert "".join(str(t.depth) for t in found) == depth


# What the generalization splits hold out.


@pytest.mark.parametrize("name", NOUN_SPLITS)
def test_held_out_nouns(parsed, name):
    rule = RULES[name]
    held = rule["nouns"].split()
    singular = {noun: noun for noun in held}
    singular |= {
        noun.plural: noun.singular for noun in all_nouns() if noun.singular in held and noun.plural
    }
    for split, sentences in parsed.items():
        shows = [
            any(t.form in singular and t.role in rule["shown"] for t in tokens)
            for tokens in sentences
        ]
        if split == f"gen/{name}":
            assert all(shows)
            continue
        for tokens in sentences:
            # A relative clause would tell what else the noun can be.
            opened = [i for i, kind in openings(tokens) if "relative" in kind]
            assert not any(tokens[i - 1].form in singular for i in opened)
            assert all(
                t.role in rule["only"] for t in tokens if t.form in singular and t.role in NOMINAL
            )
    seen = Counter(singular[t.form] for s in parsed["train"] for t in s if t.form in singular)
    assert set(seen) == set(held) and min(seen.values()) >= 15
    shown = Counter(
        singular[t.form]
        for s in parsed[f"gen/{name}"]
        for t in s
        if t.form in singular and t.role in rule["shown"]
    )
    assert set(shown) == set(held) and min(shown.values()) >= 15


@pytest.mark.parametrize("name", VERB_SPLITS)
def test_held_out_verbs(parsed, name):
    rule = RULES[name]
    held = rule["verbs"].split()
    same = {"causative": "transitive", "passive_by": "passive"}
    only = {same.get(value, value) for value in rule["only"]}
    shown = {same.get(value, value) for value in rule["shown"]}
    base = {
        form: verb.base
        for verb in all_verbs()
        if verb.base in held
        for form in (verb.base, verb.third, verb.past, verb.participle, verb.gerund)
    }
    seen = Counter()
    for split, sentences in parsed.items():
        for tokens in sentences:
            uses = [
                (base[t.form], construction(tokens, i))
                for i, t in enumerate(tokens)
                if t.role == "PRED" and t.form in base
            ]
            if split == f"gen/{name}":
                assert any(use in shown for _, use in uses), " ".join(t.form for t in tokens)
            else:
                assert all(use in only for _, use in uses), " ".join(t.form for t in tokens)
            seen.update((split, verb) for verb, _ in uses)
    for verb in held:
        assert seen["train", verb] >= 15
        assert seen[f"gen/{name}", verb] >= 15


def passive_in_relative(tokens):
    around = clauses(tokens)
    return any(
        token.role == "PRED"
        and construction(tokens, i) == "passive"
        and around[i][-1:] in (("subject_relative",), ("object_relative",))
        for i, token in enumerate(tokens)
    )


def nested_relatives(tokens):
    return max(sum("relative" in kind for kind in around) for around in clauses(tokens)) > 1


SHOWS = {
    "pp_on_subj": lambda tokens: "SUBJ" in pp_hosts(tokens),
    "pp_on_iobj": lambda tokens: "IOBJ" in pp_hosts(tokens),
    "rc_on_subj": lambda tokens: ("subject_relative", "SUBJ") in relative_hosts(tokens),
    "center_embedding": lambda tokens: ("object_relative", "SUBJ") in relative_hosts(tokens),
    "passive_in_rc": passive_in_relative,
    "cp_depth": lambda tokens: complement_depth(tokens) > 2,
    "pp_depth": lambda tokens: pp_chain(tokens) > 2,
    "rc_depth": nested_relatives,
    "coord_on_obl": lambda tokens: "OBL" in conjuncts(tokens),
    "coord_on_iobj": lambda tokens: "IOBJ" in conjuncts(tokens),
    "agreement": attractor,
}


@pytest.mark.parametrize("name", EVENT_SPLITS)
def test_held_out_structures(parsed, name):
    shows = SHOWS[name]
    allowed = {other for other in RULES if RULES[name]["event"] in RULES[other].get("also", ())}
    for split, sentences in parsed.items():
        if split == f"gen/{name}":
            missing = [
                " ".join(t.form for t in tokens) for tokens in sentences if not shows(tokens)
            ]
            assert not missing, missing[:3]
        elif split.removeprefix("gen/") not in allowed:
            found = [" ".join(t.form for t in tokens) for tokens in sentences if shows(tokens)]
            assert not found, (split, found[:3])


def test_what_is_held_out_stays_out_whatever_the_settings(monkeypatch):
    monkeypatch.setitem(grammar_data()["settings"]["pp"], "SUBJ", 0.5)
    train = parse(make_builtin(0, n_train=100, n_dev=0, n_test=0, n_gen=0))["train"]
    assert "SUBJ" not in {host for tokens in train for host in pp_hosts(tokens)}


def test_every_split_holds_something_out():
    assert set(NOUN_SPLITS) | set(VERB_SPLITS) | set(EVENT_SPLITS) == set(RULES)
    assert set(SHOWS) == set(EVENT_SPLITS)


def test_train_has_the_parts_that_splits_recombine(parsed):
    train = parsed["train"]
    hosts = Counter(host for tokens in train for host in pp_hosts(tokens))
    assert set(hosts) == {"OBJ", "OBL", "NMOD"} and min(hosts.values()) >= 50
    relatives = Counter(pair for tokens in train for pair in relative_hosts(tokens))
    kinds = ("subject_relative", "object_relative")
    assert set(relatives) == {(kind, role) for kind in kinds for role in ("OBJ", "OBL")}
    assert min(relatives.values()) >= 40
    joined = Counter(role for tokens in train for role in conjuncts(tokens))
    assert set(joined) == {"SUBJ", "OBJ"} and min(joined.values()) >= 100
    assert sum(complement_depth(tokens) == 2 for tokens in train) >= 20
    assert sum(pp_chain(tokens) == 2 for tokens in train) >= 50
