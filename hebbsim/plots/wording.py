"""Names of corpora, splits, roles and conditions in titles and rows of figures."""

from collections.abc import Mapping

from pandas import DataFrame

_CORPORA = {"builtin": "built-in grammar", "cogs": "COGS"}
_SPLITS = {"test": "test split", "dev": "development split", "gen": "generalization splits"}
_ROLES = {
    "SUBJ": "subject", "OBJ": "object", "IOBJ": "indirect object", "OBL": "oblique",
    "NMOD": "noun modifier", "PRED": "predicate", "MOD": "modifier", "ADV": "adverb",
    "DET": "determiner", "CASE": "adposition", "AUX": "auxiliary", "CC": "conjunction",
    "MARK": "subordinator", "PUNCT": "punctuation", "OTHER": "other", "NONE": "no role",
    "AGENT": "agent", "THEME": "theme", "RECIPIENT": "recipient",
}  # fmt: skip
#: Parts of names of generalization splits.
_PARTS = {
    "subj": "subject", "obj": "object", "iobj": "indirect object", "obl": "oblique",
    "nmod": "noun modifier", "arg": "argument", "inf": "infinitive", "prim": "primitive",
    "pp": "PP", "cp": "clause complement", "rc": "relative clause", "coord": "coordination",
    "do": "double-object", "trans": "transitive", "unacc": "unaccusative",
    "unerg": "unergative", "common": "(common noun)", "proper": "(proper noun)",
}  # fmt: skip


def role(name: str) -> str:
    """Name of a role, with its code.

    >>> role("IOBJ"), role("AGENT"), role("ARG0")
    ('indirect object (IOBJ)', 'agent', 'ARG0')
    """
    said = _ROLES.get(name, name)
    return said if said.lower() == name.lower() else f"{said} ({name})"


def construction(split: str) -> str:
    """Name of a generalization split.

    >>> construction("gen/obj_pp_to_subj_pp"), construction("gen/subj_to_obj_common")
    ('object PP to subject PP', 'subject to object (common noun)')
    """
    parts = split.removeprefix("gen/").removeprefix("only_seen_as_").split("_")
    return " ".join(_PARTS.get(part, part) for part in parts)


def corpus_of(table: DataFrame) -> str:
    """Name of the corpus of a table, short enough for a title."""
    name = str(table["corpus"].iloc[0])
    if name.startswith("ud-"):
        *words, treebank = name[3:].split("-")
        return " ".join(["UD", *(word.capitalize() for word in words), treebank.upper()])
    name = _CORPORA.get(name, name)
    return name if len(name) <= 28 else f"{name[:27]}…"


def where(table: DataFrame, split: str) -> str:
    """Corpus and split of a title, such as ``built-in grammar, test split``."""
    return f"{corpus_of(table)}, {_SPLITS.get(split, split)}"


def held(words: Mapping[str, str]) -> str:
    """Number format of a trace state, or its noise.

    >>> held({"precision": "int8"}), held({"precision": "float64", "snr": "20"})
    ('int8', 'noise 20 dB')
    """
    return f"noise {words['snr']} dB" if "snr" in words else words.get("precision", "")


#: Number formats in which decoders are compared, in order of preference.
_USUAL = ("float32", "float64", "bfloat16", "int8")


def usual_first(words: Mapping[str, str]) -> tuple[bool, int]:
    """Sort key of conditions: those without noise first, then by number format."""
    precision = words.get("precision", "")
    return "snr" in words, _USUAL.index(precision) if precision in _USUAL else len(_USUAL)
