"""COGS: token roles derived from the logical forms of the original files.

Kim, N. and Linzen, T. (2020), "COGS: A Compositional Generalization Challenge Based
on Semantic Interpretation", EMNLP 2020. Format: one sentence a line, tab-separated
sentence, logical form and type. ``x _ i`` in a logical form is token ``i`` (from 0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.lines import LineStream

FILES = ("train", "dev", "test", "gen")

_DETERMINERS = frozenset({"a", "an", "the"})
_CONJUNCT = re.compile(
    r"\w+ \. (?P<relation>agent|theme|recipient|ccomp|xcomp|nmod \. \w+)"
    r" \( x _ (?P<governor>\d+) , (?:x _ (?P<index>\d+)|(?P<name>\w+)) \)"
)
_NOUN = re.compile(r"(?:\* )?\w+ \( x _ \d+ \)")  # says only which word a token is
_VERB_PRIMITIVE = re.compile(r"(?:LAMBDA \w+ \. )+.*\. (?:agent|theme|recipient) \(")

# Clause label by voice and by the arguments in their grammatical roles.
_CLAUSES = {
    ("active", "agent:SUBJ"): "intrans_agent",
    ("active", "theme:SUBJ"): "intrans_theme",
    ("active", "agent:SUBJ theme:OBJ"): "trans",
    ("active", "agent:SUBJ recipient:IOBJ theme:OBJ"): "double_object",
    ("active", "agent:SUBJ recipient:OBL theme:OBJ"): "to_dative",
    ("passive", "theme:SUBJ"): "passive",
    ("passive", "agent:OBL theme:SUBJ"): "passive_by",
    ("passive", "recipient:OBL theme:SUBJ"): "passive_to",
    ("passive", "agent:OBL recipient:OBL theme:SUBJ"): "passive_to_by",
    ("passive", "recipient:SUBJ theme:OBJ"): "passive_recipient",
    ("passive", "agent:OBL recipient:SUBJ theme:OBJ"): "passive_recipient_by",
}


class CogsAnalysis(NamedTuple):
    """What a logical form says about the tokens of its sentence.

    Attributes
    ----------
    thematic, grammatical : list of str, shape=(T,)
    heads : list of int or None, shape=(T,)
        Position of the governor from 0; -1 for the main verb, None without a role.
    clauses : tuple of str
        Clause labels from the outside in: ``cp`` and ``xcomp`` for a verb with a
        *that*-clause or an infinitive, then the construction of the innermost verb.
    """

    thematic: list[str]
    grammatical: list[str]
    heads: list[int | None]
    clauses: tuple[str, ...]


def analyse(tokens: Sequence[str], logical_form: str) -> CogsAnalysis:
    """Roles of every token of one sentence.

    Thematic: the logical form's own relations; a verb is ``PRED``, the noun inside a
    noun-modifying PP ``NMOD``, everything else ``NONE``. Grammatical, from where the
    argument stands: before its verb ``SUBJ``; after it inside a *to* or *by* phrase
    ``OBL``; a recipient right after an active verb ``IOBJ``; otherwise ``OBJ``.

    Parameters
    ----------
    tokens : sequence of str, shape=(T,)
        In their original case: names are told from nouns by it.
    logical_form : str

    Raises
    ------
    ValueError
        If the logical form cannot be read or does not fit the tokens.

    Examples
    --------
    >>> analyse("Emma slept .".split(), "sleep . agent ( x _ 1 , Emma )").grammatical
    ['SUBJ', 'PRED', 'NONE']
    """
    if len(tokens) == 1:
        return _primitive(logical_form)
    arguments: list[tuple[int, str, int]] = []  # verb, relation, argument
    complement: dict[int, tuple[str, int]] = {}  # verb -> ccomp or xcomp, embedded verb
    modifiers: list[tuple[int, int]] = []  # noun, noun inside its PP
    for conjunct in re.split(" AND | ; ", logical_form):
        match = _CONJUNCT.fullmatch(conjunct)
        if match is None:
            if _NOUN.fullmatch(conjunct):
                continue
            raise ValueError(f"cannot read '{conjunct}' in the logical form")
        governor, relation = int(match["governor"]), match["relation"]
        index = match["index"]
        dependent = _find_name(tokens, match["name"]) if index is None else int(index)
        if max(governor, dependent) >= len(tokens):
            raise ValueError(f"the sentence has no token {max(governor, dependent)} ('{conjunct}')")
        if relation.startswith("nmod"):
            modifiers.append((governor, dependent))
        elif relation in ("ccomp", "xcomp"):
            complement[governor] = (relation, dependent)
        else:
            arguments.append((governor, relation, dependent))
    return _assign(tokens, arguments, complement, modifiers)


def _primitive(logical_form: str) -> CogsAnalysis:
    if _VERB_PRIMITIVE.match(logical_form):
        return CogsAnalysis(["PRED"], ["PRED"], [-1], ("primitive",))
    return CogsAnalysis(["NONE"], ["NONE"], [None], ("primitive",))


def _find_name(tokens: Sequence[str], name: str) -> int:
    """Position of a name: the logical form gives names without an index."""
    places = [
        i
        for i, token in enumerate(tokens)
        if token == name and not (i and tokens[i - 1].lower() in _DETERMINERS)
    ]
    if len(places) != 1:
        raise ValueError(f"'{name}' stands {len(places)} times in the sentence, not once")
    return places[0]


def _assign(
    tokens: Sequence[str],
    arguments: Sequence[tuple[int, str, int]],
    complement: Mapping[int, tuple[str, int]],
    modifiers: Sequence[tuple[int, int]],
) -> CogsAnalysis:
    thematic = ["NONE"] * len(tokens)
    grammatical = ["NONE"] * len(tokens)
    heads: list[int | None] = [None] * len(tokens)

    def put(position: int, role: str, surface: str, head: int) -> None:
        thematic[position], grammatical[position], heads[position] = role, surface, head

    for noun, inner in modifiers:
        put(inner, "NMOD", "NMOD", noun)
    embedded = {verb: governor for governor, (_, verb) in complement.items()}
    verbs = {verb for verb, _, _ in arguments} | set(complement) | set(embedded)
    for verb in verbs:
        put(verb, "PRED", "PRED", embedded.get(verb, -1))
    surface = {
        (verb, relation): _grammatical(tokens, verb, relation, argument)
        for verb, relation, argument in arguments
    }
    infinitives = {verb for relation, verb in complement.values() if relation == "xcomp"}
    # A controlled subject belongs to two verbs: the finite one, written last, is its head.
    for verb, relation, argument in sorted(arguments, key=lambda a: a[0] not in infinitives):
        put(argument, relation.upper(), surface[verb, relation], verb)

    roots = verbs - set(embedded)
    if len(roots) != 1:
        raise ValueError(f"the logical form has {len(roots)} main verbs, not one")
    verb = roots.pop()
    clauses = []
    remaining = dict(complement)  # emptied on the way, so that a circle ends
    while verb in remaining:
        relation, verb = remaining.pop(verb)
        clauses.append("cp" if relation == "ccomp" else "xcomp")
    frame = " ".join(f"{rel}:{role}" for (v, rel), role in sorted(surface.items()) if v == verb)
    clauses.append(_CLAUSES.get((_voice(tokens, verb), frame), "other"))
    return CogsAnalysis(thematic, grammatical, heads, tuple(clauses))


def _voice(tokens: Sequence[str], verb: int) -> str:
    return "passive" if verb and tokens[verb - 1] == "was" else "active"


def _grammatical(tokens: Sequence[str], verb: int, relation: str, argument: int) -> str:
    if argument < verb:
        return "SUBJ"
    start = argument - (tokens[argument - 1].lower() in _DETERMINERS)
    if tokens[start - 1] in ("to", "by"):
        return "OBL"
    if relation == "recipient" and _voice(tokens, verb) == "active":
        return "IOBJ"
    return "OBJ"


class _Row(NamedTuple):
    type: str
    forms: list[str]
    analysis: CogsAnalysis


def _read(path: Path) -> tuple[list[_Row], str]:
    lines = LineStream(path)
    rows = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise BadInputError(
                f"{path}:{number}: {len(columns)} columns, COGS has 3 (sentence, logical form, "
                "type); separate them by tabs"
            )
        sentence, logical_form, kind = columns
        tokens = sentence.split()
        try:
            if not tokens:
                raise ValueError("the sentence is empty")
            analysis = analyse(tokens, logical_form)
        except ValueError as error:
            raise BadInputError(f"{path}:{number}: {error}") from None
        rows.append(_Row(kind, [token.lower() for token in tokens], analysis))
    return rows, lines.sha256


def _split(name: str, rows: Sequence[_Row], path: Path) -> Split:
    layers = {
        "thematic": [role for row in rows for role in row.analysis.thematic],
        "grammatical": [role for row in rows for role in row.analysis.grammatical],
    }
    kinds = [row.analysis.clauses[-1] for row in rows]
    return make_split(name, [row.forms for row in rows], layers, kinds, source=path)


def find_cogs(folder: Path) -> dict[str, Path]:
    """The files ``{train,dev,test,gen}.tsv[.gz]`` of a folder or its ``original/``."""
    for place in (folder, folder / "original"):
        found = {
            name: path
            for name in FILES
            for path in (place / f"{name}.tsv.gz", place / f"{name}.tsv")
            if path.is_file()
        }
        if found:
            return found
    return {}


def read_cogs(files: Mapping[str, Path], *, source: str = "", licence: str = "") -> Corpus:
    """COGS from its original files.

    Splits are ``train``, ``dev``, ``test`` and ``gen/TYPE``, one a generalization type
    in alphabetical order; layers ``thematic`` and ``grammatical``; a sentence's kind
    is the construction of its innermost clause. Forms are lower-cased.

    Parameters
    ----------
    files : mapping of str to Path
        Original file by name; see `find_cogs`.

    Raises
    ------
    BadInputError
        If a line is not COGS, naming file and line.
    """
    splits: dict[str, Split] = {}
    sha256 = {}
    for name, path in files.items():
        rows, sha256[path.name] = _read(path)
        if name == "gen":
            for kind in sorted({row.type for row in rows}):
                chosen = [row for row in rows if row.type == kind]
                splits[f"gen/{kind}"] = _split(f"gen/{kind}", chosen, path)
        else:
            splits[name] = _split(name, rows, path)
    return Corpus("cogs", splits, "thematic", source, licence, sha256, format="COGS")
