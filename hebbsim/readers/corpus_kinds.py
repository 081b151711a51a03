"""The kind of a corpus, detected from the names and first bytes of its files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hebbsim.errors import BadInputError
from hebbsim.readers import registry
from hebbsim.readers.cogs import find_cogs
from hebbsim.readers.kinds import kind_of
from hebbsim.readers.lines import is_stdin
from hebbsim.readers.tables import find_tables, origin_of_tables
from hebbsim.readers.treebanks import Treebank, find_treebank

BUILTIN = "builtin"
NATURAL = "natural"

#: Language and treebank in a file name of Universal Dependencies.
_TREEBANK = re.compile(r"([a-z]{2,3})_([a-z0-9]+)-s?ud-")


def format_of(name_or_path: str | Path) -> str:
    """The format of a corpus.

    ``builtin``, ``conllu``, ``cogs``, ``tables`` (of ``hebbsim corpus make``), or for a file the
    result of `kind_of`; ``text`` for any other folder. Raises BadInputError if it cannot be read.
    """
    name, path = str(name_or_path), Path(name_or_path)
    if name == BUILTIN:
        return BUILTIN
    if name in registry.entries():
        return "cogs" if registry.entries()[name].format == "cogs" else "conllu"
    if is_stdin(path) or not path.is_dir():
        return kind_of(path)
    return find_annotated(path)[0]


def find_annotated(folder: Path) -> tuple[str, Treebank]:
    """The format of an annotated folder, and its files; ``text`` and no files if there are none."""
    if treebank := find_treebank(folder):
        return "conllu", treebank
    for kind, find in (("cogs", find_cogs), ("tables", find_tables)):
        if files := find(folder):
            return kind, Treebank({name: [path] for name, path in files.items()}, False, [])
    return "text", Treebank({}, False, [])


def kinds_of(name_or_path: str | Path) -> tuple[str, ...]:
    """The kinds of a corpus, from the most specific to the most general.

    ``builtin``; ``cogs`` for COGS, SLOG and ReCOGS; for a treebank whose files are named as in
    Universal Dependencies, treebank and language, such as ``ko_gsd`` and ``ko``, then
    ``natural``; ``natural`` for any other. A corpus that cannot be read is ``natural``, too:
    loading it reports the error.

    >>> kinds_of("builtin"), kinds_of("ud-korean-gsd")
    (('builtin',), ('ko_gsd', 'ko', 'natural'))
    """
    files: list[str] = []
    try:
        kind = format_of(name_or_path)
        if kind == "tables":
            kind, files = origin_of_tables(Path(name_or_path))
        elif kind == "conllu":
            files = _treebank_files(name_or_path)
    except BadInputError:
        return (NATURAL,)
    treebank = _treebank(files)
    if kind in (BUILTIN, "cogs") and not treebank:
        return (kind,)
    return (*treebank, NATURAL)


def _treebank_files(name_or_path: str | Path) -> list[str]:
    path = Path(name_or_path)
    entry = registry.entries().get(str(name_or_path))
    if entry is not None:
        return [file.name for file in entry.files.values()]
    treebank = find_treebank(path) if path.is_dir() else None
    if treebank is None:
        return [path.name]
    return [file.name for files in treebank.splits.values() for file in files]


def _treebank(files: Iterable[str]) -> tuple[str, ...]:
    """Treebank and language if all files are named after the same one; empty otherwise."""
    found = {match and match.groups() for match in map(_TREEBANK.match, map(str.lower, files))}
    names = found.pop() if len(found) == 1 else None
    return ("_".join(names), names[0]) if names else ()
