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

BUILTIN = "builtin"
#: Of every corpus of which no more is known.
NATURAL = "natural"

#: Language and treebank, as Universal Dependencies names its files.
_TREEBANK = re.compile(r"([a-z]{2,3})_([a-z0-9]+)-s?ud-")


def format_of(name_or_path: str | Path) -> str:
    """The format of a corpus; BadInputError if it cannot be read.

    ``builtin``, ``conllu``, ``cogs``, ``tables`` (of ``hebbsim corpus make``), or what `kind_of`
    says of a file; ``text`` for any other folder.
    """
    name, path = str(name_or_path), Path(name_or_path)
    if name == BUILTIN:
        return BUILTIN
    if name in registry.entries():
        return "cogs" if registry.entries()[name].format == "cogs" else "conllu"
    if is_stdin(path) or not path.is_dir():
        return kind_of(path)
    from hebbsim.readers.tables import find_tables
    from hebbsim.readers.treebanks import find_treebank

    if find_treebank(path):
        return "conllu"
    if find_cogs(path):
        return "cogs"
    return "tables" if find_tables(path) else "text"


def kinds_of(name_or_path: str | Path) -> tuple[str, ...]:
    """The kinds of a corpus, from the most specific to the most general.

    ``builtin``; ``cogs``, which stands for its kin as well; of a treebank whose files are named as
    those of Universal Dependencies, treebank and language, such as ``ko_gsd`` and ``ko``;
    ``natural`` for any other, and last for a treebank. A corpus that cannot be read is
    ``natural``: to load it says what is wrong.

    Examples
    --------
    >>> kinds_of("builtin"), kinds_of("ud-korean-gsd")
    (('builtin',), ('ko_gsd', 'ko', 'natural'))
    """
    try:
        written = format_of(name_or_path)
        made_of, files = _origin(name_or_path, written)
    except BadInputError:
        return (NATURAL,)
    if made_of in (BUILTIN, "cogs"):
        return (made_of,)
    return (*_treebank(files), NATURAL)


def _origin(name_or_path: str | Path, written: str) -> tuple[str, list[str]]:
    """What a corpus, or the one that tables were made of, is; of a treebank, names of its files."""
    path = Path(name_or_path)
    if written == "tables":
        from hebbsim.readers.tables import origin_of_tables

        name, files = origin_of_tables(path)
        return ("conllu" if _treebank(files) else name), files
    if written != "conllu":
        return written, []
    entry = registry.entries().get(str(name_or_path))
    if entry is not None:
        return written, [file.name for file in entry.files.values()]
    if not path.is_dir():
        return written, [path.name]
    from hebbsim.readers.treebanks import find_treebank

    treebank = find_treebank(path)
    assert treebank is not None  # or it would be written otherwise
    return written, [file.name for files in treebank.splits.values() for file in files]


def _treebank(files: Iterable[str]) -> tuple[str, ...]:
    """Treebank and language that all files are named after; nothing where one is not."""
    found = {match and match.groups() for match in map(_TREEBANK.match, map(str.lower, files))}
    names = found.pop() if len(found) == 1 else None
    return ("_".join(names), names[0]) if names else ()
