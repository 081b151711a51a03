"""Universal Dependencies treebanks: words and coarse grammatical roles.

Format: https://universaldependencies.org/format.html (CoNLL-U).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conllu.exceptions import ParseException
from conllu.parser import parse_line

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, data_file, make_split
from hebbsim.readers.lines import LineStream, without_packing
from hebbsim.readers.trees import clause_depths, subject_numbers

OTHER = "OTHER"
DEFAULT_SCHEME = "ud-roles"
#: Under this name stands the digest of another role scheme among those of a corpus.
SCHEME_INPUT = "role scheme"

_SPLIT_FILE = re.compile(r"(?:^|.*-)(train|dev|test)\.conllu(?:\.(?:gz|bz2|xz|zst))?$")
_FIELDS = ("id", "form", "head", "deprel")
#: Ids that are whole numbers, ranges of multiword tokens, or those of empty nodes.
_ID = re.compile(r"\d{1,9}(?:[-.]\d{1,9})?$")
_LAYERS = ("grammatical", "pos", "depth", "subject_number", "subject_distance")


class _Word(NamedTuple):
    line: int
    form: str
    head: int  # 0 for the root
    relation: str
    pos: str
    features: str


class RoleScheme:
    """Dependency relation to role.

    A relation that is not listed falls back to the part before its colon, then to
    ``OTHER``. A ``conj`` takes the role of its first conjunct, unless the scheme
    lists ``conj`` itself.

    Parameters
    ----------
    roles : mapping of str to str
        Role by relation.

    Examples
    --------
    >>> scheme = RoleScheme({"nsubj": "SUBJ"})
    >>> scheme.role("nsubj:pass"), scheme.role("dep")
    ('SUBJ', 'OTHER')
    """

    def __init__(self, roles: Mapping[str, str]) -> None:
        self.roles = dict(roles)

    @classmethod
    def load(cls, name_or_path: str | Path | None = None) -> RoleScheme:
        """The scheme that comes with the package under this name, or a JSON file.

        The file holds ``{"roles": {"nsubj": "SUBJ", ...}}``, or the inner object alone.

        Raises
        ------
        BadInputError
            If there is no such scheme, or the file is not one.
        """
        name = str(name_or_path or DEFAULT_SCHEME)
        packaged = data_file(f"{name}.json")
        if re.fullmatch(r"[\w-]+-roles", name) and packaged.is_file():
            text = packaged.read_text(encoding="utf-8")
        elif Path(name).is_file():
            text = "\n".join(LineStream(name))
        else:
            raise BadInputError(
                f"role scheme '{name}' is neither a file nor one of ud-roles, clearnlp-roles"
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
        return cls(roles)

    def digest(self) -> str:
        """SHA-256 of the roles by relation [64 hexadecimal digits]."""
        return hashlib.sha256(json.dumps(self.roles, sort_keys=True).encode()).hexdigest()

    def role(self, relation: str) -> str:
        """Role of one relation, without regard to coordination."""
        role = self.roles.get(relation)
        if role is None:
            role = self.roles.get(relation.partition(":")[0], OTHER)
        return role

    def assign(self, heads: Sequence[int], relations: Sequence[str]) -> list[str]:
        """Role of every word of a sentence.

        Parameters
        ----------
        heads : sequence of int, shape=(T,)
            Position of the head from 1, 0 for the root.
        relations : sequence of str, shape=(T,)

        Raises
        ------
        CoordinationCycle
            If conjuncts depend on each other in a circle.
        """
        roles: list[str | None] = [
            None if self._follows(relation) and head else self.role(relation)
            for head, relation in zip(heads, relations, strict=True)
        ]
        for start, role in enumerate(roles):
            if role is not None:
                continue
            chain = [start]
            seen = {start}
            while (role := roles[at := heads[chain[-1]] - 1]) is None:
                if at in seen:
                    raise CoordinationCycle(at)
                chain.append(at)
                seen.add(at)
            for at in chain:
                roles[at] = role
        return [role or OTHER for role in roles]

    def _follows(self, relation: str) -> bool:
        return (
            relation.partition(":")[0] == "conj"
            and relation not in self.roles
            and "conj" not in self.roles
        )


class CoordinationCycle(ValueError):
    """Conjuncts that depend on each other in a circle; ``args[0]`` is the position of one."""


def read_conllu(path: Path, name: str, scheme: RoleScheme) -> tuple[Split, str]:
    """One CoNLL-U file as a split.

    Layers: ``grammatical`` (roles), ``pos`` (universal part of speech), ``depth`` (of the
    clause), ``subject_number`` and ``subject_distance`` (at finite verbs). Words are the
    lines with an integer id, lower-cased; multiword tokens and empty nodes are passed over.

    Parameters
    ----------
    path : Path
        CoNLL-U, plain or gzip.
    name : str
        Name of the split.
    scheme : RoleScheme

    Returns
    -------
    split : Split
    sha256 : str
        Digest of the decompressed file.

    Raises
    ------
    BadInputError
        If the file is not valid CoNLL-U, naming file and line.
    """
    lines = LineStream(path)
    sentences = []
    layers: dict[str, list[str]] = {name: [] for name in _LAYERS}
    for words in _sentences(path, lines):
        heads = [word.head for word in words]
        relations = [word.relation for word in words]
        for word in words:
            if word.head > len(words):
                raise BadInputError(
                    f"{path}:{word.line}: head {word.head} does not exist (the sentence has "
                    f"{len(words)} words); correct column 7"
                )
        try:
            layers["grammatical"] += scheme.assign(heads, relations)
        except CoordinationCycle as cycle:
            raise BadInputError(
                f"{path}:{words[cycle.args[0]].line}: conjuncts depend on each other in a circle; "
                "correct column 7"
            ) from None
        sentences.append([word.form.lower() for word in words])
        layers["pos"] += [word.pos for word in words]
        layers["depth"] += clause_depths(heads, relations)
        numbers, distances = subject_numbers(heads, relations, [word.features for word in words])
        layers["subject_number"] += numbers
        layers["subject_distance"] += distances
    if not sentences:
        raise BadInputError(f"{path}: no sentence in it; a CoNLL-U file is needed")
    return make_split(name, sentences, layers, source=path), lines.sha256


def _sentences(path: Path, lines: Iterable[str]) -> Iterator[list[_Word]]:
    words: list[_Word] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            if words:
                yield words
                words = []
        elif not line.startswith("#"):
            word = _word(path, number, line, len(words) + 1)
            if word is not None:
                words.append(word)
    if words:
        yield words


def _word(path: Path, number: int, line: str, expected: int) -> _Word | None:
    columns = line.split("\t")
    if len(columns) != 10:
        raise BadInputError(
            f"{path}:{number}: {len(columns)} columns, CoNLL-U has 10; separate them by tabs"
        )
    if "-" in columns[0] or "." in columns[0]:
        columns[6] = "_"  # multiword token or empty node: no head in this tree
    # conllu splits at runs of spaces too, which some treebanks have inside a word.
    form = re.sub(" {2,}", " ", columns[1])
    try:
        token: Any = parse_line(f"{columns[0]}\t{form}\t{columns[6]}\t{columns[7]}", _FIELDS)
    except (ParseException, ValueError):  # the latter of a number that is too long
        column, value = (1, columns[0]) if not _ID.match(columns[0]) else (7, columns[6])
        raise BadInputError(
            f"{path}:{number}: '{value[:40]}' in column {column} is no number; CoNLL-U has the "
            f"{'word id' if column == 1 else 'id of the head'} there"
        ) from None
    position, head = token["id"], token["head"]
    if isinstance(position, tuple):
        return None
    if position != expected:
        raise BadInputError(f"{path}:{number}: word id {columns[0]} where {expected} was expected")
    if not form.strip():
        raise BadInputError(f"{path}:{number}: the word is empty (column 2)")
    if head is None or head < 0:
        raise BadInputError(
            f"{path}:{number}: no head ('{columns[6]}' in column 7); "
            "an annotated treebank is needed"
        )
    return _Word(number, form, head, columns[7], columns[3], columns[5])


def split_of(path: Path) -> str | None:
    """The split that a file of a treebank holds, by its name; None for any other file."""
    match = _SPLIT_FILE.match(path.name)
    return match[1] if match else None


def find_conllu(folder: Path) -> dict[str, Path]:
    """The files ``*-{train,dev,test}.conllu[.gz]`` of a folder by split name.

    Raises
    ------
    BadInputError
        If one split has two files.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        match = _SPLIT_FILE.match(path.name)
        if not match:
            continue
        name = match.group(1)
        if name in found and without_packing(found[name].name) != without_packing(path.name):
            raise BadInputError(
                f"{folder}: two files for split '{name}' ({found[name].name}, {path.name}); "
                "keep one treebank a folder"
            )
        found.setdefault(name, path)
    return {name: found[name] for name in ("train", "dev", "test") if name in found}


def read_ud(
    files: Mapping[str, Path],
    *,
    name: str,
    scheme: RoleScheme | str | Path | None = None,
    source: str = "",
    licence: str = "",
) -> Corpus:
    """A treebank from its files.

    Parameters
    ----------
    files : mapping of str to Path
        CoNLL-U file by split name; see `find_conllu`.
    name : str
    scheme : RoleScheme, str or Path, optional
        Roles of the relations; default the package's 15 coarse roles.

    Raises
    ------
    BadInputError
    """
    if not isinstance(scheme, RoleScheme):
        scheme = RoleScheme.load(scheme)
    splits = {}
    sha256 = {}
    for split, path in files.items():
        splits[split], sha256[path.name] = read_conllu(path, split, scheme)
    if scheme.roles != RoleScheme.load().roles:
        sha256[SCHEME_INPUT] = scheme.digest()
    return Corpus(name, splits, "grammatical", source, licence, sha256)
