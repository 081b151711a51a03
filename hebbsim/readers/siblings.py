"""Sibling corpora, on which generalization splits are judged without using the real ones.

A sibling has train, dev and generalization splits with the names of those that are scored. For
the built-in corpus it is another draw of the grammar with the same words held out: to a lookup,
other words of the same classes would only be renamed ones.

For COGS (Kim & Linzen 2020) it is made from the train and dev sentences only:

- The name of a *lexical* split says in which context train shows a word and in which context it
  is tested (`subj_to_obj_common`: a common noun, shown as subject, tested as object). The sibling
  holds out other words than COGS does. Its train shows each of them in one sentence; the
  sentences with the word in the tested context form the split.
- A *structural* split moves or nests phrases of dev sentences together with their roles.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, pairwise

import numpy as np

from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.grammar import make_sibling

#: Minimum number of sentences of a split; the sibling lacks splits with fewer.
FEWEST = 30

_MOST = 10 * FEWEST  # sentences of a structural split
_DEPTHS = range(3, 13)  # nesting depths of the recursion splits; COGS trains on two at most
_WORDS = 3  # minimum number of words that a lexical split holds out
_RARE = 0.01  # maximum share of the sentences that contain such a word

# Context in which train shows a word, and in which the split tests it: its role
# (thematic/grammatical) and, if the name of the split says so, the constructions of its clause.
_AGENT, _OBJECT = "AGENT/SUBJ", "THEME/OBJ"
_LEXICAL = {
    "active_to_passive": ("PRED/PRED trans", "PRED/PRED passive passive_by"),
    "passive_to_active": ("PRED/PRED passive passive_by", "PRED/PRED trans"),
    "do_dative_to_pp_dative": ("PRED/PRED double_object", "PRED/PRED to_dative"),
    "pp_dative_to_do_dative": ("PRED/PRED to_dative", "PRED/PRED double_object"),
    "unacc_to_transitive": ("PRED/PRED intrans_theme", "PRED/PRED trans"),
    "obj_omitted_transitive_to_transitive": ("PRED/PRED object_omitted", "PRED/PRED trans"),
    "prim_to_inf_arg": ("PRED/PRED primitive", "PRED/PRED infinitive"),
    "subj_to_obj_common": (_AGENT, _OBJECT),
    "subj_to_obj_proper": (_AGENT, _OBJECT),
    "obj_to_subj_common": (_OBJECT, _AGENT),
    "obj_to_subj_proper": (_OBJECT, _AGENT),
    "prim_to_subj_common": ("NONE/NONE primitive", _AGENT),
    "prim_to_subj_proper": ("NONE/NONE primitive", _AGENT),
    "prim_to_obj_common": ("NONE/NONE primitive", _OBJECT),
    "prim_to_obj_proper": ("NONE/NONE primitive", _OBJECT),
    "only_seen_as_transitive_subj_as_unacc_subj": (
        f"{_AGENT} trans", "THEME/SUBJ intrans_theme",
    ),
    "only_seen_as_unacc_subj_as_obj_omitted_transitive_subj": (
        "THEME/SUBJ intrans_theme", f"{_AGENT} object_omitted",
    ),
    "only_seen_as_unacc_subj_as_unerg_subj": (
        "THEME/SUBJ intrans_theme", f"{_AGENT} unergative",
    ),
}  # fmt: skip


def sibling_of(corpus: Corpus) -> Corpus | None:
    """Make the sibling of a corpus, on which its generalization splits are judged.

    Of test and the generalization splits of `corpus`, only the names are used. The sibling has
    train, dev, and the generalization splits that can be made; None if there are none.

    >>> from hebbsim.readers.grammar import make_builtin
    >>> corpus = make_builtin(seed=0, n_train=1000, n_dev=50, n_test=0, n_gen=5)
    >>> sibling_of(corpus).splits["gen/cp_depth"].n_sentences
    150
    """
    names = [split.name for split in corpus.generalization()]
    if not names:
        return None
    splits: dict[str, Split] = {}
    if corpus.name == "builtin":
        splits = make_sibling(corpus.splits["train"].n_sentences, names).splits
    elif corpus.name == "cogs":
        splits = _cogs_splits(corpus.splits["train"], corpus.splits["dev"], names)
    if not any(name in splits and corpus.layer in splits[name].layers for name in names):
        return None
    return replace(corpus, splits=splits, source=f"sibling of {corpus.name}", sha256={})


# --- COGS ---------------------------------------------------------------------------------


def _cogs_splits(train: Split, dev: Split, names: Sequence[str]) -> dict[str, Split]:
    """Splits by name; none if the corpus lacks layers or constructions."""
    layers = train.layers.keys() & dev.layers.keys()
    if train.kinds is None or dev.kinds is None or not {"thematic", "grammatical"} <= layers:
        return {}
    pool = _Pool(train, dev)
    lexical, dropped = _lexical(pool, [n for n in _LEXICAL if f"gen/{n}" in names])
    rest = [i for i in range(len(pool.sentences)) if i not in dropped]
    kept_dev = [pool.sentences[i] for i in rest if i >= pool.n_train]
    structural = {n: list(islice(make(pool, kept_dev), _MOST)) for n, make in _STRUCTURAL.items()}
    found: dict[str, Sequence[Sequence[int]]] = {**lexical, **structural}
    splits = {
        "train": pool.split("train", [pool.sentences[i] for i in rest if i < pool.n_train]),
        "dev": pool.split("dev", kept_dev),
    }
    for name in names:
        sentences = found.get(name.removeprefix("gen/"), [])
        if kept_dev and len(sentences) >= FEWEST:
            splits[name] = pool.split(name, sentences)
    return splits


class _Pool:
    """Train and dev concatenated; a sentence is a sequence of token positions in them."""

    def __init__(self, train: Split, dev: Split) -> None:
        self.forms = np.concatenate([train.forms, dev.forms])
        self.layers = {
            name: np.concatenate([train.layers[name], dev.layers[name]])
            for name in train.layers
            if name in dev.layers
        }
        self.n_train = train.n_sentences
        edges = [*train.offsets.tolist(), *(train.n_tokens + dev.offsets[1:]).tolist()]
        self.sentences = [range(a, b) for a, b in pairwise(edges)]
        assert train.kinds is not None and dev.kinds is not None
        self.kinds = train.kinds.tolist() + dev.kinds.tolist()
        self.words = self.forms.tolist()
        self.roles = [
            f"{thematic}/{grammatical}"
            for thematic, grammatical in zip(
                self.layers["thematic"].tolist(), self.layers["grammatical"].tolist(), strict=True
            )
        ]

    def split(self, name: str, sentences: Sequence[Sequence[int]]) -> Split:
        take = np.fromiter((at for s in sentences for at in s), dtype=np.int64)
        offsets = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
        layers = {key: layer[take] for key, layer in self.layers.items()}
        return Split(name, self.forms[take], offsets, layers)

    def determined(self, at: int) -> bool:
        return at > 0 and self.words[at - 1] in ("a", "an", "the")

    def phrases(self, sentence: range) -> list[range]:
        """The PPs that modify nouns: each a preposition, a determiner and a noun."""
        nouns = [at for at in sentence if self.roles[at] == "NMOD/NMOD"]
        return [range(at - 2, at + 1) for at in nouns if at - 3 >= sentence.start]


@dataclass
class _Word:
    """Sentences in which a word occurs: all, and by its role and the construction."""

    sentences: set[int]
    places: dict[tuple[str, str], list[int]]
    determined: set[bool]  # whether a determiner precedes it, if it has a role

    def where(self, context: str) -> list[int]:
        """Sentences with the word in a context of `_LEXICAL`."""
        role, *constructions = context.split()
        found = {
            i
            for (of, construction), sentences in self.places.items()
            if of == role and (not constructions or construction in constructions)
            for i in sentences
        }
        return sorted(found)


def _index_words(pool: _Pool) -> dict[str, _Word]:
    """Every word with its occurrences."""
    verbs = [
        next((at for at in reversed(sentence) if pool.roles[at] == "PRED/PRED"), -1)
        for sentence in pool.sentences
    ]
    kinds = list(zip(pool.sentences, verbs, pool.kinds, strict=True))
    transitive = {pool.words[verb] for _, verb, kind in kinds if kind == "trans"}
    words: dict[str, _Word] = defaultdict(lambda: _Word(set(), defaultdict(list), set()))
    for i, (sentence, verb, kind) in enumerate(kinds):
        if verb > sentence.start and pool.words[verb - 1] == "to":
            kind = "infinitive"
        elif kind == "intrans_agent":
            kind = "object_omitted" if pool.words[verb] in transitive else "unergative"
        # The kind is the construction of the innermost clause: the last verb, after "that".
        inner = max((at for at in sentence if pool.words[at] == "that"), default=-1)
        for at in sentence:
            word, role = words[pool.words[at]], pool.roles[at]
            word.sentences.add(i)
            if role == "NONE/NONE" and kind != "primitive":
                continue
            within = at == verb if role == "PRED/PRED" else at > inner
            word.places[role, kind if within else ""].append(i)
            if role not in ("NONE/NONE", "PRED/PRED"):
                word.determined.add(pool.determined(at))
    return words


def _lexical(pool: _Pool, names: Iterable[str]) -> tuple[dict[str, list[range]], set[int]]:
    """Sentences of the lexical splits, and those to remove from train and dev."""
    words = {
        form: word
        for form, word in _index_words(pool).items()
        if len(word.sentences) <= _RARE * len(pool.sentences)
    }
    asked: dict[str, dict[str, list[int]]] = {}
    shown: dict[str, dict[str, list[int]]] = {}
    for name in names:
        nouns = {"common": {True}, "proper": {False}}.get(name.rpartition("_")[2])
        fit = {form: word for form, word in words.items() if nouns in (None, word.determined)}
        before, after = _LEXICAL[name]
        shown[name] = {form: [i for i in word.where(before) if i < pool.n_train]
                       for form, word in fit.items()}  # fmt: skip
        asked[name] = {form: word.where(after) for form, word in fit.items() if shown[name][form]}
    # Splits with few candidates choose first, and prefer words that cost few sentences per sentence
    # gained. Sentences with two held-out words are lost.
    held: dict[str, str] = {}
    for name in sorted(asked, key=lambda name: sum(map(bool, asked[name].values()))):
        free = {form: found for form, found in asked[name].items() if found and form not in held}
        cost = {form: len(words[form].sentences) / len(found) for form, found in free.items()}
        gained = 0
        for n, form in enumerate(sorted(free, key=lambda form: (cost[form], form))):
            if n >= _WORDS and gained >= 2 * FEWEST:
                break
            held[form] = name
            gained += len(free[form])
    n_held = Counter(i for form in held for i in words[form].sentences)
    dropped = set(n_held)
    found: dict[str, list[range]] = defaultdict(list)
    for form, name in held.items():
        exposures = [i for i in shown[name][form] if n_held[i] == 1]
        if exposures:
            dropped.remove(exposures[0])
            found[name] += [pool.sentences[i] for i in asked[name][form]
                            if n_held[i] == 1 and i != exposures[0]]  # fmt: skip
    return found, dropped


def _obj_pp_to_subj_pp(pool: _Pool, dev: Sequence[range]) -> Iterator[Sequence[int]]:
    """PPs of objects, moved behind the subjects of sentences without a PP."""
    hosts, moved = [], []
    for sentence in dev:
        phrases = pool.phrases(sentence)
        if phrases and pool.roles[phrases[0].start - 1].endswith("/OBJ"):
            moved.append(phrases[0])
        elif not phrases:
            subject = next((at for at in sentence if pool.roles[at].endswith("/SUBJ")), -1)
            if subject >= 0 and pool.determined(subject):
                hosts.append((sentence, subject + 1))
    for (sentence, behind), phrase in zip(hosts, cycle(moved), strict=False):
        yield [*range(sentence.start, behind), *phrase, *range(behind, sentence.stop)]


def _cp_recursion(pool: _Pool, dev: Sequence[range]) -> Iterator[Sequence[int]]:
    """Beginnings of sentences ("emma said that"), put before sentences without one."""
    hosts, beginnings = [], []
    for sentence in dev:
        that = next((at for at in sentence if pool.words[at] == "that"), -1)
        if that >= 0:
            beginnings.append(range(sentence.start, that + 1))
        elif len(sentence) > 1:
            hosts.append(sentence)
    chain = cycle(beginnings)
    for sentence, depth in zip(hosts, cycle(_DEPTHS), strict=False):
        nested = [at for beginning in islice(chain, depth) for at in beginning]
        if nested:
            yield [*nested, *sentence]


def _pp_recursion(pool: _Pool, dev: Sequence[range]) -> Iterator[Sequence[int]]:
    """PPs, appended to the PP at the end of a sentence."""
    chain = cycle([phrase for sentence in dev for phrase in pool.phrases(sentence)])
    hosts = [s for s in dev if any(p.stop == s.stop - 1 for p in pool.phrases(s))]
    for sentence, depth in zip(hosts, cycle(_DEPTHS), strict=False):
        ends = {phrase.stop for phrase in pool.phrases(sentence)}
        has = next(n for n in range(len(ends) + 1) if sentence.stop - 1 - 3 * n not in ends)
        nested = [at for phrase in islice(chain, max(depth - has, 0)) for at in phrase]
        yield [*sentence[:-1], *nested, sentence[-1]]


_STRUCTURAL = {
    "obj_pp_to_subj_pp": _obj_pp_to_subj_pp,
    "cp_recursion": _cp_recursion,
    "pp_recursion": _pp_recursion,
}
