"""Universal Dependencies treebanks: words and coarse grammatical roles."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conllu.exceptions import ParseException
from conllu.parser import parse_int_value

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, data_file, make_split
from hebbsim.readers.columns import Line, TreebankLines
from hebbsim.readers.lines import LineStream, is_stdin
from hebbsim.readers.trees import clause_depths, subject_numbers
from hebbsim.readers.words import lowered

OTHER = "OTHER"
DEFAULT_SCHEME = "ud-roles"
#: Key of the digest of a role scheme that is not the default, among the digests of a corpus.
SCHEME_INPUT = "role scheme"

#: The schemes of the package.
SCHEMES = (DEFAULT_SCHEME, "clearnlp-roles", "sud-roles", "ud1-roles")

_MOST_SHOWN = 8  # relations in a note
_LAYERS = (
    "grammatical", "pos", "xpos", "deprel", "depth", "subject_number", "subject_distance",
)  # fmt: skip


class RoleScheme:
    """Maps dependency relations to `roles`.

    A relation that is not listed falls back to the part before ``@``, then to the part before
    the colon, then to ``OTHER``; case is ignored. ``mod/ADJ`` applies to adjectives only and
    ``nmod<VERB`` to dependents of verbs; both take precedence over ``mod`` and ``nmod``. A
    ``conj`` takes the role of its first conjunct, unless the scheme lists ``conj``. Relations in
    `other` are known to be ``OTHER``. Messages refer to the scheme by its `name`.

    >>> scheme = RoleScheme({"nsubj": "SUBJ", "mod/ADJ": "MOD"}, ["dep"])
    >>> scheme.role("nsubj:pass"), scheme.role("mod", "ADJ"), scheme.role("mod"), scheme.role("Dep")
    ('SUBJ', 'MOD', 'OTHER', 'OTHER')
    >>> scheme.knows("Dep"), scheme.knows("dobj")
    (True, False)
    """

    def __init__(
        self, roles: Mapping[str, str], other: Iterable[str] = (), name: str = "given"
    ) -> None:
        self.roles = dict(roles)
        self.name = name
        self._found: dict[tuple[str, str, str], str | None] = {}
        self._role_of = {_folded(key): role for key, role in roles.items()} | self.roles
        self._known = {
            *map(_folded, other), "conj",
            *(re.split("[/<]", _folded(key))[0] for key in roles),
        }  # fmt: skip

    @classmethod
    def load(cls, name_or_path: str | Path | None = None) -> RoleScheme:
        """Load a scheme of the package by name, or a JSON file.

        The file holds ``{"roles": {"nsubj": "SUBJ", ...}, "other": ["dep", ...]}``, or only the
        inner object of roles. Raises BadInputError if the scheme does not exist or is invalid.
        """
        name = str(name_or_path or DEFAULT_SCHEME)
        if name in SCHEMES:
            text = data_file(f"{name}.json").read_text(encoding="utf-8")
        elif Path(name).is_file():
            text = "\n".join(LineStream(name))
        else:
            raise BadInputError(
                f"role scheme '{name}' is neither a file nor one of {', '.join(SCHEMES)}"
            )
        try:
            content = json.loads(text)
        except (RecursionError, ValueError) as error:
            line = getattr(error, "lineno", 1)
            raise BadInputError(f"{name}:{line}: role scheme is not JSON ({error})") from None
        roles = content.get("roles", content) if isinstance(content, dict) else None
        if not isinstance(roles, dict) or not roles:
            raise BadInputError(f'{name}: role scheme needs {{"roles": {{"nsubj": "SUBJ", ...}}}}')
        for relation, role in roles.items():
            if not isinstance(role, str) or not role:
                raise BadInputError(f"{name}: role of '{relation}' is not a non-empty string")
        other = content.get("other", []) if roles is not content else []
        if not isinstance(other, list) or not all(isinstance(name, str) for name in other):
            raise BadInputError(f"{name}: 'other' of a role scheme is a list of relations")
        return cls(roles, other, name)

    def digest(self) -> str:
        """SHA-256 of the roles by relation, as hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.roles, sort_keys=True).encode()).hexdigest()

    def role(self, relation: str, pos: str = "", head_pos: str = "") -> str:
        """Role of one relation, ignoring coordination."""
        return self._role(relation, pos, head_pos) or OTHER

    def knows(self, relation: str) -> bool:
        """Whether the scheme lists a relation, possibly as ``OTHER``."""
        return any(name in self._known for name in _names(relation))

    def _role(self, relation: str, pos: str, head_pos: str) -> str | None:
        asked = (relation, pos, head_pos)
        if asked not in self._found:
            keys = [
                key
                for name in _names(relation)
                for key in (f"{name}/{pos.lower()}", f"{name}<{head_pos.lower()}", name)
            ]
            if relation != keys[2]:  # a scheme may distinguish OA from oa
                keys.insert(0, relation)
            self._found[asked] = next((self._role_of[k] for k in keys if k in self._role_of), None)
        return self._found[asked]

    def assign(
        self, heads: Sequence[int], relations: Sequence[str], pos: Sequence[str] | None = None
    ) -> list[str]:
        """Role of every word of a sentence, shape=(T,).

        Heads are positions from 1, and 0 for the root; `pos` are universal parts of speech, which
        only some schemes need. Raises CoordinationCycle if conjuncts form a cycle.
        """
        pos = pos or [""] * len(heads)
        roles: list[str | None] = [
            None
            if self._follows(relation) and head
            else self.role(relation, own, pos[head - 1] if head else "")
            for head, relation, own in zip(heads, relations, pos, strict=True)
        ]
        for start in range(len(roles)):
            at = start
            chain: dict[int, None] = {}  # conjuncts, in order
            while roles[at] is None:
                if at in chain:
                    raise CoordinationCycle(at)
                chain[at] = None
                at = heads[at] - 1
            for conjunct in chain:
                roles[conjunct] = roles[at]
        return [role or OTHER for role in roles]

    def _follows(self, relation: str) -> bool:
        return "conj" in _names(relation) and self._role(relation, "", "") is None


def _folded(relation: str) -> str:
    return relation.strip().lower()


def _names(relation: str) -> list[str]:
    """A relation and its fallbacks: ``comp:obl@agent``, ``comp:obl``, ``comp``."""
    whole = _folded(relation)
    before = whole.partition("@")[0]
    return [whole, before, before.partition(":")[0]]


class CoordinationCycle(ValueError):
    """Conjuncts depend on each other in a cycle; ``args[0]`` is the position of one of them."""


def read_conllu(
    paths: Path | Sequence[Path], name: str, scheme: RoleScheme
) -> tuple[Split, list[TreebankLines], Counter[str]]:
    """Read CoNLL-U files, joined in the given order, as one split.

    Layers: ``grammatical`` (roles), ``pos`` (universal part of speech, column UPOS), ``xpos``
    (language-specific part of speech), ``deprel`` (dependency relation), ``depth`` (clause
    depth), ``subject_number`` and ``subject_distance`` (at finite verbs). Words are the lines
    with an integer id, lower-cased; multiword tokens and empty nodes are skipped.

    Also returns the files, with their notes and digests, and the number of words by relation.
    Raises BadInputError, with file and line, if a file is not valid CoNLL-U.
    """
    sentences: list[list[str]] = []
    layers: dict[str, list[str]] = {name: [] for name in _LAYERS}
    counts: Counter[str] = Counter()
    files = [TreebankLines(path) for path in ([paths] if isinstance(paths, Path) else paths)]
    for file in files:
        before = len(sentences)
        for lines in file:
            words, heads = _words(file, lines)
            if not words:
                continue
            relations = [_folded(word.relation) or "_" for word in words]
            counts.update(relations)
            pos = [word.pos for word in words]
            try:
                stripped = [word.relation.strip() for word in words]
                layers["grammatical"] += scheme.assign(heads, stripped, pos)
            except CoordinationCycle as cycle:
                raise BadInputError(
                    f"{file.path}:{words[cycle.args[0]].number}: conjuncts depend on each other in "
                    f"a circle; correct column {file.head_column}"
                ) from None
            sentences.append([lowered(word.form) for word in words])
            layers["pos"] += pos
            layers["xpos"] += [word.xpos for word in words]
            layers["deprel"] += relations
            layers["depth"] += clause_depths(heads, relations)
            numbers, distances = subject_numbers(heads, relations, [w.features for w in words])
            layers["subject_number"] += numbers
            layers["subject_distance"] += distances
        if len(sentences) == before:
            raise BadInputError(f"{file.path}: no sentence in it; a CoNLL-U file is needed")
    return make_split(name, sentences, layers, source=files[0].path), files, counts


def _words(file: TreebankLines, lines: Sequence[Line]) -> tuple[list[Line], list[int]]:
    """The words of a sentence and the positions of their heads, validated."""
    words: list[Line] = []
    for line in lines:
        where = f"{file.path}:{line.number}"
        if not line.is_word:
            continue
        if int(line.id) != len(words) + 1:
            raise BadInputError(f"{where}: word id {line.id} where {len(words) + 1} was expected")
        if not line.form:
            raise BadInputError(f"{where}: the word is empty (column 2)")
        words.append(line)
    return words, [_head(file, word, len(words)) for word in words]


def _head(file: TreebankLines, word: Line, n_words: int) -> int:
    where = f"{file.path}:{word.number}"
    value = word.head.strip()
    try:
        head: Any = parse_int_value(value)
    except (ParseException, ValueError):
        raise BadInputError(
            f"{where}: '{value[:40]}' in column {file.head_column} is not a number; CoNLL-U "
            "has the id of the head there"
        ) from None
    if head is None or head < 0:
        column = f"'{value}' in column {file.head_column}" if file.head_column else "no such column"
        raise BadInputError(
            f"{where}: no head ({column}); an annotated treebank is needed to score roles; to "
            "learn only from its words, give the file as text (--unlabeled FILE) together with an "
            "annotated corpus"
        )
    if head > n_words:
        raise BadInputError(
            f"{where}: head {value} does not exist (the sentence has {n_words} words); correct "
            f"column {file.head_column}"
        )
    return int(head)


def read_ud(
    files: Mapping[str, Path | Sequence[Path]],
    *,
    name: str,
    scheme: RoleScheme | str | Path | None = None,
    source: str = "",
    licence: str = "",
) -> Corpus:
    """Read a treebank from its files by split name; several files of a split are joined.

    By default, roles are the 15 coarse roles of the package. The `notes` of the corpus list
    unknown relations, and columns and words that were left out. Errors are those of
    `read_conllu` and `RoleScheme.load`.
    """
    if not isinstance(scheme, RoleScheme):
        scheme = RoleScheme.load(scheme)
    splits = {}
    sha256: dict[str, str] = {}
    notes: list[str] = []
    counts: Counter[str] = Counter()
    for split, paths in files.items():
        splits[split], read, relations = read_conllu(paths, split, scheme)
        counts += relations
        for file in read:
            path = Path(file.path)
            key = "stdin" if is_stdin(path) else path.name
            sha256[key if key not in sha256 else str(path)] = file.sha256
            notes += file.notes
    unknown = unknown_relations(scheme, counts)
    notes += relation_notes(name, scheme, counts)
    if scheme.roles != RoleScheme.load().roles:
        sha256[SCHEME_INPUT] = scheme.digest()
    return Corpus(
        name,
        splits,
        "grammatical",
        source,
        licence,
        sha256,
        tuple(notes),
        "treebank (CoNLL-U)",
        unknown,
    )


def unknown_relations(scheme: RoleScheme, counts: Mapping[str, int]) -> dict[str, float]:
    """Share of words by relation, for relations unknown to a scheme, in descending order.

    >>> unknown_relations(RoleScheme({"root": "PRED"}), {"root": 3, "dobj": 1})
    {'dobj': 0.25}
    """
    total = sum(counts.values())
    ordered = sorted(counts, key=lambda relation: (-counts[relation], relation))
    return {r: counts[r] / total for r in ordered if not scheme.knows(r)}


def _percent(share: float) -> str:
    """A share in per cent with two digits, or 100."""
    return f"{100 * share:.2g}" if share < 0.995 else "100"


def relation_notes(name: str, scheme: RoleScheme, counts: Mapping[str, int]) -> list[str]:
    """A note on relations that count as OTHER because the scheme does not list them.

    `name` is the corpus, `counts` its number of words by relation.
    """
    unknown = unknown_relations(scheme, counts)
    if not unknown:
        return []
    shares = [f"{relation} {_percent(share)} %" for relation, share in unknown.items()]
    if len(shares) > _MOST_SHOWN:
        shares[_MOST_SHOWN:] = [f"{len(shares) - _MOST_SHOWN} more"]
    total = sum(unknown.values())
    line = (
        f"{_percent(total)} % of the words of corpus {name} have a relation that role scheme "
        f"{scheme.name} does not know, and count as {OTHER}: {', '.join(shares)}"
    )
    left = {n: sum(unknown_relations(RoleScheme.load(n), counts).values()) for n in SCHEMES}
    best = min(reversed(SCHEMES), key=lambda other: left[other])
    if left[best] < total / 2:
        known = "all of them" if not left[best] else f"all but {_percent(left[best])} %"
        return [f"{line}; role scheme {best} knows {known}: --role-map {best}"]
    return [f"{line}; give a scheme that lists them: --role-map FILE"]
