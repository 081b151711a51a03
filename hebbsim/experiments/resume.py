"""Finished parts of a run, kept in its folder until it is done, so that it can be resumed.

An experiment opens its folder, says what it is about to do, and hands over each part of its
work by name::

    with open_run(out, resume=resume) as kept:
        kept.begin("identity", config, provenance)
        for seed in range(5):
            scores += kept.json(f"seed={seed}", lambda: measure(seed))
        write_run(out, results, ...)

A part that an earlier, interrupted run of the same configuration has finished is read back;
any other is computed, and written whole before the next begins. Parts follow from
configuration and seeds alone, so a resumed run gives what an uninterrupted one does, bit by
bit, whenever and however often it was ended. `write_run` replaces the folder, and with it the
parts. For what takes long by itself, `Units.checkpoints` keeps the last two states.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import Checkpoints, read_checkpoint, write_checkpoint, write_whole
from hebbsim.errors import BadInputError, HebbsimError
from hebbsim.experiments.results import check_output
from hebbsim.interrupts import held

__all__ = ["AlreadyFinished", "Unit", "Units", "open_run"]

#: Folder inside a run's folder that holds what is not finished.
UNFINISHED = "unfinished"
SCHEMA = "hebbsim.unfinished/1"
_KIND = "hebbsim.unit/1"

Arrays = Mapping[str, NDArray[Any]]


class AlreadyFinished(HebbsimError):
    """A run that was to be resumed is done; its results stand in its folder."""


class Unit(NamedTuple):
    """What a part of a run gives: arrays by name, and a value that JSON holds."""

    arrays: dict[str, NDArray[Any]]
    document: Any


class Units:
    """The parts of one run; made by `open_run`.

    Parameters
    ----------
    folder : Path or None
        Of the run. None keeps nothing: every part is computed.
    resume : bool

    Attributes
    ----------
    n_resumed : int
        Parts that were read back.
    n_kept : int
        Parts in the folder.
    """

    def __init__(self, folder: Path | None, *, resume: bool = False) -> None:
        self.folder = folder
        self.resume = resume
        self.n_resumed = 0
        self._about: dict[str, Any] | None = None
        self._begun = False

    @property
    def _home(self) -> Path:
        assert self.folder is not None
        return self.folder / UNFINISHED

    @property
    def n_kept(self) -> int:
        """Finished parts and states of unfinished ones in the folder."""
        if self.folder is None:
            return 0
        return sum(1 for _ in self._home.glob("*/**/*.safetensors"))

    def begin(
        self, experiment: str, config: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> None:
        """Say what the run does, before the first part.

        Parameters
        ----------
        experiment : str
        config, provenance : mapping
            Those of its results: parts of a run that differs in either are not taken.

        Raises
        ------
        BadInputError
            The folder holds parts of a run that differs, where this one is to be resumed.
        AlreadyFinished
            The folder holds the results of this very run.
        """
        if self.folder is None:
            return
        about = {
            "schema": SCHEMA,
            "experiment": experiment,
            "config": dict(config),
            "provenance": dict(provenance),
        }
        # As JSON gives it back: tuples are lists, keys are text.
        self._about = about = json.loads(json.dumps(about))
        before = self._earlier() if self.resume else None
        if before is not None:
            changed = _difference(before, about)
            if changed:
                raise BadInputError(
                    f"--resume: {self.folder} holds another run ({changed}); give the options "
                    "that it was started with, or leave out --resume to begin anew"
                )
        else:
            self._clear()
            write_whole(self._home / "run.json", _text(about))
        self._begun = True

    def _earlier(self) -> dict[str, Any] | None:
        """What an earlier run in this folder was to do; None where there was none."""
        assert self.folder is not None
        about = _read_json(self._home / "run.json")
        if about is not None:
            return about
        config = _read_json(self.folder / "config.json")
        provenance = _read_json(self.folder / "provenance.json")
        if config is not None and provenance is not None and self._about is not None:
            done = {**self._about, "config": config, "provenance": provenance}
            if not _difference(done, self._about):
                raise AlreadyFinished(
                    f"{self.folder} is finished: there is nothing to resume; without --resume it "
                    "is run again"
                )
        return None

    def _clear(self) -> None:
        for name in ("units", "checkpoints"):
            shutil.rmtree(self._home / name, ignore_errors=True)

    # Parts --------------------------------------------------------------------------------

    def has(self, name: str) -> bool:
        """Whether a part is finished."""
        return self.folder is not None and self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._home / "units" / f"{_file_name(name)}.safetensors"

    def get(self, name: str) -> Unit | None:
        """A finished part, or None.

        Raises
        ------
        BadInputError
            It is there and damaged.
        """
        if not self.has(name):
            return None
        path = self._path(name)
        try:
            arrays, about = read_checkpoint(path, _KIND)
        except BadInputError as error:
            raise BadInputError(f"{error}; remove it, and that part is done anew") from None
        if about.get("name") != name:
            raise BadInputError(f"{path} is not '{name}'; remove it, and that part is done anew")
        self.n_resumed += 1
        return Unit(arrays, about.get("document"))

    def put(self, name: str, arrays: Arrays | None = None, document: Any = None) -> None:
        """Keep a finished part; what `checkpoints` kept of it goes."""
        if self.folder is None:
            return
        path = self._path(name)
        with _writing(path.parent), held():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(path, _KIND, arrays or {}, {"name": name, "document": document})
        self.drop(name)

    def take(self, name: str, compute: Callable[[], Unit | tuple[Arrays, Any]]) -> Unit:
        """A part: read back, or computed and kept.

        Examples
        --------
        >>> import numpy as np
        >>> def half(values):
        ...     return {"half": values / 2}, {"n": len(values)}
        >>> unit = Units(None).take("seed=0", lambda: half(np.arange(3)))
        >>> unit.arrays["half"], unit.document
        (array([0. , 0.5, 1. ]), {'n': 3})
        """
        found = self.get(name)
        if found is None:
            arrays, document = compute()
            self.put(name, arrays, document)
            found = Unit(dict(arrays), document)
        return found

    def json(self, name: str, compute: Callable[[], Any]) -> Any:
        """A part that is a value of JSON, as which it comes back: tuples as lists."""
        document = self.take(name, lambda: Unit({}, compute())).document
        return json.loads(json.dumps(document))

    # States of parts that are under way ---------------------------------------------------

    def checkpoints(self, name: str, kind: str) -> Checkpoints | None:
        """The last two states of a part that takes long; None where nothing is kept."""
        if self.folder is None:
            return None
        return Checkpoints(self.states_folder(name), kind)

    def states_folder(self, name: str) -> Path:
        """Where states of a part are kept until it is finished."""
        return self._home / "checkpoints" / _file_name(name)

    def drop(self, name: str) -> None:
        """Remove the states of a part."""
        if self.folder is not None:
            shutil.rmtree(self.states_folder(name), ignore_errors=True)


@contextlib.contextmanager
def open_run(folder: str | os.PathLike[str] | None, *, resume: bool = False) -> Iterator[Units]:
    """The parts of the run that is written to a folder, which no other run may write meanwhile.

    Parameters
    ----------
    folder : path or None
        None keeps nothing.
    resume : bool
        Take what an interrupted run left there. Without, it is begun anew.

    Yields
    ------
    Units

    Raises
    ------
    BadInputError
        Another run writes to this folder, or it cannot be written.
    """
    if folder is None:
        yield Units(None)
        return
    folder = Path(os.path.abspath(folder))
    home = folder / UNFINISHED
    check_output(folder)
    _recover(folder)
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    with _writing(folder):
        home.mkdir(parents=True, exist_ok=True)
    with _locked(home, folder):
        units = Units(folder, resume=resume)
        try:
            _sweep(folder)
            yield units
        except BaseException as error:
            if not units.n_kept:
                _remove(home, made)
            elif units._begun:  # for the command line to say
                setattr(error, "kept", "what was finished is kept: --resume goes on")  # noqa: B010
            raise
        # The run was written, and its folder replaced; or it wrote nothing.
        _remove(home, made)


@contextlib.contextmanager
def _locked(home: Path, folder: Path) -> Iterator[None]:
    """The one run that writes to a folder; the system gives the lock back however it ends."""
    lock = FileLock(home / "lock")
    holder = home / "holder.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        about = _read_json(holder) or {}
        who = f"process {about['pid']} on {about['host']}" if {"pid", "host"} <= set(about) else ""
        raise BadInputError(
            f"--out {folder}: another run writes to it{f' ({who})' if who else ''}; wait for it or "
            "name another folder"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"--out {folder}: cannot be locked ({reason})") from None
    try:
        if not (home / "lock").exists():  # the other run ended this very moment
            raise BadInputError(f"--out {folder}: another run has just written it; start again")
        with contextlib.suppress(OSError):  # for the message alone
            holder.write_bytes(_text({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        lock.release()


def _recover(folder: Path) -> None:
    """Put back a folder whose run was killed between the two renames that replace it."""
    if folder.exists():
        return
    olds = [path for path in _drafts(folder) if path.name.endswith("-old")]
    for old in sorted(olds, key=lambda path: path.stat().st_mtime)[-1:]:
        with contextlib.suppress(OSError):
            old.rename(folder)


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed while writing left beside and in the folder."""
    for path in _drafts(folder):
        shutil.rmtree(path, ignore_errors=True)
    for path in (folder / UNFINISHED).glob("**/.*.safetensors.*"):
        with contextlib.suppress(OSError):
            path.unlink()


def _drafts(folder: Path) -> list[Path]:
    name = re.compile(rf"\.{re.escape(folder.name)}\.\w{{8}}\.hebbsim(-old)?")
    try:
        return [path for path in folder.parent.iterdir() if name.fullmatch(path.name)]
    except OSError:
        return []


def _remove(home: Path, made: list[Path]) -> None:
    """The folder of what is unfinished, and those made for it alone."""
    shutil.rmtree(home, ignore_errors=True)
    with contextlib.suppress(OSError):
        for place in made:
            place.rmdir()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInputError(f"{folder}: cannot be written ({error.strerror})") from None


def _text(document: Any) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _difference(before: Any, now: Any, name: str = "") -> str:
    """The first value that differs, in words; empty where none does."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in [*now, *(key for key in before if key not in now)]:
            if key == "schema":
                continue
            found = _difference(before.get(key), now.get(key), f"{name}.{key}".lstrip("."))
            if found:
                return found
        return ""
    if before == now:
        return ""
    short = name.removeprefix("config.").removeprefix("provenance.")
    return f"{short} was {_shown(before)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _file_name(name: str) -> str:
    """A file name for a part, readable and never the same for two."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.=,") else "+" for c in name)
    if safe == name and len(name) <= 100 and not name.startswith("."):
        return name
    return f"{safe.lstrip('.')[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
