"""Structure of a corpus under uniform names, whatever its annotation scheme.

==================  ==========================================================
``pos``             part of speech
``role``            the role that the corpus is scored by
``depth``           of the clause: ``0``, ``1``, ``2+``
``position``        of the token in its sentence, from 0; ``12+`` for all later ones
``subject_number``  ``sg`` or ``pl``, at finite verbs alone
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

#: Part of speech by grammatical role of the built-in corpus, where the role settles it.
_POS = {role: role for role in ("DET", "ADV", "AUX", "PUNCT")} | {
    "MOD": "ADJ", "CASE": "ADP", "MARK": "SCONJ", "CC": "CCONJ", "PRED": "VERB",
}  # fmt: skip
#: Words of the closed classes of COGS by part of speech; all others are verbs or nouns.
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
    """Labels of every structural property that a corpus is annotated with, each of shape (T,).

    By name of the property, in the order of `PROPERTIES`; an empty label where a property does
    not apply to a token. `corpus` says which layer of the split holds the roles.

    Examples
    --------
    >>> from hebbsim import load_corpus
    >>> corpus = load_corpus("builtin")
    >>> found = structure(corpus, corpus.splits["dev"])
    >>> str(corpus.splits["dev"].forms[7]), [str(found[name][7]) for name in found]
    ('were', ['2', 'AUX', 'AUX', '0', 'pl'])
    """
    layers = split.layers
    place = np.arange(split.n_tokens) - np.repeat(split.offsets[:-1], np.diff(split.offsets))
    found = {"position": _capped(place, _LAST_POSITION)}
    pos = parts_of_speech(corpus, split)
    if pos is not None:
        found["pos"] = pos
    if corpus.layer is not None:
        found["role"] = layers[corpus.layer]
    if "depth" in layers:
        found["depth"] = _capped(layers["depth"].astype(np.int64), _DEEPEST)
    elif corpus.name == "cogs":
        found["depth"] = _capped(_cogs_depths(split), _DEEPEST)
    number = _subject_numbers(split)
    if number is not None:
        found["subject_number"] = number
    return found


def parts_of_speech(corpus: Corpus, split: Split) -> NDArray[np.str_] | None:
    """Universal part of speech of every token, shape=(T,), as annotated or as its role tells.

    None where neither does.
    """
    if "pos" in split.layers:
        return split.layers["pos"]
    if corpus.name == "cogs":
        return _cogs_pos(split)
    return _builtin_pos(split) if "number" in split.layers else None


def subject_distances(split: Split) -> NDArray[np.int64]:
    """Distance in tokens from the subject to its finite verb, shape=(T,); 0 elsewhere.

    In the built-in corpus the subject is the last one before the verb at its own depth.
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


def _builtin_pos(split: Split) -> NDArray[np.str_]:
    adjectives, pronouns = _adjectives_and_pronouns()

    def pos(form: str, role: str) -> str:
        if role == "PRED" and form in adjectives:
            return "ADJ"
        return _POS.get(role, "PRON" if form in pronouns else "NOUN")

    return np.array(list(map(pos, split.forms.tolist(), split.layers["grammatical"].tolist())))


def _cogs_pos(split: Split) -> NDArray[np.str_]:
    words = zip(split.forms.tolist(), split.layers["grammatical"].tolist(), strict=True)
    return np.array(
        [_COGS_POS.get(form, "VERB" if role == "PRED" else "NOUN") for form, role in words]
    )


def _cogs_depths(split: Split) -> NDArray[np.int64]:
    """Clauses of COGS stand one inside the other to the right: "that", or "to" before a verb."""
    forms, roles = split.forms, split.layers["grammatical"]
    infinitive = (forms == "to") & (np.append(roles[1:], "") == "PRED")
    opens = np.cumsum((forms == "that") | infinitive)
    before = np.append(0, opens)[split.offsets[:-1]]
    return opens - np.repeat(before, np.diff(split.offsets))
