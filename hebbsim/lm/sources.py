"""Documents from files, folders and streams, one at a time and always in the same order.

A source is plain text (``.txt``), JSON lines with a field ``text`` as C4 and FineWeb come
(``.json``, ``.jsonl``), parquet with such a column, any of the first two with ``.gz`` behind; a
folder of these, less those whose names say that they are for validation or test; ``builtin``, the
sentences of the built-in grammar; or ``c4``, ``fineweb`` or ``hf:NAME[:CONFIGURATION]``, streamed
through Hugging Face `datasets`.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from hebbsim.errors import BadInputError, HebbsimError

__all__ = ["Source", "open_source", "stream_hugging_face"]

#: Characters after which a long document is cut at the end of a line: memory stays bounded, and
#: held-out documents are of one size.
LONGEST = 20_000
#: What the two public corpora are called at Hugging Face.
STREAMS = {
    "c4": ("allenai/c4", "en", "train"),
    "fineweb": ("HuggingFaceFW/fineweb", "sample-10BT", "train"),
}
_SUFFIXES = (".txt", ".json", ".jsonl", ".parquet")
_HELD = re.compile(r"(?<![a-z])(valid|validation|dev|test)(?![a-z])")
# A heading of WikiText that begins an article.
_ARTICLE = re.compile(r" ?= [^=].* = *")


class Source:
    """Documents in a fixed order.

    Attributes
    ----------
    name : str
    files : tuple of Path
        Empty for a stream.
    longest : int
        Characters after which a document of a file is cut, at the end of a line.
    """

    def __init__(
        self,
        name: str,
        files: Iterable[Path] = (),
        stream: Any = None,
        longest: int = LONGEST,
    ) -> None:
        self.name = name
        self.files = tuple(files)
        self.longest = longest
        self._stream = stream

    def documents(self, skip: int = 0) -> Iterator[str]:
        """Documents from number `skip` on.

        Raises
        ------
        BadInputError
            A file is truncated, damaged or of another format; the line says where.
        """
        if self._stream is not None:
            yield from self._stream(skip)
            return
        yield from islice(
            (
                piece
                for path in self.files
                for text in _read(path)
                for piece in cut(text, self.longest)
            ),
            skip,
            None,
        )

    def digest(self) -> str:
        """SHA-256 of the names and bytes of the files; the name of a stream."""
        if self._stream is not None:
            return self.name
        total = hashlib.sha256()
        for path in self.files:
            total.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    total.update(block)
        return total.hexdigest()


def open_source(name: str | Path) -> Source:
    """A source by its name or path.

    Raises
    ------
    BadInputError
        No such file or folder, none of a known format in it, or no way to stream.

    Examples
    --------
    >>> len(next(open_source("builtin").documents()).split()) > 2
    True
    """
    text = str(name)
    if text == "builtin":
        return Source("builtin", stream=_builtin)
    if text in STREAMS:
        return stream_hugging_face(*STREAMS[text], name=text)
    if text.startswith("hf:"):
        place, _, configuration = text.removeprefix("hf:").partition(":")
        return stream_hugging_face(place, configuration or None)
    path = Path(name)
    if path.is_dir():
        found = sorted(
            p for p in path.rglob("*") if p.is_file() and _format(p) and not _HELD.search(p.name)
        )
        if not found:
            raise BadInputError(f"{path}: no {', '.join(_SUFFIXES)} (or .gz) in this folder")
    elif not path.exists():
        raise BadInputError(
            f"{path}: no such file or folder; give one, or builtin, c4, fineweb, hf:NAME"
        )
    elif not _format(path):
        raise BadInputError(f"{path}: not {', '.join(_SUFFIXES)} (or .gz)")
    else:
        found = [path]
    return Source(path.name, found)


def stream_hugging_face(
    place: str,
    configuration: str | None = None,
    split: str = "train",
    *,
    data_files: Any = None,
    name: str | None = None,
) -> Source:
    """Documents of a data set at Hugging Face, as they arrive.

    Parameters
    ----------
    place : str
        Such as ``allenai/c4``; or ``json`` or ``parquet`` with local `data_files`.
    configuration : str, optional
        Such as ``en``.
    split : str
    data_files : str or list of str, optional
    name : str, optional
        What to call the source.
    """

    def documents(skip: int) -> Iterator[str]:
        try:
            from datasets import load_dataset
        except ImportError:
            raise BadInputError(
                f"--data {name or place}: streaming needs the package datasets; "
                "pip install 'hebbsim[lm]'"
            ) from None
        try:
            rows = load_dataset(
                place, configuration, split=split, data_files=data_files, streaming=True
            )
            for row in rows.skip(skip):
                text = row.get("text")
                if not isinstance(text, str):
                    raise BadInputError(f"{place}: rows have no field text, only {sorted(row)}")
                # One row is one document: what is skipped is counted in rows.
                yield text
        except HebbsimError:
            raise
        except Exception as error:  # whatever the network, the hub or a damaged shard does
            line = " ".join(str(error).split())[:200]
            raise BadInputError(
                f"{place}: cannot be streamed ({type(error).__name__}: {line}); check the name "
                "and the connection, run again to go on"
            ) from None

    return Source(name or f"hf:{place}", stream=documents)


def cut(document: str, longest: int = LONGEST) -> list[str]:
    """A document in pieces of about `longest` characters at most, cut between lines.

    Examples
    --------
    >>> [len(piece) for piece in cut(("a" * 9_999 + chr(10)) * 3)]
    [19999, 9999]
    """
    if len(document) <= longest:
        return [document]
    pieces: list[str] = []
    lines: list[str] = []
    size = 0
    for line in document.splitlines():
        if lines and size + len(line) > longest:
            pieces.append("\n".join(lines))
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    return [*pieces, "\n".join(lines)]


def _builtin(skip: int) -> Iterator[str]:
    from hebbsim.readers.loading import load_corpus

    sentences = load_corpus("builtin").splits["train"].sentences()
    yield from (" ".join(words) for words in sentences[skip:])


def _format(path: Path) -> str:
    suffix = Path(path.name.removesuffix(".gz")).suffix
    return suffix if suffix in _SUFFIXES else ""


def _read(path: Path) -> Iterator[str]:
    kind = _format(path)
    try:
        if kind == ".parquet":
            yield from _read_parquet(path)
            return
        with _open(path) as file:
            yield from _read_text(path, file) if kind == ".txt" else _read_json(path, file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInputError(
            f"{path}: the file is truncated or damaged ({error}); fetch it again"
        ) from None
    except UnicodeDecodeError as error:
        raise BadInputError(f"{path}: not UTF-8 at byte {error.start}") from None
    except OSError as error:
        raise BadInputError(f"{path}: cannot be read ({error.strerror})") from None


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="\n")
    return path.open(encoding="utf-8", newline="\n")


def _read_text(path: Path, file: IO[str]) -> Iterator[str]:
    """Blank lines and headings of articles part documents; without any, every line is one."""
    parted = any(not line.strip() for line in file)
    file.seek(0)
    lines: list[str] = []
    for line in file:
        line = line.rstrip("\r\n")
        article = _ARTICLE.fullmatch(line) is not None
        if lines and (not parted or article or not line.strip()):
            yield "\n".join(lines)
            lines = []
        if line.strip():
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _read_json(path: Path, file: IO[str]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (RecursionError, ValueError):
            raise BadInputError(
                f"{path}, line {number}: not a whole JSON object; the shard is truncated or "
                "is not one object a line"
            ) from None
        text = row.get("text") if isinstance(row, dict) else None
        if not isinstance(text, str):
            raise BadInputError(f"{path}, line {number}: no field text with a string")
        yield text


def _read_parquet(path: Path) -> Iterator[str]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise BadInputError(
            f"{path}: parquet needs the package pyarrow; pip install 'hebbsim[lm]'"
        ) from None
    try:
        with ParquetFile(path) as file:
            if "text" not in file.schema_arrow.names:
                raise BadInputError(
                    f"{path}: no column text, only {', '.join(file.schema_arrow.names)}"
                )
            for batch in file.iter_batches(1000, columns=["text"]):
                for text in batch.column(0).to_pylist():
                    if text:
                        yield text
    except ArrowException as error:
        line = " ".join(str(error).split())
        raise BadInputError(f"{path}: truncated or damaged parquet ({line})") from None
