"""Rules of the built-in grammar, which generate sentences top-down.

Every token is generated together with its grammatical role, thematic role, number and clause
depth, so nothing has to be parsed. Whatever a generalization split may hold out (a PP on a
subject, a verb in the passive) is recorded as an event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hebbsim.readers import lexicon
from hebbsim.readers.lexicon import Noun, Pool, Verb, expand, grammar_data, surface_subject

LAYERS = ("grammatical", "thematic", "number", "depth")
# Structures by which a sentence is named, in order of precedence.
_MARKS = (
    "object_relative", "subject_relative", "coordination", "complement", "infinitive", "noun_pp",
)  # fmt: skip
_WITH_OBJECT = ("transitive", "causative")  # allow an object gap
_BE = {"past": ("was", "were"), "present": ("is", "are")}


@dataclass(slots=True)
class Sentence:
    """A sentence under construction.

    A split may hold out `events`; `marks` determine the kind of the sentence, else `main`, the
    construction of its main clause.
    """

    forms: list[str] = field(default_factory=list)
    grammatical: list[str] = field(default_factory=list)
    thematic: list[str] = field(default_factory=list)
    number: list[str] = field(default_factory=list)
    depth: list[str] = field(default_factory=list)
    events: set[str] = field(default_factory=set)
    marks: set[str] = field(default_factory=set)
    main: str = ""
    nearest: str = ""  # number of the last noun
    relatives: int = 0  # depth of nested relative clauses

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


@dataclass(slots=True)
class Phrase:
    """Properties of a noun phrase that the rest of its clause depends on."""

    kind: str  # class of the noun
    number: str
    modified: bool = False  # by a PP or a relative clause


class Generator:
    """Generates sentences one after another; for `shown` see `hebbsim.readers.lexicon`."""

    def __init__(self, shown: str, settings: dict[str, Any], random: Random) -> None:
        data = grammar_data()
        self.shown = shown
        self.settings = settings
        self.uniform = random.random
        self.limits = data["settings"]  # maximum depths in train
        self.tenses = Pool(settings["tenses"].items())
        self.determiners = {
            number: Pool.parse(words) for number, words in data["determiners"].items()
        }
        self.adjectives = {kind: Pool.parse(words) for kind, words in data["adjectives"].items()}
        self.adverbs = {place: Pool.parse(words) for place, words in data["adverbs"].items()}
        self.pronouns = data["pronouns"]
        self.stative = set(data["stative"].split())
        self.modals = Pool.parse(data["modals"])
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
        self.out = Sentence()  # under construction
        self._constructions: dict[tuple[str, str, str], Pool[str]] = {}

    def chance(self, name: str, role: str = "") -> bool:
        """Draw whether an option of the settings applies."""
        value = self.settings[name]
        return self.uniform() < (value.get(role, 0.0) if role else value)

    def constructions(self, among: str, slot: str = "", kind: str = "") -> Pool[str]:
        """Constructions with a verb that takes a noun of class `kind` as `slot`."""
        key = (among, slot, kind)
        if key not in self._constructions:
            self._constructions[key] = Pool(
                (name, weight)
                for name, weight in self.settings[among].items()
                if (slot != "object" or name in _WITH_OBJECT)
                and len(lexicon.verbs(self.shown, name, slot, kind))
            )
        return self._constructions[key]

    def verb(self, construction: str, slot: str = "", kind: str = "") -> Verb:
        """Draw a verb for a construction, see `hebbsim.readers.lexicon.verbs`."""
        return lexicon.verbs(self.shown, construction, slot, kind).draw(self.uniform)

    # Clauses

    def sentence(self) -> Sentence:
        """A sentence of any construction with a weight in the settings."""
        self.out = Sentence()
        if self.chance("adverb_first"):
            self.out.add(self.adverbs["first"].draw(self.uniform), "ADV", 0)
        self.out.main = self.clause(0, 0)
        if self.chance("clause_coordination"):
            self.out.marks.add("coordination")
            self.out.add("and", "CC", 0)
            self.clause(0, self.settings["max_cp"])
        self.out.add(".", "PUNCT", 0)
        return self.out

    def clause(self, depth: int, complements: int) -> str:
        """A finite clause inside `complements` complement clauses; its construction."""
        pool = self.constructions("constructions")
        construction = pool.draw(self.uniform)
        while construction == "complement" and complements >= self.settings["max_cp"]:
            construction = pool.draw(self.uniform)
        verb = self.verb(construction)
        subject = self.noun_phrase(
            "SUBJ", _subject_theme(construction), surface_subject(verb, construction), depth
        )
        self.predicate(construction, verb, subject, depth, complements=complements)
        if construction in ("unergative", "transitive") and self.chance("verb_coordination"):
            self.out.marks.add("coordination")
            self.out.add("and", "CC", depth)
            verb = self.verb(construction, "subject", subject.kind)
            self.predicate(construction, verb, Phrase(subject.kind, subject.number), depth)
        return construction

    def predicate(
        self,
        construction: str,
        verb: Verb,
        subject: Phrase,
        depth: int,
        *,
        complements: int = 0,
        finite: bool = True,
        gap: bool = False,
    ) -> None:
        """A verb and what follows it; `gap` omits the object."""
        if verb.split and construction not in grammar_data()["splits"][verb.split]["only"]:
            self.out.events.add(verb.split)
        self.verb_group(construction, verb, subject, depth, finite)
        last = subject = Phrase(subject.kind, subject.number)
        if construction in ("double_object", "passive_recipient"):
            if construction == "double_object":
                self.noun_phrase("IOBJ", "RECIPIENT", verb.recipient, depth, final=False)
            last = self.noun_phrase("OBJ", "THEME", verb.object, depth, given=True)
        elif construction in _WITH_OBJECT and not gap:
            last = self.noun_phrase("OBJ", "THEME", verb.object, depth)
        elif construction == "to_dative":
            self.noun_phrase("OBJ", "THEME", verb.object, depth, final=False)
        if construction in ("to_dative", "passive_dative"):
            self.out.add("to", "CASE", depth)
            last = self.noun_phrase("OBL", "RECIPIENT", verb.recipient, depth)
        elif construction == "passive_by":
            self.out.add("by", "CASE", depth)
            last = self.noun_phrase("OBL", "AGENT", verb.subject, depth)
        elif construction == "complement":
            self.out.marks.add("complement")
            if complements + 1 > self.limits["max_cp"]:
                self.out.events.add("deep_cp")
            if not self.chance("bare_complement"):
                self.out.add("that", "MARK", depth + 1)
            self.clause(depth + 1, complements + 1)
            return
        elif construction == "infinitive":
            self.out.marks.add("infinitive")
            self.out.add("to", "MARK", depth + 1)
            inner = self.constructions("infinitive", "subject", subject.kind).draw(self.uniform)
            verb = self.verb(inner, "subject", subject.kind)
            self.predicate(inner, verb, subject, depth + 1, finite=False)
            return
        # After a modifier or a place, a PP of place would attach to the noun.
        if not gap and not last.modified and (last is subject or last.kind != "place"):
            if self.chance("location", construction):
                self.location("free" if construction == "unergative" else "bound", depth)
        if construction != "copular" and self.chance("adverb_after"):
            self.out.add(self.adverbs["after"].draw(self.uniform), "ADV", depth)

    def location(self, head: str, depth: int) -> None:
        """A PP on the verb; if ``bound``, a place that could not modify the preceding noun."""
        words, classes = self.prepositions["verb", head].draw(self.uniform)
        self.out.add(words.draw(self.uniform), "CASE", depth)
        self.noun_phrase("OBL", "LOCATION", classes, depth)

    def verb_group(
        self, construction: str, verb: Verb, subject: Phrase, depth: int, finite: bool
    ) -> None:
        """Auxiliaries, adverb and verb (or copula and adjective)."""
        if not finite:
            self.out.add(verb.base, "PRED", depth, "PRED")
            return
        plural = subject.number == "pl"
        tense = self.tenses.draw(self.uniform)
        if tense == "progressive" and verb.base in self.stative:
            tense = "past"
        if construction == "copular" or construction.startswith("passive"):
            words = self.be(tense, plural)
            if construction == "copular":
                kind = "person" if subject.kind == "name" else subject.kind
                words.append(self.adjectives[kind].draw(self.uniform))
            else:
                words.append(verb.participle)
        else:
            words = self.active(tense, plural, verb)
        if subject.modified and self.out.nearest != subject.number and _agrees(words[0], tense):
            self.out.events.add("attractor")

        adverb = construction != "copular" and tense != "negated" and self.chance("adverb_before")
        if adverb and len(words) == 1:
            self.out.add(self.adverbs["before"].draw(self.uniform), "ADV", depth)
        for i, word in enumerate(words):
            number = subject.number if i == 0 else "none"
            if i == len(words) - 1:
                self.out.add(word, "PRED", depth, "PRED", number)
            else:
                self.out.add(word, "ADV" if word == "not" else "AUX", depth, number=number)
            if adverb and i == 0 < len(words) - 1:
                self.out.add(self.adverbs["before"].draw(self.uniform), "ADV", depth)

    def be(self, tense: str, plural: bool) -> list[str]:
        """Forms of *be* before a participle or adjective."""
        if tense == "perfect":
            return ["have" if plural else "has", "been"]
        if tense == "modal":
            return [self.modals.draw(self.uniform), "be"]
        if tense == "negated":
            return [_BE["past" if self.uniform() < 0.6 else "present"][plural], "not"]
        return [_BE["present" if tense == "present" else "past"][plural]]

    def active(self, tense: str, plural: bool, verb: Verb) -> list[str]:
        """Auxiliaries and verb."""
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
        role: str,
        theme: str,
        classes: tuple[str, ...],
        depth: int,
        *,
        final: bool = True,
        simple: bool = False,
        given: bool = False,
        chain: int = 0,
    ) -> Phrase:
        """A noun or pronoun with its modifiers.

        `final` is false if more of the verb phrase follows, which excludes ambiguous relative
        clauses. `simple` excludes PPs, clauses and coordination; `given` excludes pronouns (no
        *gave emma it*); `chain` is the number of PPs that contain this noun.
        """
        noun = self.noun(classes, role)
        if role in self.pronouns and not (noun.split or given) and self.chance("pronoun"):
            kind = "animate" if noun.kind in self.animate else "inanimate"
            forms = self.pronouns[role][kind]
            form = list(forms)[int(self.uniform() * len(forms))]
            self.out.add(form, role, depth, theme, forms[form])
            self.out.nearest = forms[form]
            return Phrase(noun.kind, forms[form])

        number = self.bare_phrase(noun, role, theme, depth)
        subject = Phrase(noun.kind, number)
        if simple:
            return subject
        if noun.kind != "name":
            subject.modified = self.modifier(noun, number, role, depth, final, chain)
        if not subject.modified and self.chance("coordination", role):
            other = self.noun((noun.kind,), role)
            if other is not noun:
                self.out.marks.add("coordination")
                self.out.events.add(f"coordination@{role}")
                self.out.add("and", "CC", depth)
                self.bare_phrase(other, role, theme, depth)
                subject.number = "pl"
        return subject

    def noun(self, classes: tuple[str, ...], role: str) -> Noun:
        """A noun for a role; no name occurs twice in a sentence."""
        pool = lexicon.nouns(self.shown, classes, role)
        noun = pool.draw(self.uniform)
        while noun.kind == "name" and noun.singular in self.out.forms:
            noun = pool.draw(self.uniform)
        return noun

    def bare_phrase(self, noun: Noun, role: str, theme: str, depth: int) -> str:
        """Determiner, adjective and noun; return its number."""
        uniform = self.uniform
        number = "sg"
        if noun.kind != "name":
            if noun.plural and uniform() < self.settings["plural"]:
                number = "pl"
            determiner = self.determiners[number if noun.plural else "mass"].draw(uniform)
            adjective = ""
            if uniform() < self.settings["adjective"]:
                adjective = self.adjectives[noun.kind].draw(uniform)
            if determiner == "a" and (adjective or noun.singular)[0] in "aeiou":
                determiner = "an"
            if determiner != "-":
                self.out.add(determiner, "DET", depth)
            if adjective:
                self.out.add(adjective, "MOD", depth)
        self.out.add(noun.plural if number == "pl" else noun.singular, role, depth, theme, number)
        self.out.nearest = number
        if noun.split and role not in grammar_data()["splits"][noun.split]["only"]:
            self.out.events.add(noun.split)
        return number

    def modifier(
        self, noun: Noun, number: str, role: str, depth: int, final: bool, chain: int
    ) -> bool:
        """At most one PP or relative clause after a noun; return whether there is one.

        Held-out nouns get no relative clause, which would show them in another role.
        """
        if chain < self.settings["max_pp"] and self.chance("pp", role):
            self.out.marks.add("noun_pp")
            self.out.events.add(f"pp@{role}")
            if chain + 1 > self.limits["max_pp"]:
                self.out.events.add("deep_pp")
            words, classes = self.prepositions["noun", noun.kind].draw(self.uniform)
            self.out.add(words.draw(self.uniform), "CASE", depth)
            self.noun_phrase("NMOD", "NMOD", classes, depth, chain=chain + 1)
            return True
        if noun.split or not final or self.out.relatives >= self.settings["max_relative"]:
            return False
        for gap in ("subject", "object"):
            pool = self.constructions("relative", gap, noun.kind)
            if self.chance(f"{gap}_relative", role) and len(pool):
                self.out.marks.add(f"{gap}_relative")
                self.out.events.add(f"{gap}_relative@{role}")
                self.out.relatives += 1
                if self.out.relatives > self.limits["max_relative"]:
                    self.out.events.add("deep_relative")
                construction = pool.draw(self.uniform)
                self.relative(noun, number, gap, construction, depth + 1)
                self.out.relatives -= 1
                return True
        return False

    def relative(self, noun: Noun, number: str, gap: str, construction: str, depth: int) -> None:
        """A relative clause whose subject or object is the preceding noun."""
        verb = self.verb(construction, gap, noun.kind)
        if construction.startswith("passive"):
            self.out.events.add("passive@relative")
        relativizer = "that"
        if self.uniform() < 0.4:
            relativizer = "who" if noun.kind == "person" else "which"
        if gap == "subject":
            self.out.add(relativizer, "SUBJ", depth, _subject_theme(construction))
            self.predicate(construction, verb, Phrase(noun.kind, number), depth)
        else:
            if not self.chance("bare_relative"):
                self.out.add(relativizer, "OBJ", depth, "THEME")
            subject = self.noun_phrase("SUBJ", "AGENT", verb.subject, depth, simple=True)
            self.predicate(construction, verb, subject, depth, gap=True)


def _subject_theme(construction: str) -> str:
    """Thematic role of the surface subject."""
    if construction == "passive_recipient":
        return "RECIPIENT"
    without_agent = construction in ("unaccusative", "inchoative", "copular")
    return "THEME" if without_agent or construction.startswith("passive") else "AGENT"


def _agrees(form: str, tense: str) -> bool:
    """Whether a finite form shows the number of its subject."""
    return form in _BE["past"] or (tense not in ("past", "modal") and form not in ("had", "did"))
