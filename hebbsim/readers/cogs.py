"""COGS, SLOG and ReCOGS: token roles derived from the logical forms of the original files.

Kim, N. and Linzen, T. (2020), "COGS: A Compositional Generalization Challenge Based
on Semantic Interpretation", EMNLP 2020. Li, B. et al. (2023), "SLOG: A Structural
Generalization Benchmark for Semantic Parsing", EMNLP 2023. Wu, Z. et al. (2023), "ReCOGS",
TACL 11. Format: one sentence per line; tab-separated sentence, logical form (in any notation of
`hebbsim.readers.logical_forms`) and type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.formats import cogs_rows
from hebbsim.readers.kinds import is_kind, kind_by_name
from hebbsim.readers.lines import LineStream, is_stdin, without_packing
from hebbsim.readers.logical_forms import DETERMINERS, QUESTION, Graph, graph_of
from hebbsim.readers.treebanks import SPLITS, files_below

FILES = ("train", "dev", "test", "gen")

#: Subfolders that may hold the files; SLOG provides two notations of the same sentences.
_PLACES = ("", "original", "cogs_LF", "data/cogs_LF", "varfree_LF", "data/varfree_LF")
_VERB_PRIMITIVE = re.compile(r"\b(?:agent|theme|recipient)\b")

# Clause label by voice and by the arguments with their grammatical roles.
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
    """Roles of the T tokens of a sentence, derived from its logical form."""

    #: shape=(T,)
    thematic: list[str]
    grammatical: list[str]
    #: Position of the governor from 0, shape=(T,); -1 for the main verb, None without a role.
    heads: list[int | None]
    #: Clause labels from the outermost in: ``cp`` or ``xcomp`` for a verb with a *that*-clause or
    #: an infinitive, then the construction of the innermost verb.
    clauses: tuple[str, ...]


def analyse(tokens: Sequence[str], logical_form: str) -> CogsAnalysis:
    """Derive the roles of the tokens of one sentence, which are in their original case.

    Thematic roles are the relations of the logical form; a verb is ``PRED``, the noun of a
    noun-modifying PP ``NMOD``, everything else ``NONE``. Grammatical roles follow from position:
    an argument before its verb is ``SUBJ``; after it, in a *to* or *by* phrase, ``OBL``; a
    recipient right after an active verb ``IOBJ``; otherwise ``OBJ``.

    Raises ValueError if the logical form cannot be read or does not match the tokens.

    >>> analyse("Emma slept .".split(), "sleep . agent ( x _ 1 , Emma )").grammatical
    ['SUBJ', 'PRED', 'NONE']
    """
    if len(tokens) > 1:
        return _assign(tokens, graph_of(tokens, logical_form))
    if _VERB_PRIMITIVE.search(logical_form):
        return CogsAnalysis(["PRED"], ["PRED"], [-1], ("primitive",))
    return CogsAnalysis(["NONE"], ["NONE"], [None], ("primitive",))


def _assign(tokens: Sequence[str], graph: Graph) -> CogsAnalysis:
    thematic = ["NONE"] * len(tokens)
    grammatical = ["NONE"] * len(tokens)
    heads: list[int | None] = [None] * len(tokens)

    def put(position: int, role: str, surface: str, head: int) -> None:
        thematic[position], grammatical[position], heads[position] = role, surface, head

    for noun, inner in graph.modifiers:
        put(inner, "NMOD", "NMOD", noun)
    complement = graph.complement
    embedded = {verb: governor for governor, (_, verb) in complement.items()}
    relative = {verb: noun for noun, verb in graph.relatives}
    verbs = {verb for verb, _, _ in graph.arguments} | set(complement) | set(embedded)
    for verb in verbs | set(relative):
        put(verb, "PRED", "PRED", embedded.get(verb, relative.get(verb, -1)))
    infinitives = {verb for relation, verb in complement.values() if relation == "xcomp"}
    asked = {i for i, token in enumerate(tokens) if token.lower() in QUESTION}
    gaps = {}  # whether an argument is displaced from its position at the verb
    for argument in graph.arguments:
        nouns = {relative[verb] for verb in _above(argument[0], embedded) if verb in relative}
        gaps[argument] = argument[2] in asked | nouns or _preposed(argument, graph.arguments)
    surface = {
        argument[:2]: _moved(tokens, argument, gaps) if gap else _grammatical(tokens, argument)
        for argument, gap in gaps.items()
    }
    # A noun belongs to its own clause or phrase, not to the relative clause that follows it; a
    # controlled subject to the finite verb, not to the infinitive. Later assignments overwrite
    # earlier ones.
    behind = {noun for noun, _ in graph.relatives}
    order = sorted(
        graph.arguments, key=lambda a: (not (gaps[a] and a[2] in behind), a[0] not in infinitives)
    )
    for verb, relation, place in order:
        if thematic[place] != "NMOD":
            put(place, relation.upper(), surface[verb, relation], verb)

    verbs -= {verb for verb in verbs if any(of in relative for of in _above(verb, embedded))}
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


def _above(verb: int, embedded: Mapping[int, int]) -> list[int]:
    """A verb, and the verbs whose complement clauses contain it."""
    chain = [verb]
    while (governor := embedded.get(chain[-1])) is not None and governor not in chain:
        chain.append(governor)
    return chain


def _voice(tokens: Sequence[str], verb: int) -> str:
    if verb and tokens[verb - 1] == "was":
        return "passive"
    # "What was the boy given ?"
    moved = tokens[0].lower() in QUESTION and tokens[1] == "was" and "that" not in tokens[:verb]
    return "passive" if moved and "was" not in tokens[2:verb] else "active"


def _preposed(argument: tuple[int, str, int], arguments: Sequence[tuple[int, str, int]]) -> bool:
    """Whether another argument separates it from its verb: "a cake in a house Emma rolled"."""
    verb, _, place = argument
    return any(of == verb and place < at < verb for of, _, at in arguments)


def _moved(
    tokens: Sequence[str],
    argument: tuple[int, str, int],
    gaps: Mapping[tuple[int, str, int], bool],
) -> str:
    """Grammatical role of a displaced argument: of a question or a relative clause."""
    verb, relation, _ = argument
    if not any(of == verb and at < verb and not gap for (of, _, at), gap in gaps.items()):
        return "SUBJ"
    if relation == "agent" or (_voice(tokens, verb) == "passive" and relation == "recipient"):
        return "OBL"
    # "Who did the girl offer a melon to ?"
    stranded = any(a == "to" and b in ("?", ".", "that") for a, b in pairwise(tokens[verb:]))
    return "OBJ" if relation == "theme" else "OBL" if stranded else "IOBJ"


def _grammatical(tokens: Sequence[str], argument: tuple[int, str, int]) -> str:
    verb, relation, place = argument
    if place < verb:
        return "SUBJ"
    start = place - (tokens[place - 1].lower() in DETERMINERS)
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
    rows: list[_Row] = []
    for number, columns in cogs_rows(lines):
        if len(columns) != 3:
            fix = "separate them by tabs" if len(columns) == 1 else "one per tab-separated cell"
            raise BadInputError(
                f"{path}:{number}: {len(columns)} columns, COGS has 3 (sentence, logical form, "
                f"type); {fix}"
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
    """Find the files of COGS in a folder or one of its subfolders, by split.

    A file is named after its split, or its name ends in it (``train.tsv``, ``cogs_Dev.txt.gz``);
    the names of generalization sets may go on (``gen_samples.tsv``). Files are distinguished from
    other tables and texts by their content.

    Raises BadInputError if several files of a split, or several subfolders, fit alike.
    """
    places: dict[Path, dict[str, list[Path]]] = {}
    for path in files_below(folder):
        if kind_by_name(path) in ("table", "text") and (split := _split_of(_stem(path))):
            places.setdefault(path.parent, {}).setdefault(split, []).append(path)
    fit = {
        place: files
        for place, files in places.items()
        if any(is_kind(path, "cogs") for paths in files.values() for path in paths)
    }
    place = next((folder / name for name in _PLACES if folder / name in fit), None)
    if place is None and len(fit) > 1:
        names = ", ".join(str(place.relative_to(folder)) for place in list(fit)[:4])
        raise BadInputError(f"{folder}: COGS files in several folders ({names}); give one of them")
    files = fit.get(place or next(iter(fit), folder), {})
    return {name: _only(name, files[name]) for name in FILES if name in files}


def _stem(path: Path) -> str:
    return without_packing(path.name).lower().rpartition(".")[0]


def _split_of(stem: str) -> str | None:
    name = re.fullmatch(r"(?:.*[^a-z])?(?:(gen[a-z]*)|([a-z]+))", stem)
    if stem.startswith("gen") or (name and name[1]):
        return "gen"
    return SPLITS.get(name[2]) if name else None


def _only(split: str, paths: Sequence[Path]) -> Path:
    """The file that is named after a split, or else the only one whose name ends in it."""
    exact = [path for path in paths if _stem(path).startswith(split)] or list(paths)
    if len({_stem(path) for path in exact}) > 1 and split != "gen":
        names = ", ".join(path.name for path in paths[:4])
        raise BadInputError(
            f"{paths[0].parent}: two files for split '{split}' ({names}); keep one corpus per "
            "folder"
        )
    return exact[0]


def read_cogs(files: Mapping[str, Path], *, source: str = "", licence: str = "") -> Corpus:
    """Read COGS, SLOG or ReCOGS from the original files that `find_cogs` returns.

    Splits are ``train``, ``dev``, ``test`` and one ``gen/TYPE`` per generalization type, in
    alphabetical order; layers are ``thematic`` and ``grammatical``. The kind of a sentence is the
    construction of its innermost clause. Forms are lower-cased.

    Raises BadInputError, with file and line, if a line is not COGS.
    """
    splits: dict[str, Split] = {}
    sha256 = {}
    for name, path in files.items():
        rows, sha256["stdin" if is_stdin(path) else path.name] = _read(path)
        if name == "gen":
            for kind in sorted({row.type for row in rows}):
                chosen = [row for row in rows if row.type == kind]
                splits[f"gen/{kind}"] = _split(f"gen/{kind}", chosen, path)
        else:
            splits[name] = _split(name, rows, path)
    return Corpus("cogs", splits, "thematic", source, licence, sha256, format="COGS")
