"""Structural properties of tokens under uniform names, for any annotation scheme.

==================  ==========================================================
``pos``             part of speech
``role``            role of the layer that is scored
``depth``           clause depth: ``0``, ``1``, ``2+``
``position``        position in the sentence from 0, up to ``12+``
``subject_number``  ``sg`` or ``pl``, at finite verbs only
==================  ==========================================================
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.lexicon import grammar_data
from hebbsim.readers.trees import NO_NUMBER

PROPERTIES = ("position", "pos", "role", "depth", "subject_number")
_LAST_POSITION = 12
_DEEPEST = 2

#: Part of speech by grammatical role of the built-in corpus, if the role determines it.
_POS = {role: role for role in ("DET", "ADV", "AUX", "PUNCT")} | {
    "MOD": "ADJ", "CASE": "ADP", "MARK": "SCONJ", "CC": "CCONJ", "PRED": "VERB",
}  # fmt: skip
#: Part of speech of the closed-class words of COGS; all others are verbs or nouns.
_CLOSED = {
    "DET": "the a an",
    "AUX": "was did",
    "SCONJ": "that",
    "ADP": "to by in on beside",
    "PRON": "who what",
    "PUNCT": ". ?",
}
_COGS_POS = {word: pos for pos, words in _CLOSED.items() for word in words.split()}


def structure(corpus: Corpus, split: Split) -> dict[str, NDArray[np.str_]]:
    """Labels of every structural property that a corpus is annotated with, each shape=(T,).

    Keys are property names in the order of `PROPERTIES`. A label is empty if the property does
    not apply to the token. `corpus` determines which layer of the split holds the roles.

    >>> from hebbsim import load_corpus
    >>> corpus = load_corpus("builtin")
    >>> found = structure(corpus, corpus.splits["dev"])
    >>> str(corpus.splits["dev"].forms[7]), [str(found[name][7]) for name in found]
    ('were', ['2', 'AUX', 'AUX', '0', 'pl'])
    """
    position = np.arange(split.n_tokens) - np.repeat(split.offsets[:-1], np.diff(split.offsets))
    depth = None
    if "depth" in split.layers:
        depth = _capped(split.layers["depth"].astype(np.int64), _DEEPEST)
    elif corpus.name == "cogs":
        depth = _capped(_cogs_depths(split), _DEEPEST)
    found = {
        "position": _capped(position, _LAST_POSITION),
        "pos": parts_of_speech(corpus, split),
        "role": None if corpus.layer is None else split.layers[corpus.layer],
        "depth": depth,
        "subject_number": _subject_numbers(split),
    }
    return {name: labels for name, labels in found.items() if labels is not None}


def parts_of_speech(corpus: Corpus, split: Split) -> NDArray[np.str_] | None:
    """Universal part of speech of every token, shape=(T,), annotated or derived from its role.

    None if neither is possible.
    """
    if "pos" in split.layers:
        return split.layers["pos"]
    if corpus.name == "cogs":
        pos = _cogs_pos
    elif "number" in split.layers:
        pos = _builtin_pos
    else:
        return None
    return np.array(list(map(pos, split.forms.tolist(), split.layers["grammatical"].tolist())))


def subject_distances(split: Split) -> NDArray[np.int64]:
    """Distance in tokens from the subject to its finite verb, shape=(T,); 0 at all other tokens.

    In the built-in corpus, the subject is the last one before the verb at the same clause depth.
    """
    if "subject_distance" in split.layers:
        return split.layers["subject_distance"].astype(np.int64)
    number = _subject_numbers(split)
    found = np.zeros(split.n_tokens, dtype=np.int64)
    if number is None:
        return found
    roles, depths = split.layers["grammatical"].tolist(), split.layers["depth"].tolist()
    for start, stop in zip(split.offsets[:-1].tolist(), split.offsets[1:].tolist(), strict=True):
        subject: dict[str, int] = {}
        for at in range(start, stop):
            if roles[at] == "SUBJ":
                subject[depths[at]] = at
            elif number[at] and depths[at] in subject:
                found[at] = at - subject[depths[at]]
    return found


def _capped(values: NDArray[np.int64], most: int) -> NDArray[np.str_]:
    names = np.array([*map(str, range(most)), f"{most}+"])
    return names[np.minimum(values, most)]


def _subject_numbers(split: Split) -> NDArray[np.str_] | None:
    if "subject_number" in split.layers:
        number = split.layers["subject_number"]
    elif {"number", "grammatical", "depth"} <= split.layers.keys():
        verbal = np.isin(split.layers["grammatical"], ["PRED", "AUX"])
        number = np.where(verbal, split.layers["number"], NO_NUMBER)
    else:
        return None
    number = np.where(number == NO_NUMBER, "", number)
    return number if (number != "").any() else None


@cache
def _adjectives_and_pronouns() -> tuple[frozenset[str], frozenset[str]]:
    data = grammar_data()
    adjectives = {
        entry.partition(":")[0]
        for words in data["adjectives"].values()
        for entry in (words.split() if isinstance(words, str) else words)
    }
    pronouns = {
        form for kinds in data["pronouns"].values() for forms in kinds.values() for form in forms
    }
    return frozenset(adjectives), frozenset(pronouns | {"that", "who", "which"})


def _builtin_pos(form: str, role: str) -> str:
    adjectives, pronouns = _adjectives_and_pronouns()
    if role == "PRED" and form in adjectives:
        return "ADJ"
    return _POS.get(role, "PRON" if form in pronouns else "NOUN")


def _cogs_pos(form: str, role: str) -> str:
    return _COGS_POS.get(form, "VERB" if role == "PRED" else "NOUN")


def _cogs_depths(split: Split) -> NDArray[np.int64]:
    forms, roles = split.forms, split.layers["grammatical"]
    # COGS embeds to the right only: "that", or "to" before a verb, opens a clause.
    infinitive = (forms == "to") & (np.append(roles[1:], "") == "PRED")
    opens = np.cumsum((forms == "that") | infinitive)
    before = np.append(0, opens)[split.offsets[:-1]]
    return opens - np.repeat(before, np.diff(split.offsets))
