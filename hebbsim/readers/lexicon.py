"""Words of the built-in grammar: inflection, frequency and distribution.

`corpora/grammar.json` lists stems by semantic class. This module inflects them and decides which
nouns may fill a role and which verbs may head a construction. Words that a generalization split
holds out are not available to any other split.
"""

from __future__ import annotations

import json
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Generic, TypeVar

from hebbsim.readers.base import data_file

T = TypeVar("T")

# Frame of a verb -> constructions that it can head.
CONSTRUCTIONS = {
    "unergative": ("unergative",),
    "unaccusative": ("unaccusative",),
    "transitive": ("transitive", "passive", "passive_by"),
    "alternating": ("causative", "inchoative", "passive", "passive_by"),
    "ditransitive": ("double_object", "to_dative", "passive_dative", "passive_recipient"),
    "clausal": ("complement",),
    "control": ("infinitive",),
    "copular": ("copular",),
}
# Weight of a split's held-out words relative to all others in the slot that it tests.
FOCUS = 6.0


@cache
def grammar_data() -> dict[str, Any]:
    """The content of `grammar.json`; shared, so do not modify it."""
    return json.loads(data_file("grammar.json").read_text(encoding="utf-8"))


class Pool(Generic[T]):
    """Items that are drawn with given weights.

    Draws use only `Random.random`, the only stream that Python keeps stable across versions.
    """

    __slots__ = ("_cumulated", "_items")

    def __init__(self, weights: Iterable[tuple[T, float]]) -> None:
        pairs = [(item, weight) for item, weight in weights if weight > 0]
        self._items = [item for item, _ in pairs]
        self._cumulated = list(accumulate(weight for _, weight in pairs))

    def __len__(self) -> int:
        return len(self._items)

    def draw(self, uniform: Callable[[], float]) -> T:
        return self._items[bisect(self._cumulated, uniform() * self._cumulated[-1])]

    @classmethod
    def parse(cls, text: str) -> Pool[str]:
        """From ``"the:40 a:34"``; words without a number are weighted by Zipf's law."""
        pairs: list[tuple[str, float]] = []
        for rank, entry in enumerate(text.split()):
            word, colon, weight = entry.partition(":")
            pairs.append((word, float(weight) if colon else zipf(rank)))
        return Pool(pairs)


@dataclass(frozen=True)
class Noun:
    """A noun or a name; `plural` is empty for mass nouns and names."""

    singular: str
    plural: str
    kind: str
    weight: float
    split: str = ""  # the split that holds it out, if any


@dataclass(frozen=True)
class Verb:
    """A verb in one frame with the classes of noun that it selects."""

    base: str
    third: str
    past: str
    participle: str
    gerund: str
    frame: str
    weight: float
    subject: tuple[str, ...]
    object: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    split: str = ""


# Words held out by the generalization split `shown` may occur where train never has them; `shown`
# is empty for splits without held-out words.


@cache
def nouns(shown: str, classes: tuple[str, ...], role: str) -> Pool[Noun]:
    """Nouns of these classes that may fill a grammatical role."""
    kinds = set(expand(classes))
    return _pool(shown, [noun for noun in all_nouns() if noun.kind in kinds], role)


@cache
def verbs(shown: str, construction: str, slot: str = "", kind: str = "") -> Pool[Verb]:
    """Verbs that may head a construction, and take a noun of class `kind` as `slot`.

    `slot` is ``subject``, the surface subject, or ``object``.
    """
    chosen = [verb for verb in all_verbs() if construction in CONSTRUCTIONS[verb.frame]]
    if slot == "subject":
        chosen = [v for v in chosen if kind in expand(surface_subject(v, construction))]
    elif slot == "object":
        chosen = [v for v in chosen if kind in expand(v.object)]
    return _pool(shown, chosen, construction)


def _pool(shown: str, chosen: list[Any], place: str) -> Pool[Any]:
    """Words that are allowed in `place`, weighted by frequency."""
    splits = grammar_data()["splits"]
    weights: list[float] = []
    focus = 0.0
    for word in chosen:
        rule = splits.get(word.split, {"only": (place,)})
        if place in rule["only"]:
            # A word that train confines to few places occurs more often there.
            weights.append(word.weight * rule.get("weight", 1.0))
        elif word.split == shown and place in rule["shown"]:
            weights.append(-word.weight)  # scaled below
            focus += word.weight
        else:
            weights.append(0.0)
    raised = FOCUS * sum(weight for weight in weights if weight > 0) / focus if focus else 0.0
    return Pool(
        (word, weight if weight > 0 else -weight * raised)
        for word, weight in zip(chosen, weights, strict=True)
    )


def surface_subject(verb: Verb, construction: str) -> tuple[str, ...]:
    """Classes of nouns that may be the surface subject in a construction."""
    if construction == "passive_recipient":
        return verb.recipient
    if construction == "inchoative" or construction.startswith("passive"):
        return verb.object
    return verb.subject


@cache
def expand(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Replace names of groups of classes by their members."""
    groups: Mapping[str, list[str]] = grammar_data()["classes"]
    return tuple(kind for name in classes for kind in groups.get(name, [name]))


@cache
def all_nouns() -> tuple[Noun, ...]:
    """Common nouns and names, weighted by rank within their class."""
    data = grammar_data()
    held = _held_out("nouns")
    nouns = []
    for kind, words in {**data["nouns"], "name": data["names"]}.items():
        for rank, entry in enumerate(words.split()):
            singular, slash, plural = entry.partition("/")
            if kind == "name":
                plural = ""
            elif not slash:
                plural = _add_s(singular)
            elif plural == "-":
                plural = ""
            nouns.append(Noun(singular, plural, kind, zipf(rank), held.get(singular, "")))
    return tuple(nouns)


@cache
def all_verbs() -> tuple[Verb, ...]:
    """Verbs, once for every group of `grammar.json` that lists them."""
    held = _held_out("verbs")
    verbs = []
    for frame, groups in grammar_data()["verbs"].items():
        for group in groups:
            words = group["verbs"].split()
            scale = group["weight"] / sum(zipf(rank) for rank in range(len(words)))
            for rank, entry in enumerate(words):
                forms = conjugate(entry)
                verbs.append(
                    Verb(
                        *forms,
                        frame=frame,
                        weight=scale * zipf(rank),
                        subject=tuple(group["subject"]),
                        object=tuple(group.get("object", ())),
                        recipient=tuple(group.get("recipient", ())),
                        split=held.get(forms[0], ""),
                    )
                )
    return tuple(verbs)


def zipf(rank: int) -> float:
    """Relative frequency of the word of this rank, from 0: Zipf's law with a flattened head."""
    return 1.0 / (rank + 3.0)


def conjugate(entry: str) -> tuple[str, str, str, str, str]:
    """Base, third person, past, participle and gerund of a verb of `grammar.json`.

    A ``+`` doubles the last consonant; irregular forms follow after slashes.

    >>> conjugate("hug+")
    ('hug', 'hugs', 'hugged', 'hugged', 'hugging')
    >>> conjugate("write/wrote/written")
    ('write', 'writes', 'wrote', 'written', 'writing')
    """
    stem, *irregular = entry.split("/")
    base = stem.rstrip("+")
    long = base + base[-1] if stem.endswith("+") else base
    if base.endswith("ie"):
        gerund = base[:-2] + "ying"
    elif base.endswith("e") and not base.endswith(("ee", "be")):
        gerund = base[:-1] + "ing"
    else:
        gerund = long + "ing"
    if irregular:
        past, participle = irregular
    elif base.endswith("e"):
        past = participle = base + "d"
    elif base.endswith("y") and base[-2] not in "aeiou":
        past = participle = base[:-1] + "ied"
    else:
        past = participle = long + "ed"
    return base, _add_s(base), past, participle, gerund


def _add_s(word: str) -> str:
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "sh", "ch", "x", "z", "to")):
        return word + "es"
    return word + "s"


def _held_out(part: str) -> dict[str, str]:
    """The split that holds out each word."""
    splits = grammar_data()["splits"]
    return {word: name for name, rule in splits.items() for word in rule.get(part, "").split()}
