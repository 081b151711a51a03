"""Finds the treebank files of a folder and their splits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hebbsim.errors import BadInputError
from hebbsim.readers.kinds import is_kind, kind_by_name
from hebbsim.readers.lines import without_packing

_WORDS = {
    "train": "train training trn",
    "dev": "dev devel development valid validation val",
    "test": "test testing tst",
}
#: Splits by the words for them in the names of files and folders.
SPLITS = {word: split for split, words in _WORDS.items() for word in words.split()}
#: Files that accompany data.
_PAPERS = re.compile(r"(?i)(?:licen[cs]e|readme|copying|notice|changelog|changes|citation|contrib)")


class Treebank(NamedTuple):
    """The annotated files of a folder."""

    #: Files of ``train``, ``dev`` and ``test``, in the order in which they are joined.
    splits: dict[str, list[Path]]
    #: True if no file name indicates a split: all files are under ``train``, to be cut.
    whole: bool
    #: Which files were joined or left out.
    notes: list[str]


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder and its subfolders in the order of their paths.

    Hidden and system files, licences and similar files are left out. Raises BadInputError if a
    folder cannot be read.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not _is_hidden(name)]
        found += (Path(place, name) for name in names if not _is_hidden(name))
    for path in sorted(found):
        if os.path.isfile(path) and not _PAPERS.match(path.name):
            yield path


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _refuse(error: OSError) -> None:
    raise BadInputError(f"{error.filename}: cannot be read ({error.strerror})")


def split_of(path: Path) -> str | None:
    """The split that the name of a file, or of its folder, indicates; None if neither does.

    >>> [split_of(Path(p)) for p in ("cs-ud-train-la.conllu", "EN_DEV.conllu", "x/test/a.conllu")]
    ['train', 'dev', 'test']
    >>> split_of(Path("latest.conllu")) is None
    True
    """
    return _split_and_stem(path)[0] or _named(path.parent.name)


def _named(word: str) -> str | None:
    """The split that a word names: ``dev`` or ``devSet``; None if it names none."""
    return SPLITS.get(word.lower().removesuffix("set"))


def _split_and_stem(path: Path) -> tuple[str | None, str]:
    """The split in a file name, and the part of the name before it."""
    name = without_packing(path.name).lower()
    found = [match for match in re.finditer("[a-z]+", name) if _named(match[0])]
    return (_named(found[-1][0]), name[: found[-1].start()]) if found else (None, "")


def find_treebank(folder: Path) -> Treebank | None:
    """The annotated files of a folder and its subfolders by split; None if there are none.

    Treebank files are recognized by their extension, or if none has one, by their content. Files
    of one split whose names agree up to the split (``x-train-a``, ``x-train-b``) are joined in
    the order of their names. If no name indicates a split, all files form one text; if some do,
    the other files are left out.

    Raises BadInputError if the folder holds two treebanks.
    """
    files = list(_annotated(folder))
    if not files:
        return None
    splits: dict[str, list[Path]] = {}
    parts: dict[str, set[tuple[Path, str]]] = {}
    rest = []
    for path in files:
        split, stem = _split_and_stem(path)
        place = path.parent
        while split is None and place != folder:  # a/test/b/c.conllu
            split, place = _named(place.name), place.parent
        if split is None:
            rest.append(path)
        else:
            splits.setdefault(split, []).append(path)
            parts.setdefault(split, set()).add((place, stem))
    for split, found in parts.items():
        if len(found) > 1:
            names = ", ".join(str(path.relative_to(folder)) for path in splits[split][:4])
            raise BadInputError(
                f"{folder}: two files for split '{split}' that are not parts of one treebank "
                f"({names}); keep one treebank per folder"
            )
    if not splits:
        notes = _joined(folder, {"": rest})
        stems = {path.name.partition(".")[0] for path in rest}
        other = [
            path for path in files_below(folder)
            if kind_by_name(path) not in (None, "conllu") and path not in rest
            and path.name.partition(".")[0] not in stems
        ]  # fmt: skip
        if other:
            notes.append(_left_out(folder, other, "only the treebank is read"))
        return Treebank({"train": rest}, True, notes)
    ordered = {name: splits[name] for name in _WORDS if name in splits}
    notes = _joined(folder, ordered)
    if rest:
        notes.append(_left_out(folder, rest, "no train, dev or test in the name"))
    return Treebank(ordered, False, notes)


def _left_out(folder: Path, files: list[Path], reason: str) -> str:
    names = ", ".join(str(path.relative_to(folder)) for path in files[:4])
    more = f" and {len(files) - 4:,} more" if len(files) > 4 else ""
    return f"{folder}: {names}{more} left out: {reason}"


def _joined(folder: Path, splits: dict[str, list[Path]]) -> list[str]:
    return [
        f"{folder}: {len(files):,} files are joined {f'as {split} ' if split else ''}in the order "
        f"of their names, {files[0].relative_to(folder)} to {files[-1].relative_to(folder)}"
        for split, files in splits.items()
        if len(files) > 1
    ]


def _annotated(folder: Path) -> Iterator[Path]:
    """Treebank files, only of the folder itself if it has any; one per name without extension."""
    below = [path for path in files_below(folder) if "blind" not in path.name.lower()]
    for files in ([path for path in below if path.parent == folder], below):
        found = [path for path in files if kind_by_name(path) == "conllu"]
        if not found:
            found = [path for path in files if _by_content(path)]
        if found:
            met = {without_packing(str(path)).rpartition(".")[0]: path for path in reversed(found)}
            yield from reversed(list(met.values()))
            return


def _by_content(path: Path) -> bool:
    """Whether a file with a generic, another or no extension holds a treebank."""
    return kind_by_name(path) in (None, "text", "table") and is_kind(path, "conllu")
