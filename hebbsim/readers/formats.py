"""Streams of documents in formats other than plain text, in bounded memory.

=========================  ============================================================
``*.conllu``, ``*.conll``   treebanks: the words alone
``*.jsonl``, ``*.ndjson``   one JSON value a line: text, a list of words, or an object with one
``*.parquet``              a column of text or of lists of words (package pyarrow)
``-``                      standard input: plain text or any but parquet, by its first line
=========================  ============================================================

All but parquet may be compressed by gzip, bzip2, xz or zstandard (package zstandard).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.readers.lines import LineStream, is_packed, is_stdin, without_packing

__all__ = ["ENDINGS", "Document", "format_of", "records"]

#: Fields of an object or a table that hold its text, the first that is there.
FIELDS = ("text", "content", "sentence", "tokens", "words")

#: File name endings of each format, without that of a compressed file.
ENDINGS = {
    "text": (".txt",),
    "conllu": (".conllu", ".conll"),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet",),
}
#: Bytes of one line of JSON: values take up to some fifty times as much.
_LONGEST_JSON = 16 << 20
_BATCH = 256  # rows of a parquet file at a time

Document = str | list[str]


def format_of(path: Path) -> str | None:
    """A key of `ENDINGS` by the name of a file, or the first line of standard input; or None."""
    if is_stdin(path):
        return _sniff()
    name = without_packing(path.name).lower()
    return next((kind for kind, endings in ENDINGS.items() if name.endswith(endings)), None)


def records(path: Path, kind: str) -> Iterator[Document]:
    """Documents of one file of a format other than plain text.

    Raises
    ------
    BadInputError
        It cannot be read, or a line is not of its format, naming file and line.
    """
    return {"conllu": _treebank, "jsonl": _json_lines, "parquet": _parquet}[kind](path)


def _sniff() -> str:
    """The format of standard input, by its first line; nothing of it is taken."""
    stdin: Any = sys.stdin.buffer
    start = bytes(stdin.peek(4096))
    if is_packed(start):
        return "text"
    lines = [line for line in start.removeprefix(b"\xef\xbb\xbf").splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith(b"# ")), b"")
    if first.count(b"\t") == 9:
        return "conllu"
    return "jsonl" if first[:1] in (b"{", b"[", b'"') and _is_json(lines[0]) else "text"


def _is_json(line: bytes) -> bool:
    # A line may be longer than what was looked at.
    return line[:2] == b'{"' or line[:2] == b'["' or (line[:1] == b'"' and line[-1:] == b'"')


def _treebank(path: Path) -> Iterator[Document]:
    words: list[str] = []
    for number, line in enumerate(LineStream(path), 1):
        if not line.strip():
            if words:
                yield words
                words = []
        elif not line.startswith("#"):
            columns = line.split("\t")
            if len(columns) != 10:
                raise BadInputError(
                    f"{path}:{number}: {len(columns)} columns, CoNLL-U has 10; separate them "
                    "by tabs"
                )
            if "-" not in columns[0] and "." not in columns[0]:
                words.append(columns[1])
    if words:
        yield words


def _json_lines(path: Path) -> Iterator[Document]:
    for number, line in enumerate(LineStream(path, longest=_LONGEST_JSON), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", "nested too deeply")
            raise BadInputError(f"{path}:{number}: not JSON ({reason})") from None
        yield _document(value, f"{path}:{number}")


def _document(value: Any, where: str) -> Document:
    if isinstance(value, dict):
        found = [value[name] for name in FIELDS if value.get(name) is not None]
        if not found:
            raise BadInputError(f"{where}: no text in it; name a field {' or '.join(FIELDS)}")
        value = found[0]
    # A lone half of a pair is no text: it could not be written again.
    if isinstance(value, str):
        if value.isascii() or _is_text(value):
            return value
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        if all(word.isascii() or _is_text(word) for word in value):
            return [word for word in value if word.strip()]
    raise BadInputError(f"{where}: neither text nor a list of words")


def _is_text(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _parquet(path: Path) -> Iterator[Document]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise BadInputError(
            f"{path}: reading parquet needs a package; run: pip install 'hebbsim[data]'"
        ) from None
    try:
        # Column by column through a buffer, not a row group at a time.
        with pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            names = file.schema_arrow.names
            field = next((name for name in FIELDS if name in names), None)
            if field is None:
                raise BadInputError(
                    f"{path}: its columns are {', '.join(names[:8])}; name one of them "
                    f"{' or '.join(FIELDS)}"
                )
            row = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=[field]):
                for value in batch.column(0).to_pylist():
                    row += 1
                    if value is not None:
                        yield _document(value, f"{path}:{row}")
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise BadInputError(f"{path}: not a parquet file that can be read ({reason})") from None
