"""The built-in corpus: English-like sentences with gold roles, generated from a seed.

The generator walks a small grammar top-down and writes every token together with
its grammatical role, thematic role, number and clause depth. Words, probabilities
and splits are data (`corpora/grammar.json`); the rules are here.

Generalization splits follow COGS (Kim & Linzen 2020) and SLOG (Li et al. 2023): each
shows a word in a role, or a construction in a position, that train never shows
together, although train has both apart. The grammatical roles are those of the
default scheme for Universal Dependencies: conjuncts take the role of the first,
a relativizer the role of the gap it stands for.
"""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.lexicon import Lexicon, Noun, Pool, Verb, expand, grammar_data, surface_subject

LAYERS = ("grammatical", "thematic", "number", "depth")
# The most complex structure names the sentence; without one its main clause does.
_MARKS = (
    "object_relative",
    "subject_relative",
    "coordination",
    "complement",
    "infinitive",
    "noun_pp",
)
_BE = {"past": ("was", "were"), "present": ("is", "are")}
_TRIES = 500  # per sentence, before a split is given up


def make_builtin(
    seed: int = 0, n_train: int = 4000, n_dev: int = 600, n_test: int = 1200, n_gen: int = 300
) -> Corpus:
    """Generate the built-in corpus.

    No sentence occurs twice, in one split or in two. Words of the generalization
    splits all occur in train; dev and test may hold new ones, as any text does.

    Parameters
    ----------
    seed : int, default=0
        The same seed and sizes give the same corpus, byte for byte.
    n_train, n_dev, n_test : int
        Sentences; without sentences, dev and test are left out.
    n_gen : int, default=300
        Sentences of each generalization split; 0 leaves them out.

    Returns
    -------
    Corpus
        Named ``builtin``, with layers ``grammatical``, ``thematic``, ``number`` (of
        nouns, pronouns and finite verbs) and ``depth`` (of the clause, ``"0"`` is main).

    Raises
    ------
    BadInputError
        If a size is not a whole number, or too few training sentences are asked
        for to show the words of a generalization split.

    Examples
    --------
    >>> corpus = make_builtin(seed=0, n_train=50, n_dev=5, n_test=5, n_gen=0)
    >>> {name: split.n_sentences for name, split in corpus.splits.items()}
    {'train': 50, 'dev': 5, 'test': 5}
    """
    sizes = {"train": n_train, "dev": n_dev, "test": n_test}
    for name, size in {**sizes, "gen": n_gen, "seed": seed}.items():
        least = 1 if name == "train" else 0
        if isinstance(size, bool) or not hasattr(size, "__index__") or int(size) < least:
            shown = name if name == "seed" else f"n_{name}"
            raise BadInputError(f"{shown}={size!r}: give a whole number of at least {least}")
    sizes.update((f"gen/{name}", n_gen) for name in grammar_data()["splits"])

    seen: set[tuple[str, ...]] = set()
    vocabulary: set[str] = set()
    splits = {}
    for name, size in sizes.items():
        if size == 0:
            continue
        splits[name] = _make_split(name, int(size), int(seed), seen, vocabulary)
        if name == "train":
            vocabulary = set(splits[name].forms.tolist())
    return Corpus(
        name="builtin",
        splits=splits,
        layer="grammatical",
        source="hebbsim's own grammar (corpora/grammar.json)",
        licence="BSD-3-Clause",
        sha256={"builtin": _digest(splits)},
    )


def describe_splits() -> dict[str, str]:
    """What each split of the built-in corpus holds, in one line, by split name."""
    return {
        "train": "sentences to learn from",
        "dev": "new sentences of the same kind, to choose settings and map clusters to roles",
        "test": "new sentences of the same kind",
        **{f"gen/{name}": rule["description"] for name, rule in grammar_data()["splits"].items()},
    }


def _make_split(
    name: str, size: int, seed: int, seen: set[tuple[str, ...]], vocabulary: set[str]
) -> Split:
    """Draw `size` sentences that the split's definition admits and add them to `seen`."""
    data = grammar_data()
    shown = name[4:] if name.startswith("gen/") else ""
    rule = data["splits"].get(shown, {})
    settings = dict(data["settings"])
    for key, value in rule.get("settings", {}).items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    wanted = rule.get("event", shown)
    held_out = {other.get("event", key) for key, other in data["splits"].items()}
    held_out -= {wanted, *rule.get("also", ())}

    # A string is hashed by SHA-512, so every split has its own stream, the same everywhere.
    generator = _Generator(Lexicon(shown), settings, Random(f"builtin/{seed}/{name}"))
    chosen: list[_Sentence] = []
    for _ in range(_TRIES * (size + 10)):
        sentence = generator.sentence()
        key = tuple(sentence.forms)
        if key in seen or len(key) > settings["max_length"] or sentence.events & held_out:
            continue
        if shown and not (wanted in sentence.events and vocabulary.issuperset(key)):
            continue
        seen.add(key)
        chosen.append(sentence)
        if len(chosen) == size:
            break
    else:
        raise BadInputError(
            f"built-in corpus, split {name!r}: found {len(chosen)} of {size} sentences; "
            "use a larger n_train, or n_gen=0 for no generalization splits"
        )
    return make_split(
        name,
        [sentence.forms for sentence in chosen],
        {
            layer: [label for sentence in chosen for label in getattr(sentence, layer)]
            for layer in LAYERS
        },
        [sentence.kind for sentence in chosen],
    )


def _digest(splits: dict[str, Split]) -> str:
    digest = hashlib.sha256()
    for name, split in splits.items():
        digest.update(f"{name} {split.offsets.tolist()}\n".encode())
        for column in (split.forms, split.kinds, *(split.layers[layer] for layer in LAYERS)):
            digest.update("\n".join(column.tolist()).encode())
    return digest.hexdigest()


class _Sentence:
    """Tokens under construction, with what was built along the way.

    `events` are what a split may hold out; `marks` name the sentence.
    """

    __slots__ = (
        "depth", "events", "forms", "grammatical", "main", "marks", "nearest", "number", "thematic",
    )  # fmt: skip

    def __init__(self) -> None:
        self.forms: list[str] = []
        self.grammatical: list[str] = []
        self.thematic: list[str] = []
        self.number: list[str] = []
        self.depth: list[str] = []
        self.events: set[str] = set()
        self.marks: set[str] = set()
        self.main = ""
        self.nearest = ""  # number of the last noun written

    def add(
        self, form: str, role: str, depth: int, theme: str = "NONE", number: str = "none"
    ) -> None:
        self.forms.append(form)
        self.grammatical.append(role)
        self.thematic.append(theme)
        self.number.append(number)
        self.depth.append(str(depth))

    @property
    def kind(self) -> str:
        return next((mark for mark in _MARKS if mark in self.marks), self.main)


class _Subject:
    """What the verb must know of a subject: class, number, and whether a PP or clause follows."""

    __slots__ = ("kind", "modified", "number")

    def __init__(self, kind: str, number: str, modified: bool = False) -> None:
        self.kind = kind
        self.number = number
        self.modified = modified


class _Generator:
    """Writes one sentence after the other."""

    def __init__(self, lexicon: Lexicon, settings: dict[str, Any], random: Random) -> None:
        data = grammar_data()
        self.lexicon = lexicon
        self.settings = settings
        self.uniform = random.random
        self.limits = data["settings"]  # what train allows at most
        self.tenses = Pool(settings["tenses"].items())
        self.determiners = {
            number: Pool.parse(words) for number, words in data["determiners"].items()
        }
        self.adjectives = {kind: Pool.parse(words) for kind, words in data["adjectives"].items()}
        self.adverbs = {place: Pool.parse(words) for place, words in data["adverbs"].items()}
        self.pronouns = data["pronouns"]
        self.modals = Pool.parse("will:5 can:3 must:2 should:2 may:1 could:2 would:2")
        self.prepositions = {
            (host, head): Pool(
                ((Pool.parse(entry["words"]), tuple(entry["object"])), entry["weight"])
                for entry in entries
                if head in entry["head"]
            )
            for host, entries in data["prepositions"].items()
            for head in {head for entry in entries for head in entry["head"]}
        }
        self.animate = set(expand(("animate",)))
        self._constructions: dict[tuple[str, str, str], Pool[str]] = {}

    def chance(self, name: str, role: str = "") -> bool:
        """Whether an option of the settings happens this time."""
        value = self.settings[name]
        return self.uniform() < (value.get(role, 0.0) if role else value)

    def constructions(self, among: str, slot: str = "", kind: str = "") -> Pool[str]:
        """Constructions with a verb that takes a noun of class `kind` as `slot`."""
        key = (among, slot, kind)
        if key not in self._constructions:
            self._constructions[key] = Pool(
                (name, weight)
                for name, weight in self.settings[among].items()
                if (slot != "object" or name in ("transitive", "causative"))
                and len(self.lexicon.verbs(name, slot, kind))
            )
        return self._constructions[key]

    # Clauses

    def sentence(self) -> _Sentence:
        out = _Sentence()
        if self.chance("adverb_first"):
            out.add(self.adverbs["first"].draw(self.uniform), "ADV", 0)
        out.main = self.clause(out, 0, 0)
        if self.chance("clause_coordination"):
            out.marks.add("coordination")
            out.add("and", "CC", 0)
            self.clause(out, 0, self.settings["max_cp"])
        out.add(".", "PUNCT", 0)
        return out

    def clause(self, out: _Sentence, depth: int, complements: int) -> str:
        """A finite clause inside `complements` complement clauses; its construction."""
        pool = self.constructions("constructions")
        construction = pool.draw(self.uniform)
        while construction == "complement" and complements >= self.settings["max_cp"]:
            construction = pool.draw(self.uniform)
        verb = self.lexicon.verbs(construction).draw(self.uniform)
        subject = self.noun_phrase(
            out, "SUBJ", _subject_theme(construction), surface_subject(verb, construction), depth
        )
        self.predicate(out, construction, verb, subject, depth, complements=complements)
        if construction in ("unergative", "transitive") and self.chance("verb_coordination"):
            out.marks.add("coordination")
            out.add("and", "CC", depth)
            verb = self.lexicon.verbs(construction, "subject", subject.kind).draw(self.uniform)
            self.predicate(out, construction, verb, _Subject(subject.kind, subject.number), depth)
        return construction

    def predicate(
        self,
        out: _Sentence,
        construction: str,
        verb: Verb,
        subject: _Subject,
        depth: int,
        *,
        complements: int = 0,
        finite: bool = True,
        gap: bool = False,
    ) -> None:
        """A verb with all that follows it; `gap` leaves out the object."""
        if verb.split and construction not in grammar_data()["splits"][verb.split]["only"]:
            out.events.add(verb.split)
        self.verb_group(out, construction, verb, subject, depth, finite)
        last = subject = _Subject(subject.kind, subject.number)
        if construction == "double_object" or (construction == "passive_recipient"):
            if construction == "double_object":
                self.noun_phrase(out, "IOBJ", "RECIPIENT", verb.recipient, depth, final=False)
            last = self.noun_phrase(out, "OBJ", "THEME", verb.object, depth)
        elif construction in ("transitive", "causative") and not gap:
            last = self.noun_phrase(out, "OBJ", "THEME", verb.object, depth)
        elif construction == "to_dative":
            self.noun_phrase(out, "OBJ", "THEME", verb.object, depth, final=False)
        if construction in ("to_dative", "passive_dative"):
            out.add("to", "CASE", depth)
            last = self.noun_phrase(out, "OBL", "RECIPIENT", verb.recipient, depth)
        elif construction == "passive_by":
            out.add("by", "CASE", depth)
            last = self.noun_phrase(out, "OBL", "AGENT", verb.subject, depth)
        elif construction == "complement":
            out.marks.add("complement")
            if complements + 1 > self.limits["max_cp"]:
                out.events.add("deep_cp")
            if not self.chance("bare_complement"):
                out.add("that", "MARK", depth + 1)
            self.clause(out, depth + 1, complements + 1)
            return
        elif construction == "infinitive":
            out.marks.add("infinitive")
            out.add("to", "MARK", depth + 1)
            inner = self.constructions("infinitive", "subject", subject.kind).draw(self.uniform)
            verb = self.lexicon.verbs(inner, "subject", subject.kind).draw(self.uniform)
            self.predicate(out, inner, verb, subject, depth + 1, finite=False)
            return
        # After a relative clause, or a place, a PP of place would not be the verb's.
        if not gap and not last.modified and (last is subject or last.kind != "place"):
            if self.chance("location", construction):
                self.location(out, "free" if last is subject else "bound", depth)
        if construction != "copular" and self.chance("adverb_after"):
            out.add(self.adverbs["after"].draw(self.uniform), "ADV", depth)

    def location(self, out: _Sentence, head: str, depth: int) -> None:
        """A PP on the verb; after an object (``bound``) places alone, so that it is no noun's."""
        words, classes = self.prepositions["verb", head].draw(self.uniform)
        out.add(words.draw(self.uniform), "CASE", depth)
        self.noun_phrase(out, "OBL", "LOCATION", classes, depth)

    def verb_group(
        self,
        out: _Sentence,
        construction: str,
        verb: Verb,
        subject: _Subject,
        depth: int,
        finite: bool,
    ) -> None:
        """Auxiliaries, adverb and verb (or adjective, after a copula)."""
        if not finite:
            out.add(verb.base, "PRED", depth, "PRED")
            return
        plural = subject.number == "pl"
        tense = self.tenses.draw(self.uniform)
        if construction == "copular" or construction.startswith("passive"):
            words = self.be(tense, plural)
            if construction == "copular":
                words.append(self.adjectives[_descriptive(subject.kind)].draw(self.uniform))
            else:
                words.append(verb.participle)
        else:
            words = self.active(tense, plural, verb)
        if subject.modified and out.nearest != subject.number and _agrees(words[0], verb, tense):
            out.events.add("attractor")

        adverb = construction != "copular" and tense != "negated" and self.chance("adverb_before")
        if adverb and len(words) == 1:
            out.add(self.adverbs["before"].draw(self.uniform), "ADV", depth)
        for i, word in enumerate(words):
            number = subject.number if i == 0 else "none"
            if i == len(words) - 1:
                out.add(word, "PRED", depth, "PRED", number)
            else:
                out.add(word, "ADV" if word == "not" else "AUX", depth, number=number)
            if adverb and i == 0 < len(words) - 1:
                out.add(self.adverbs["before"].draw(self.uniform), "ADV", depth)

    def be(self, tense: str, plural: bool) -> list[str]:
        """Forms of `be` before a participle or adjective."""
        if tense == "perfect":
            return ["have" if plural else "has", "been"]
        if tense == "modal":
            return [self.modals.draw(self.uniform), "be"]
        if tense == "negated":
            return [_BE["past"][plural], "not"]
        return [_BE["present" if tense == "present" else "past"][plural]]

    def active(self, tense: str, plural: bool, verb: Verb) -> list[str]:
        if tense == "past":
            return [verb.past]
        if tense == "present":
            return [verb.base if plural else verb.third]
        if tense == "perfect":
            had = self.uniform() < 0.3
            return ["had" if had else "have" if plural else "has", verb.participle]
        if tense == "progressive":
            return [_BE["past" if self.uniform() < 0.5 else "present"][plural], verb.gerund]
        if tense == "modal":
            return [self.modals.draw(self.uniform), verb.base]
        did = self.uniform() < 0.6
        return ["did" if did else "do" if plural else "does", "not", verb.base]

    # Noun phrases

    def noun_phrase(
        self,
        out: _Sentence,
        role: str,
        theme: str,
        classes: tuple[str, ...],
        depth: int,
        *,
        final: bool = True,
        simple: bool = False,
        chain: int = 0,
    ) -> _Subject:
        """A noun or pronoun with all that belongs to it.

        `final` is false where the clause goes on, so that no relative clause may
        follow (but on subjects and indirect objects, where a split asks for it);
        `simple` forbids PPs, clauses and coordination; `chain` counts the PPs that
        this noun is inside of.
        """
        noun = self.lexicon.nouns(classes, role).draw(self.uniform)
        if role in self.pronouns and not noun.split and self.chance("pronoun"):
            kind = "animate" if noun.kind in self.animate else "inanimate"
            forms = self.pronouns[role][kind]
            form = list(forms)[int(self.uniform() * len(forms))]
            out.add(form, role, depth, theme, forms[form])
            out.nearest = forms[form]
            return _Subject(noun.kind, forms[form])

        number = self.bare_phrase(out, noun, role, theme, depth)
        subject = _Subject(noun.kind, number)
        if simple:
            return subject
        if noun.kind != "name":
            subject.modified = self.modifier(out, noun, number, role, depth, final, chain)
        if self.chance("coordination", role):
            out.marks.add("coordination")
            out.events.add(f"coordination@{role}")
            out.add("and", "CC", depth)
            self.noun_phrase(out, role, theme, (noun.kind,), depth, simple=True)
            subject.number = "pl"
        return subject

    def bare_phrase(self, out: _Sentence, noun: Noun, role: str, theme: str, depth: int) -> str:
        """Determiner, adjectives and noun; its number."""
        uniform = self.uniform
        number = "sg"
        if noun.kind != "name":
            if noun.plural and uniform() < self.settings["plural"]:
                number = "pl"
            determiner = self.determiners[number if noun.plural else "mass"].draw(uniform)
            adjectives = []
            if uniform() < self.settings["adjective"]:
                adjectives.append(self.adjectives[noun.kind].draw(uniform))
            form = noun.plural if number == "pl" else noun.singular
            if determiner == "a" and (adjectives or [form])[0][0] in "aeiou":
                determiner = "an"
            if determiner != "-":
                out.add(determiner, "DET", depth)
            for adjective in adjectives:
                out.add(adjective, "MOD", depth)
        else:
            form = noun.singular
        out.add(form, role, depth, theme, number)
        out.nearest = number
        if noun.split and role not in grammar_data()["splits"][noun.split]["only"]:
            out.events.add(noun.split)
        return number

    def modifier(
        self,
        out: _Sentence,
        noun: Noun,
        number: str,
        role: str,
        depth: int,
        final: bool,
        chain: int,
    ) -> bool:
        """At most one PP or relative clause after a noun; whether there is one.

        Held-out nouns get no relative clause: it would tell what else they can be.
        """
        if chain < self.settings["max_pp"] and self.chance("pp", role):
            out.marks.add("noun_pp")
            out.events.add(f"pp@{role}")
            if chain + 1 > self.limits["max_pp"]:
                out.events.add("deep_pp")
            words, classes = self.prepositions["noun", noun.kind].draw(self.uniform)
            out.add(words.draw(self.uniform), "CASE", depth)
            self.noun_phrase(out, "NMOD", "NMOD", classes, depth, chain=chain + 1)
            return True
        if noun.split or not final or depth > self.settings["max_cp"]:
            return False
        for gap in ("subject", "object"):
            if self.chance(f"{gap}_relative", role):
                pool = self.constructions("relative", gap, noun.kind)
                if len(pool):
                    out.marks.add(f"{gap}_relative")
                    out.events.add(f"{gap}_relative@{role}")
                    construction = pool.draw(self.uniform)
                    self.relative(out, noun, number, gap, construction, depth + 1)
                    return True
        return False

    def relative(
        self, out: _Sentence, noun: Noun, number: str, gap: str, construction: str, depth: int
    ) -> None:
        """A relative clause whose subject or object is the noun before it."""
        verb = self.lexicon.verbs(construction, gap, noun.kind).draw(self.uniform)
        if construction.startswith("passive"):
            out.events.add("passive@relative")
        relativizer = "that"
        if self.uniform() < 0.4:
            relativizer = "who" if noun.kind == "person" else "which"
        if gap == "subject":
            out.add(relativizer, "SUBJ", depth, _subject_theme(construction))
            self.predicate(out, construction, verb, _Subject(noun.kind, number), depth)
        else:
            if not self.chance("bare_relative"):
                out.add(relativizer, "OBJ", depth, "THEME")
            subject = self.noun_phrase(out, "SUBJ", "AGENT", verb.subject, depth, simple=True)
            self.predicate(out, construction, verb, subject, depth, gap=True)


def _subject_theme(construction: str) -> str:
    """Thematic role of the surface subject."""
    if construction == "passive_recipient":
        return "RECIPIENT"
    if construction.startswith("passive") or construction in (
        "unaccusative",
        "inchoative",
        "copular",
    ):
        return "THEME"
    return "AGENT"


def _descriptive(kind: str) -> str:
    """Class whose adjectives describe a noun (names are described like people)."""
    return "person" if kind == "name" else kind


def _agrees(form: str, verb: Verb, tense: str) -> bool:
    """Whether the finite form shows the number of its subject."""
    return form not in ("had", "did") and tense not in ("past", "modal") or form in _BE["past"]
