"""Output folders: finished runs are protected, and files that no command wrote are kept.

``files.json`` lists the files that commands wrote. A command writes all of its files or none:
first into ``unfinished/draft``, which is renamed to ``unfinished/ready`` when complete, and then
into place. If a command is killed in between, the next one completes the move.
"""

import contextlib
import itertools
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
from hebbsim.storage import write_whole

#: List of the files that commands wrote.
MANIFEST = "files.json"
_SCHEMA = "hebbsim.files/1"
#: Subfolder for unfinished work.
UNFINISHED = "unfinished"
#: The file that is written last, by kind of folder; it exists only if all others do.
_LAST = {"run": "results.json", "report": "report.json"}


class AlreadyFinished(BadInputError):
    """The folder holds a finished run, which may only be overwritten on request."""


@dataclass(frozen=True)
class Numbered:
    """A new folder: ``NAME``, or if that exists ``NAME-2``, ``NAME-3``, ...

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
        for number in itertools.count(1):
            path = self.base if number == 1 else Path(f"{self.base}-{number}")
            if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
                yield path


#: Destination of a run: a folder, or the first free one of a series.
Out = str | os.PathLike[str] | Numbered


def check_output(out: Out, *, overwrite: bool = False, kind: str = "run") -> None:
    """Check that a folder may and can be written, before any work is done.

    `kind` is ``run`` or ``report``. Raises AlreadyFinished if the folder holds a finished one
    that may not be replaced, and BadInputError if it is a file, holds something else, or cannot
    be written.
    """
    numbered = isinstance(out, Numbered)
    folder = out.base if isinstance(out, Numbered) else Path(out)
    parent = next(path for path in folder.absolute().parents if path.exists())
    if folder.is_dir() and not numbered:
        _check_content(folder, overwrite, kind)
        parent = folder
    elif folder.exists() and not numbered:
        raise BadInputError(f"--out {folder}: is a file; name a folder")
    elif folder.is_symlink() and not numbered:
        raise BadInputError(f"--out {folder}: is a broken link; name a folder")
    elif not parent.is_dir():
        raise BadInputError(f"--out {folder}: {parent} is a file; name another folder")
    # Permission bits are not sufficient: root ignores them, a read-only file system overrides them.
    # An unnamed file disappears even if the process is killed here.
    try:
        tempfile.TemporaryFile(dir=parent).close()
    except OSError:
        raise BadInputError(
            f"--out {folder}: {parent} is not writable; name another folder"
        ) from None


def _check_content(folder: Path, overwrite: bool, kind: str) -> None:
    names = {path.name for path in folder.iterdir()}
    if not names or _ready(folder).is_dir():  # a complete draft is put in place first
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
    """Relative paths of the files that commands wrote; none if the folder has no list."""
    about = _manifest(folder)
    if about is None:
        return set()
    home = os.path.realpath(folder)
    # A list edited by hand must not refer to files outside of its folder.
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
    """Raise BadInputError if one of the files exists, but no command wrote it."""
    own = own_files(folder)
    for name in names:
        if os.path.lexists(folder / name) and name not in own:
            raise BadInputError(
                f"{folder / name}: already exists and was not written by hebbsim; move it away"
            )


def record(folder: Path, names: Iterable[str], kind: str = "run") -> None:
    """Add files to the list of a folder (a new one is of `kind`); HebbsimError if that fails."""
    about = _manifest(folder) or {"of": kind, "files": []}
    there = {name for name in about["files"] if os.path.lexists(folder / name)}
    try:
        _write_manifest(folder, about["of"], there | set(names))
    except OSError as error:
        raise HebbsimError(f"{folder / MANIFEST}: cannot be written ({error.strerror})") from None


def _write_manifest(folder: Path, kind: str, names: Iterable[str]) -> None:
    document = {"schema": _SCHEMA, "of": kind, "files": sorted(names)}
    write_whole(folder / MANIFEST, (json.dumps(document, indent=1) + "\n").encode())


@contextlib.contextmanager
def filling(folder: Path, *, kind: str = "run") -> Iterator[Path]:
    """Yield a draft folder, whose files are all put in place if the block succeeds.

    Files of an earlier run in the folder are removed; other files stay. Call `check_output`
    before. Raises HebbsimError if a file cannot be written, or would replace a file that no
    command wrote.
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
    """Put the files of a complete draft in place; can be repeated if the process was killed.

    Raises HebbsimError, without losing files, if a file cannot be replaced, or no command wrote it.
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
                # A folder with files of two runs must not look like a finished run.
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
    """The JSON object in a file; None if it cannot be read."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


@contextlib.contextmanager
def writing(where: Path | str) -> Iterator[None]:
    """Turn an OSError inside the block into a BadInputError that names `where`."""
    try:
        yield
    except OSError as error:
        raise BadInputError(f"{where}: cannot be written ({error.strerror})") from None
