"""Folders that commands write: finished runs are protected, and files of others are not touched.

A folder lists its own files in ``files.json``. A command writes all of its files or none: first
into ``unfinished/draft``, which is renamed to ``unfinished/ready`` when it is complete, and then
into place. If a command is killed in between, the next one completes the move.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.interrupts import defer_signals

#: The list of a folder's own files.
MANIFEST = "files.json"
_SCHEMA = "hebbsim.files/1"
#: Subfolder of a run folder for unfinished work.
UNFINISHED = "unfinished"
#: The file that is written last, by kind of folder: it exists only if all others do.
_LAST = {"run": "results.json", "report": "report.json"}


class AlreadyFinished(BadInputError):
    """The folder holds a finished run, which is overwritten only on request."""


@dataclass(frozen=True)
class Numbered:
    """A place for a new folder: ``NAME``, or if that exists ``NAME-2``, ``NAME-3``, ...

    Examples
    --------
    >>> next(Numbered(Path("runs/nothing-of-that-name")).free()).name
    'nothing-of-that-name'
    """

    base: Path

    def __str__(self) -> str:
        return str(self.base)

    def existing(self) -> list[Path]:
        """Existing folders, in order of their numbers."""
        name = re.compile(rf"{re.escape(self.base.name)}(?:-(\d+))?")
        try:
            found = [path for path in self.base.parent.iterdir() if path.is_dir()]
        except OSError:
            return []
        matches = [(match, path) for path in found if (match := name.fullmatch(path.name))]
        return [path for match, path in sorted(matches, key=lambda m: int(m[0][1] or 1))]

    def free(self) -> Iterator[Path]:
        """Folders that do not exist or are empty."""
        number = 1
        while True:
            path = self.base if number == 1 else Path(f"{self.base}-{number}")
            if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
                yield path
            number += 1


#: Where a run is written: a folder, or the first free one of a series.
Out = str | os.PathLike[str] | Numbered


def check_output(out: Out, *, overwrite: bool = False, kind: str = "run") -> None:
    """Refuse a folder that must not or cannot be written, before any work is done.

    `kind` is what is to be written: ``run`` or ``report``. Raises AlreadyFinished if the folder
    holds a finished one that may not be replaced, and BadInputError if it is a file, holds
    something else, or cannot be written.
    """
    folder = out.base if isinstance(out, Numbered) else Path(out)
    if not isinstance(out, Numbered):
        if folder.is_dir():
            _check_content(folder, overwrite, kind)
        elif folder.exists():
            raise BadInputError(f"--out {folder}: is a file; name a folder")
        elif folder.is_symlink():
            raise BadInputError(f"--out {folder}: is a link to nothing; name a folder")
    inside = folder.is_dir() and not isinstance(out, Numbered)
    parent = folder if inside else next(p for p in folder.absolute().parents if p.exists())
    if not parent.is_dir():
        raise BadInputError(f"--out {folder}: {parent} is a file; name another folder")
    # Permission bits do not tell: root passes them, a read-only file system does not. A file
    # without a name is gone even if the process is killed right here.
    try:
        tempfile.TemporaryFile(dir=parent).close()
    except OSError:
        raise BadInputError(
            f"--out {folder}: {parent} is not writable; name another folder"
        ) from None


def _check_content(folder: Path, overwrite: bool, kind: str) -> None:
    names = {path.name for path in folder.iterdir()}
    if not names or _ready(folder).is_dir():  # what is ready is put in place first
        return
    about = _manifest(folder)
    if about is None and (names == {UNFINISHED} or read_json(folder / UNFINISHED / "run.json")):
        return
    document = read_json(folder / _LAST[kind]) or {}
    if about is None and str(document.get("schema")).startswith("hebbsim."):
        raise BadInputError(
            f"--out {folder}: holds a {kind} without {MANIFEST}, the list of its files; name "
            "another folder"
        )
    if about is None or about["of"] != kind:
        raise BadInputError(
            f"--out {folder}: a folder that is not empty and holds no hebbsim {kind}; name "
            "another one"
        )
    if not overwrite:
        raise AlreadyFinished(
            f"--out {folder}: holds a finished {kind}; name another folder, or give --overwrite "
            "to replace it"
        )


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a finished run."""
    return (folder / _LAST["run"]).is_file()


def own_files(folder: Path) -> set[str]:
    """The files of a folder that a command wrote, as relative paths; none if it has no list."""
    about = _manifest(folder)
    if about is None:
        return set()
    home = os.path.realpath(folder)
    # A list that someone made by hand reaches nothing outside of its folder.
    inside = {
        name
        for name in about["files"]
        if isinstance(name, str)
        and os.path.commonpath([home, os.path.realpath((folder / name).parent)]) == home
    }
    return inside | {MANIFEST}


def _manifest(folder: Path) -> dict[str, Any] | None:
    about = read_json(folder / MANIFEST)
    if about is None or about.get("schema") != _SCHEMA:
        return None
    good = isinstance(about.get("files"), list) and isinstance(about.get("of"), str)
    return about if good else None


def refuse_strangers(folder: Path, names: Iterable[str]) -> None:
    """Refuse to overwrite a file that no command wrote.

    Raises BadInputError if one of the files exists and is not in the folder's list.
    """
    own = own_files(folder)
    for name in names:
        if os.path.lexists(folder / name) and name not in own:
            raise BadInputError(
                f"{folder / name}: is there already and was not written by hebbsim; move it away"
            )


def record(folder: Path, names: Iterable[str], kind: str = "run") -> None:
    """Add files to the list of a folder; `kind` is used if it has no list yet.

    Raises HebbsimError if the list cannot be written.
    """
    about = _manifest(folder) or {"of": kind, "files": []}
    there = {name for name in about["files"] if os.path.lexists(folder / name)}
    try:
        _write_manifest(folder, about["of"], there | set(names))
    except OSError as error:
        raise HebbsimError(f"{folder / MANIFEST}: cannot be written ({error.strerror})") from None


def _write_manifest(folder: Path, kind: str, names: Iterable[str]) -> None:
    document = {"schema": _SCHEMA, "of": kind, "files": sorted(names)}
    temporary = folder / f".{MANIFEST}.hebbsim"
    temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, folder / MANIFEST)


@contextlib.contextmanager
def filling(folder: Path, *, kind: str = "run") -> Iterator[Path]:
    """Fill a folder through a draft, which it yields: all of its files are put in place, or none.

    Files of an earlier run in the folder are removed; other files stay. The folder and `kind` are
    those that :func:`check_output` checked. Raises HebbsimError if a file cannot be written, or one
    of that name is there that is not ours.
    """
    home = folder / UNFINISHED
    draft = home / "draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        _write_manifest(draft, kind, _names(draft))
        os.rename(draft, _ready(folder))
    except OSError as error:
        raise HebbsimError(f"--out {folder}: could not be written ({error.strerror})") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    complete(folder, kind=kind)
    with contextlib.suppress(OSError):  # a run's lock may be in it
        home.rmdir()


def complete(folder: Path, *, kind: str = "run") -> None:
    """Put the files of a finished draft in place; safe to repeat after a kill.

    Raises HebbsimError if a file of someone else is in the way, or cannot be replaced; nothing is
    lost.
    """
    ready, last = _ready(folder), _LAST[kind]
    if not ready.is_dir():
        return
    names = _names(ready)
    try:
        refuse_strangers(folder, names)
    except BadInputError as error:
        raise HebbsimError(f"{error} and give the same command again") from None
    try:
        with defer_signals():
            if MANIFEST in names:
                # While files of two runs are mixed, the folder holds no finished run.
                own = own_files(folder)
                if last in own:
                    (folder / last).unlink(missing_ok=True)
                for name in own - own_files(ready) - {MANIFEST}:
                    _unlink(folder, name)
            for name in sorted(names, key=lambda name: (name == last, name == MANIFEST, name)):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(ready / name, folder / name)
            for path in (ready.parent / "steps", ready.parent / "checkpoints", ready):
                shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        raise HebbsimError(f"--out {folder}: could not be written ({error.strerror})") from error


def _ready(folder: Path) -> Path:
    return folder / UNFINISHED / "ready"


def _names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def _unlink(folder: Path, name: str) -> None:
    """Remove a file, and the folders below `folder` that become empty."""
    path = folder / name
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty
        for parent in path.parents[: len(Path(name).parents) - 1]:
            parent.rmdir()


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if there is none."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
