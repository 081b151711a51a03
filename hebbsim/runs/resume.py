"""The cache of a run: completed steps in the run folder, so that an interrupted run can resume.

An experiment opens its folder, declares its configuration, computes its steps by name, and writes
its results::

    with RunCache(out, overwrite=overwrite) as cache:
        cache.begin("identity", config, provenance)
        for seed in range(5):
            scores += cache.json(f"seed={seed}", lambda: measure(seed))
        cache.write(results, machine=clock.machine())

Steps that an interrupted run of the same configuration completed are read back; all others are
computed, and written atomically before the next one begins. Steps depend only on the configuration
and the seeds, so a resumed run is bit-identical to an uninterrupted one. `RunCache.checkpoints`
keeps the last two states of a long step.

A finished run is overwritten only on request, an unfinished run of the same configuration is
resumed, and one of another configuration is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout
from numpy.typing import NDArray

from hebbsim.engine.checkpoint import Checkpoints, read_checkpoint, write_checkpoint
from hebbsim.errors import BadInputError
from hebbsim.interrupts import defer_signals
from hebbsim.runs import folders
from hebbsim.runs.results import Results, not_drawn
from hebbsim.storage import write_whole

SCHEMA = "hebbsim.unfinished/1"
_KIND = "hebbsim.step/1"

Arrays = Mapping[str, NDArray[Any]]


class _InUse(BadInputError):
    """Another run is writing to the folder."""


class StepResult(NamedTuple):
    """The result of a step: arrays by name, and a JSON value."""

    arrays: dict[str, NDArray[Any]]
    document: Any


class RunCache:
    """The completed steps of one run; a context in which its folder is locked.

    If `out` is None, nothing is written. `overwrite` replaces a finished run, and discards an
    unfinished one of another configuration; files that no run wrote are kept. On entry, raises
    AlreadyFinished if the folder holds a finished run, and BadInputError if another run is
    writing to it, or it cannot be written.
    """

    def __init__(self, out: folders.Out | None = None, *, overwrite: bool = False) -> None:
        #: Run folder; if `out` is `Numbered`, it is chosen by `begin`.
        self.folder: Path | None = None
        self.overwrite = overwrite
        self._out = out
        self._begun = self._written = False
        self._lock = contextlib.ExitStack()
        self._made: list[Path] = []
        self._shown = Path()  # the folder as given by the user

    def __enter__(self) -> RunCache:
        if self._out is not None and not isinstance(self._out, folders.Numbered):
            self._enter(Path(self._out))
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Unlock the folder, and add to an error a hint on what the folder still holds."""
        if self.folder is None:
            return
        hint = ""
        if self._written:
            hint = f"the tables are written; hebbsim figures --run {self._shown} draws the figures"
        elif self._begun and self.n_cached:
            hint = "finished steps are kept: the same command resumes"
        if hint and error is not None:  # shown by the command line
            setattr(error, "hint", hint)  # noqa: B010
        _tidy(self.folder, self._made)
        self._lock.close()

    @property
    def _home(self) -> Path:
        assert self.folder is not None
        return self.folder / folders.UNFINISHED

    @property
    def n_cached(self) -> int:
        """Number of completed steps, and of checkpoints of unfinished ones."""
        return 0 if self.folder is None else _n_cached(self.folder)

    def begin(
        self, experiment: str, config: Mapping[str, Any], provenance: Mapping[str, Any]
    ) -> None:
        """Declare the run, before its first step.

        Steps of a run with another configuration or provenance are not used. Raises BadInputError
        if the folder holds such steps.
        """
        if self._out is None:
            return
        names = {"schema": SCHEMA, "experiment": experiment}
        about = names | {"config": dict(config), "provenance": dict(provenance)}
        about = json.loads(json.dumps(about))  # as it will be read: tuples are lists
        if isinstance(self._out, folders.Numbered):
            self._choose(self._out, about)
        changed = _changed(self._home.parent, about)
        if changed and not self.overwrite:
            raise BadInputError(
                f"--out {self._shown}: holds an unfinished run of another configuration "
                f"({changed}); name another folder, or give --overwrite to discard it"
            )
        if changed or not self.n_cached:
            for name in ("steps", "checkpoints"):
                shutil.rmtree(self._home / name, ignore_errors=True)
            with folders.writing(self._home):
                write_whole(self._home / "run.json", _text(about))
        self._begun = True

    def _choose(self, numbered: folders.Numbered, about: dict[str, Any]) -> None:
        """Enter the folder of an unfinished run of the same configuration, or else a new one."""
        unfinished = (
            folder
            for folder in numbered.existing()
            if _n_cached(folder) and not folders.is_finished(folder) and not _changed(folder, about)
        )
        for folder in itertools.chain(unfinished, numbered.free()):
            with contextlib.suppress(_InUse, folders.AlreadyFinished):
                return self._enter(folder)

    def _enter(self, folder: Path) -> None:
        """Lock a folder against other runs."""
        self._shown, folder = folder, Path(os.path.abspath(folder))
        home = folder / folders.UNFINISHED
        try:
            folders.check_output(self._shown, overwrite=self.overwrite)
        except folders.AlreadyFinished:
            if not home.is_dir():  # otherwise the run was killed just before it was done
                raise
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        with folders.writing(folder):
            home.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as lock:
            lock.enter_context(_locked(home, self._shown))
            try:
                folders.complete(folder)
                folders.check_output(self._shown, overwrite=self.overwrite)
            except BaseException:
                _tidy(folder, made)
                raise
            for path in home.glob("**/.*.safetensors.*"):  # of runs that were killed
                with contextlib.suppress(OSError):
                    path.unlink()
            self._lock = lock.pop_all()
        self.folder, self._made = folder, made

    def write(
        self, results: Results, machine: dict[str, Any], save: Callable[[Path], None] | None = None
    ) -> None:
        """Write the run, then draw its figures; a figure that fails does not affect the rest.

        ==================  =====================================================
        ``config.json``     the resolved configuration
        ``provenance.json`` package versions, input digests, seeds
        ``results.json``    the document that ``--json`` prints
        ``results.csv``     its rows; there may be further tables and files
        ``figures/``        drawn from those tables only
        ``machine.json``    time stamps and host: the only file that may differ
                            between two runs of the same configuration
        ``files.json``      the names of all these files
        ==================  =====================================================

        Sets the folder of `results`, and adds a note for each figure that could not be drawn.
        `machine` is the content of ``machine.json``; `save` writes further files into the given
        folder. Raises HebbsimError if a file cannot be written.
        """
        if self._out is None:
            return
        if not self._begun:
            self.begin(results.experiment, results.config, results.provenance)
        assert self.folder is not None
        with folders.filling(self.folder) as draft:
            for name, content in results.contents(machine).items():
                (draft / name).write_bytes(content)
            if save is not None:
                save(draft)
        self._written = True
        results.folder = self._shown
        try:
            from hebbsim.runs import figures

            failed = figures.draw_run(self.folder, results.experiment)
        except Exception as error:  # matplotlib cannot be imported
            failed = {"all": error}
        results.notes += not_drawn(failed)
        results.undrawn = list(failed)

    def has(self, name: str) -> bool:
        """Whether a step is completed."""
        return self.folder is not None and self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._home / "steps" / f"{_file_name(name)}.safetensors"

    def get(self, name: str) -> StepResult | None:
        """A completed step, or None; BadInputError if its file is damaged."""
        if not self.has(name):
            return None
        path = self._path(name)
        try:
            arrays, about = read_checkpoint(path, _KIND)
        except BadInputError as error:
            raise BadInputError(f"{error}; remove it, and this step is computed again") from None
        if about.get("name") != name:
            raise BadInputError(f"{path} is not '{name}'; remove it to compute this step again")
        return StepResult(arrays, about.get("document"))

    def put(self, name: str, arrays: Arrays | None = None, document: Any = None) -> None:
        """Write a completed step, and remove its checkpoints."""
        if self.folder is None:
            return
        path = self._path(name)
        with folders.writing(path.parent), defer_signals():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_checkpoint(path, _KIND, arrays or {}, {"name": name, "document": document})
        self.drop(name)

    def take(self, name: str, compute: Callable[[], StepResult | tuple[Arrays, Any]]) -> StepResult:
        """Read a step from the cache, or compute and cache it.

        >>> import numpy as np
        >>> def half(values):
        ...     return {"half": values / 2}, {"n": len(values)}
        >>> step = RunCache(None).take("seed=0", lambda: half(np.arange(3)))
        >>> step.arrays["half"], step.document
        (array([0. , 0.5, 1. ]), {'n': 3})
        """
        found = self.get(name)
        if found is None:
            arrays, document = compute()
            self.put(name, arrays, document)
            found = StepResult(dict(arrays), document)
        return found

    def json(self, name: str, compute: Callable[[], Any]) -> Any:
        """Like `take`, for a step whose result is a JSON value; tuples become lists."""
        document = self.take(name, lambda: StepResult({}, compute())).document
        return json.loads(json.dumps(document))

    def checkpoints(self, name: str, kind: str) -> Checkpoints | None:
        """The last two states of a long step; None if nothing is cached."""
        return None if self.folder is None else Checkpoints(self.states_folder(name), kind)

    def states_folder(self, name: str) -> Path:
        """Folder of the checkpoints of a step."""
        return self._home / "checkpoints" / _file_name(name)

    def drop(self, name: str) -> None:
        """Remove the checkpoints of a step."""
        if self.folder is not None:
            shutil.rmtree(self.states_folder(name), ignore_errors=True)


def _n_cached(folder: Path) -> int:
    home = folder / folders.UNFINISHED
    places = (home / "steps", home / "checkpoints")
    return sum(1 for place in places for _ in place.glob("**/*.safetensors"))


def _changed(folder: Path, about: dict[str, Any]) -> str:
    """Description of how the unfinished run in a folder differs; "" if it does not."""
    if not _n_cached(folder):
        return ""
    before = folders.read_json(folder / folders.UNFINISHED / "run.json")
    return "its run.json cannot be read" if before is None else _difference(before, about)


@contextlib.contextmanager
def _locked(home: Path, folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which the system releases even if the process is killed."""
    lock = FileLock(home / "lock")
    holder = home / "holder.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        about = folders.read_json(holder) or {}
        who = f"process {about['pid']} on {about['host']}" if {"pid", "host"} <= set(about) else ""
        raise _InUse(
            f"--out {folder}: another run writes to it{f' ({who})' if who else ''}; wait for it or "
            "name another folder"
        ) from None
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInputError(f"--out {folder}: cannot be locked ({reason})") from None
    try:
        if not (home / "lock").exists():  # the other run ended just now
            raise _InUse(f"--out {folder}: another run has just written it; start again")
        with contextlib.suppress(OSError):  # only needed for the message
            holder.write_bytes(_text({"pid": os.getpid(), "host": socket.gethostname()}))
        yield
    finally:
        lock.release()


def _tidy(folder: Path, made: list[Path]) -> None:
    """Remove the folder of unfinished work if it is empty, and parents made only for it."""
    home = folder / folders.UNFINISHED
    if _n_cached(folder) or (home / "ready").is_dir():
        return
    shutil.rmtree(home, ignore_errors=True)
    with contextlib.suppress(OSError):
        for place in made:
            place.rmdir()


def _text(document: Any) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _difference(before: Any, now: Any, name: str = "") -> str:
    """Description of the first value that differs; "" if none does."""
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
    """A readable and unique file name for a step."""
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "-_.=,") else "+" for c in name)
    if safe == name and len(name) <= 100 and not name.startswith("."):
        return name
    return f"{safe.lstrip('.')[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
