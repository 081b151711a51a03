"""A recorded run as one page, for schools without Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hebbsim.demo.page import stages, standalone
from hebbsim.demo.portable import condition_key, portable
from hebbsim.demo.room import Room
from hebbsim.demo.session import Message, Session
from hebbsim.demo.settings import Settings
from hebbsim.errors import BadInputError
from hebbsim.runs.results import Progress

__all__ = ["write_page"]

#: What the page's own choices are in a recording: sliders move among these.
TIMESCALES = ((2.0,), (8.0,), (32.0,), (2.0, 8.0, 32.0), (1.0, 2.0, 4.0, 8.0, 16.0, 32.0))
PRECISIONS = ("float64", "float32", "bfloat16", "int8")
NOISES = (0.0, 1.0, 10.0, 30.0, 100.0)
N_EXAMPLES = 6


def write_page(
    room: Room,
    folder: Path,
    *,
    bigru: bool = True,
    progress: Progress | None = None,
    overwrite: bool = False,
) -> Path:
    """Record a run and write ``index.html``, which holds everything that it needs.

    Parameters
    ----------
    room : Room
        Need not be prepared.
    folder : Path
        Made where it is missing.
    bigru : bool
        Record the BiGRU's roles, where torch is there.
    progress : callable, optional
        ``progress(line, done, total)``.
    overwrite : bool
        Replace a recording that the folder holds; any other page stays.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    BadInputError
        The folder cannot be written, or holds a page.
    """
    path = folder / "index.html"
    _check(path, overwrite)
    report = progress or (lambda line, done, total: None)
    asked = list(dict.fromkeys(_choices(room)))
    report("learning", 0, len(asked) + 2)
    room.prepare()
    if bigru:
        room.train_bigru()
    report(None, 1, len(asked) + 2)
    recording = Recording(room)
    for done, (what, settings) in enumerate(asked):
        recording.add(what, settings)
        report(None, done + 2, len(asked) + 2)
    text = standalone({"mode": "recorded", "recorded": recording.document()})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(temporary).chmod(0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise BadInputError(f"--export: {folder} cannot be written ({error.strerror})") from None
    report(None, len(asked) + 2, len(asked) + 2)
    return path


def _check(path: Path, overwrite: bool) -> None:
    folder = path.parent
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"--export: {folder} is a file; name a folder")
    if path.exists() and "<title>hebbsim:" not in path.read_text("utf-8", "replace")[:2000]:
        raise BadInputError(f"--export: {path} is another page; name another folder")
    if path.exists() and not overwrite:
        raise BadInputError(
            f"--export: {path} is a recording already; name another folder, or give --overwrite "
            "to replace it"
        )


#: A text of a lesson, or the number of an example.
What = str | int


def _choices(room: Room) -> Iterator[tuple[What, Settings]]:
    """All that a visitor of the recording can ask for."""
    told = [stage for stage in stages() if "text" in stage]
    for stage in told:
        yield stage["text"], Settings.checked(stage.get("settings", {}))
    for settings in _settings():
        for number in range(min(N_EXAMPLES, len(room.examples))):
            yield number, settings


def _settings() -> Iterator[Settings]:
    """Where the sliders of a recording can stand: noise in one number format alone."""
    for timescales in TIMESCALES:
        for precision in PRECISIONS:
            yield Settings.checked({"timescales": timescales, "precision": precision})
        for noise in NOISES:
            yield Settings.checked({"timescales": timescales, "noise": noise})


class Recording:
    """Readings as the page asks for them, each word and each shared part written once.

    Parameters
    ----------
    room : Room
        Prepared.
    """

    def __init__(self, room: Room) -> None:
        self.room = room
        self.session = Session(room)
        self._texts: dict[str, int] = {}
        self._shared: dict[str, list[Any]] = {
            name: [] for name in ("sentences", "bigru", "prototypes")
        }
        self._numbers: dict[tuple[str, str], int] = {}
        self._readings: dict[str, Any] = {}
        self._survival: dict[str, Any] = {}
        self._conditions: dict[str, Settings] = {}

    def add(self, what: What, settings: Settings) -> None:
        """Record one reading, and what survives under its settings."""
        key = "example" if isinstance(what, int) else "text"
        condition = condition_key(settings)
        self._conditions[condition] = settings
        message: Message = {"do": "read", key: what, "settings": settings.resolved()}
        for answer in self.session.handle(message):
            if answer["kind"] == "reading":
                self._readings[f"{_name(what)}|{condition}"] = self._packed(answer, settings)
            elif answer["kind"] == "survival":
                kept = {k: v for k, v in answer.items() if k not in ("kind", "id", "settings")}
                self._survival[condition] = _rounded(kept)
            elif answer["kind"] == "error":
                raise BadInputError(answer["text"])

    def _packed(self, reading: Message, settings: Settings) -> dict[str, Any]:
        parts = ("words", "starts", "known", "gold")
        sentence = " ".join(reading["words"])
        taus = ",".join(map(str, settings.timescales))
        return {
            **{name: reading[name] for name in ("winners", "slots", "places")},
            **{
                name: [[self._text(word) for word in row] for row in reading[name]]
                for name in ("roles", "kept")
            },
            "sentence": self._share("sentences", sentence, {name: reading[name] for name in parts}),
            "bigru": self._share_roles(sentence, reading["bigru"]),
            "prototypes": self._prototypes(taus, reading["prototypes"]),
        }

    def _share_roles(self, sentence: str, roles: list[list[str]] | None) -> int | None:
        if roles is None:
            return None
        numbers = [[self._text(word) for word in row] for row in roles]
        return self._share("bigru", sentence, numbers)

    def _prototypes(self, taus: str, prototypes: dict[str, Any]) -> int:
        """Those of all readings with the same timescales stand in one table."""
        number = self._share("prototypes", taus, {})
        self._shared["prototypes"][number].update(prototypes)
        return number

    def _share(self, kind: str, key: str, value: Any) -> int:
        if (kind, key) not in self._numbers:
            self._numbers[kind, key] = len(self._shared[kind])
            self._shared[kind].append(value)
        return self._numbers[kind, key]

    def _text(self, word: str) -> int:
        return self._texts.setdefault(word, len(self._texts))

    def document(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        hello = {k: v for k, v in self.session.hello().items() if k != "kind"}
        hello["examples"] = hello["examples"][:N_EXAMPLES]
        live = self.session.live
        while not live.done:
            live.step()
        return {
            "hello": hello,
            "timescales": TIMESCALES,
            "noises": NOISES,
            "shared": {**self._shared, "texts": list(self._texts)},
            "readings": self._readings,
            "survival": self._survival,
            "curve": live.curve,
            "reader": portable(self.room, self._conditions),
        }


def _name(what: What) -> str:
    return f"#{what}" if isinstance(what, int) else what


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return value
