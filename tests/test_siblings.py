"""Sibling corpora, from which generalization splits are judged."""

from collections import Counter
from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest

from hebbsim.readers import siblings
from hebbsim.readers.base import Corpus, make_split
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.siblings import _LEXICAL, sibling_of

NAMES = [f"name{i}" for i in range(100)]
NOUNS = [f"noun{i}" for i in range(100)]
PLACES = ["table", "house", "box"]
INTRANSITIVE, UNACCUSATIVE = ["slept", "ran"], [f"froze{i}" for i in range(40)]
TRANSITIVE = [f"saw{i}" for i in range(60)]  # passives, and with the object left out
DATIVE = [f"gave{i}" for i in range(40)]
INFINITIVES = [f"jump{i}" for i in range(12)]
FRAMES = {  # A: agent, T: theme, R: recipient; the verb between bars
    "intrans_agent": ["A|INTRANSITIVE|", "A|TRANSITIVE|", "A wanted to|INFINITIVES|"],
    "intrans_theme": ["T|UNACCUSATIVE|"],
    "trans": ["A|TRANSITIVE|T", "A|UNACCUSATIVE|T"],
    "passive": ["T was|TRANSITIVE|"],
    "passive_by": ["T was|TRANSITIVE|by A"],
    "double_object": ["A|DATIVE|R T"],
    "to_dative": ["A|DATIVE|T to R"],
}
ROLES = {"A": "AGENT", "T": "THEME", "R": "RECIPIENT"}


def clause(rng, frame, with_pp):
    """Words with (thematic, grammatical) of one clause of a frame."""
    before, verb, after = frame.split("|")
    out = []

    def write(part, is_subject):
        for place in part.split():
            if place not in ROLES:
                out.append((place, "PRED/PRED" if place == "wanted" else "NONE/NONE"))
                continue
            before = out[-1][0] if out else ""
            surface = (
                "SUBJ" if is_subject else "OBL" if before in ("to", "by")
                else "IOBJ" if place == "R" else "OBJ"
            )  # fmt: skip
            if rng.random() < 0.5:
                out.append(("the", "NONE/NONE"))
                out.append((str(rng.choice(NOUNS)), f"{ROLES[place]}/{surface}"))
                while with_pp and surface == "OBJ" and rng.random() < 0.3:
                    out.extend([("on", "NONE/NONE"), ("the", "NONE/NONE")])
                    out.append((str(rng.choice(PLACES)), "NMOD/NMOD"))
            else:
                out.append((str(rng.choice(NAMES)), f"{ROLES[place]}/{surface}"))

    write(before, True)
    out.append((str(rng.choice(globals()[verb])), "PRED/PRED"))
    write(after, False)
    return out


def cogs_like(name, n, seed, primitives=()):
    rng = np.random.default_rng(seed)
    sentences = [[(word, role)] for word, role in primitives]
    kinds = ["primitive"] * len(primitives)
    for kind in cycle(FRAMES):
        if len(sentences) >= n:
            break
        sentence = clause(rng, str(rng.choice(FRAMES[kind])), True)
        if rng.random() < 0.15:
            sentence = [*clause(rng, "A|INTRANSITIVE|", False), ("that", "NONE/NONE"), *sentence]
        sentences.append([*sentence, (".", "NONE/NONE")])
        kinds.append(kind)
    flat = [role.split("/") for sentence in sentences for _, role in sentence]
    return make_split(
        name,
        [[word for word, _ in sentence] for sentence in sentences],
        {"thematic": [t for t, _ in flat], "grammatical": [g for _, g in flat]},
        kinds,
    )


STRUCTURAL = ("obj_pp_to_subj_pp", "cp_recursion", "pp_recursion")


@pytest.fixture(scope="module")
def cogs():
    """A corpus like COGS, its generalization splits full of roles that must not matter."""
    alone = [(noun, "NONE/NONE") for noun in NOUNS[:20] + NAMES[:20]]
    alone += [(verb, "PRED/PRED") for verb in INFINITIVES]
    splits = {
        "train": cogs_like("train", 6000, 0, alone),
        # Words that dev alone shows by themselves are not shown to what learns from train.
        "dev": cogs_like("dev", 1000, 1, [(noun, "NONE/NONE") for noun in NOUNS[20:60]]),
        "test": cogs_like("test", 10, 2),
    }
    for name in (*_LEXICAL, *STRUCTURAL, "unheard_of"):
        splits[f"gen/{name}"] = cogs_like(f"gen/{name}", 2, 3)
    return Corpus("cogs", splits, "thematic")


@pytest.fixture(scope="module")
def sibling(cogs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(siblings, "FEWEST", 8)  # so that a small corpus will do
        yield sibling_of(cogs)


def tokens(split):
    """Sentences as lists of (word, thematic/grammatical)."""
    roles = np.char.add(np.char.add(split.layers["thematic"], "/"), split.layers["grammatical"])
    flat = list(zip(split.forms.tolist(), roles.tolist(), strict=True))
    return [flat[a:b] for a, b in zip(split.offsets[:-1], split.offsets[1:], strict=True)]


def equal(a, b):
    assert list(a.splits) == list(b.splits)
    for name, split in a.splits.items():
        other = b.splits[name]
        for x, y in ((split.forms, other.forms), (split.offsets, other.offsets)):
            np.testing.assert_array_equal(x, y)
        for layer, gold in split.layers.items():
            np.testing.assert_array_equal(gold, other.layers[layer])


def corrupted(corpus):
    """The same with other words and roles in test and in all generalization splits."""
    splits = dict(corpus.splits)
    for name, split in splits.items():
        if name not in ("train", "dev"):
            layers = {layer: np.full_like(gold, "X") for layer, gold in split.layers.items()}
            splits[name] = replace(split, forms=split.forms[::-1], layers=layers)
    return replace(corpus, splits=splits)


def test_every_named_split_of_cogs_has_a_sibling(cogs, sibling):
    names = {name.removeprefix("gen/") for name in sibling.splits}
    assert names == {"train", "dev", *_LEXICAL, *STRUCTURAL}
    assert all(split.n_sentences >= 8 for split in sibling.generalization())


def test_nothing_of_the_real_splits_enters_a_sibling(cogs, sibling):
    equal(sibling_of(corrupted(cogs)), sibling)
    built = make_builtin(3, n_train=1000, n_dev=10, n_test=5, n_gen=2)
    some = ("train", "dev", "test", "gen/cp_depth", "gen/pp_on_subj")
    built = replace(built, splits={name: built.splits[name] for name in some})
    equal(sibling_of(corrupted(built)), sibling_of(built))


@pytest.mark.parametrize("name", _LEXICAL)
def test_a_held_out_word_is_shown_once_and_never_where_it_is_asked_for(sibling, name):
    shown, asked = (context.split()[0] for context in _LEXICAL[name])
    in_train = {}
    for sentence in tokens(sibling.splits["train"]):
        for word, role in sentence:
            in_train.setdefault(word, []).append((role, len(sentence)))
    in_dev = set(sibling.splits["dev"].forms.tolist())
    held = set()
    for sentence in tokens(sibling.splits[f"gen/{name}"]):
        here = {w for w, r in sentence if r == asked and len(in_train[w]) == 1 and w not in in_dev}
        assert len(here) == 1
        held |= here
    assert len(held) >= 2  # of three or more, as some sentences have two such words
    for word in held:
        ((role, length),) = in_train[word]
        assert role == shown
        assert (length == 1) == name.startswith("prim_")
        if name.endswith(("_common", "_proper")):
            assert word.startswith("noun" if name.endswith("_common") else "name")


@pytest.mark.parametrize(
    ("name", "shown", "asked"),
    [
        ("active_to_passive", False, True),
        ("passive_to_active", True, False),
    ],
)
def test_the_construction_of_a_verb_is_the_one_of_the_name(sibling, name, shown, asked):
    def passive(sentence, verb):
        words = [word for word, _ in sentence]
        return words[words.index(verb) - 1] == "was"

    train = tokens(sibling.splits["train"])
    for sentence in tokens(sibling.splits[f"gen/{name}"])[::5]:
        verb = [word for word, role in sentence if role == "PRED/PRED"][-1]
        assert passive(sentence, verb) == asked
        (once,) = [s for s in train if (verb, "PRED/PRED") in s]
        assert passive(once, verb) == shown


def test_subjects_are_told_apart_by_their_verb(sibling):
    in_train = Counter(sibling.splits["train"].forms.tolist())
    for name, verbs in (
        ("only_seen_as_unacc_subj_as_unerg_subj", INTRANSITIVE),
        ("only_seen_as_unacc_subj_as_obj_omitted_transitive_subj", TRANSITIVE),
        ("only_seen_as_transitive_subj_as_unacc_subj", UNACCUSATIVE),
    ):
        for sentence in tokens(sibling.splits[f"gen/{name}"]):
            (at,) = [i for i, (w, r) in enumerate(sentence) if in_train[w] == 1 and "SUBJ" in r]
            assert sentence[at + 1][0] in verbs
            assert sentence[at + 2][0] == "."


def deepest(sentence):
    """Length of the longest chain of PPs."""
    depth = best = 0
    for i, (_, role) in enumerate(sentence):
        if role == "NMOD/NMOD":
            follows = i >= 3 and sentence[i - 3][1] == "NMOD/NMOD"
            depth = depth + 1 if follows else 1
            best = max(best, depth)
    return best


def test_recursion_is_three_to_twelve_deep(sibling):
    for sentence in tokens(sibling.splits["gen/cp_recursion"]):
        clauses = " ".join(word for word, _ in sentence).split(" that ")
        assert 4 <= len(clauses) <= 13 and sentence[-1][0] == "."
        assert all(c.split()[-1] in INTRANSITIVE for c in clauses[:-1])
    depths = {deepest(sentence) for sentence in tokens(sibling.splits["gen/pp_recursion"])}
    assert depths >= set(range(3, 13))
    assert max(deepest(s) for s in tokens(sibling.splits["dev"])) < 12


def test_the_pp_follows_the_subject_and_nothing_else_changes(sibling):
    dev = {tuple(sentence) for sentence in tokens(sibling.splits["dev"])}
    for sentence in tokens(sibling.splits["gen/obj_pp_to_subj_pp"]):
        (inner,) = [i for i, (_, role) in enumerate(sentence) if role == "NMOD/NMOD"]
        assert sentence[inner - 3][1].endswith("/SUBJ") and sentence[inner - 4][0] == "the"
        assert tuple(sentence[: inner - 2] + sentence[inner + 1 :]) in dev


def test_a_split_of_too_few_sentences_is_left_out(cogs, monkeypatch):
    few = {name: split.subset(range(min(200, split.n_sentences)), name)
           for name, split in cogs.splits.items()}  # fmt: skip
    found = sibling_of(replace(cogs, splits=few)).splits
    assert "gen/cp_recursion" in found and "gen/only_seen_as_unacc_subj_as_unerg_subj" not in found
    monkeypatch.setattr(siblings, "FEWEST", 1000)
    assert sibling_of(replace(cogs, splits=few)) is None


def test_a_corpus_that_nothing_is_known_of_has_no_sibling(cogs):
    assert sibling_of(replace(cogs, name="other")) is None
    plain = {name: cogs.splits[name] for name in ("train", "dev")}
    assert sibling_of(replace(cogs, splits=plain)) is None
    no_kinds = {name: replace(split, kinds=None) for name, split in cogs.splits.items()}
    assert sibling_of(replace(cogs, splits=no_kinds)) is None
    assert sibling_of(replace(cogs, layer="made_up")) is None


def test_the_sibling_of_the_built_in_corpus_is_another_draw_of_its_size():
    for n, expected in ((20, 1000), (1500, 1500), (4100, 4000)):
        made = make_builtin(0, n_train=n, n_dev=5, n_test=0, n_gen=0)
        gen = {"gen/cp_depth": made.splits["dev"], "gen/mine": made.splits["dev"]}
        gen = {name: replace(split, name=name) for name, split in gen.items()}
        sibling = sibling_of(replace(made, splits=made.splits | gen))
        assert sibling.splits["train"].n_sentences == expected
        assert list(sibling.splits) == ["train", "dev", "gen/cp_depth"]
    assert made.splits["train"].sentences()[:20] != sibling.splits["train"].sentences()[:20]
