"""Documents from files in formats other than plain text, in bounded memory.

===========================  ==============================================================
CoNLL-U, CoNLL-U Plus        treebanks: the words alone
JSON                         one value per line, one array, or values over several lines: each
                             text, a list of words, or an object with one
CSV, TSV                     tables with a column of text
COGS and its kin             the sentences alone
parquet                      a column of text or of lists of words (package pyarrow)
===========================  ==============================================================

Which it is, `hebbsim.readers.kinds` tells. All but parquet may be compressed by gzip, bzip2, xz
or zstandard (package zstandard).
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError, reason
from hebbsim.readers.columns import TreebankLines
from hebbsim.readers.kinds import FIELDS
from hebbsim.readers.lines import LineStream, opened
from hebbsim.readers.words import normal

#: Bytes of one line of JSON: values take up to some fifty times as much.
_LONGEST_JSON = 16 << 20
_CHUNK = 1 << 16
_BATCH = 256  # rows of a parquet file at a time
#: What the first row of a table says if it is no data.
_HEADINGS = frozenset(
    "id idx index text sentence sentences content body document tokens words word form title label "
    "labels lang language source target url date name score split type category author review "
    "comment article utterance transcript summary question answer sent_id logical_form".split()
)

Document = str | list[str]
#: Takes a line that a reader of the results should know.
Note = Callable[[str], object]


def records(
    path: Path, kind: str, *, field: str | None = None, note: Note | None = None
) -> Iterator[Document]:
    """Documents of one file in a format other than plain text, of a kind that `kind_of` tells.

    `field` is the field or column that holds the text, by its name (``data.text`` for a field
    within one, or within the rows of a list) or, of a table, its number from 1; default the first
    that is there of text, content, sentence, tokens and words. `note` is given a line on what is
    left out.

    Raises BadInputError if it cannot be read, or a line is not of its format, naming file and line.
    """
    if kind == "conllu":
        return _treebank(path, note)
    if kind == "cogs":
        return _cogs(path)
    readers = {"jsonl": _json_lines, "json": _json_values, "table": _table, "parquet": _parquet}
    return readers[kind](path, field)


def _treebank(path: Path, note: Note | None) -> Iterator[Document]:
    file = TreebankLines(path, note)
    for lines in file:
        words = [line.form for line in lines if line.is_word and line.form]
        if words:
            yield words


def _cogs(path: Path) -> Iterator[Document]:
    for line in LineStream(path):
        if line.strip():
            sentence = cells(line)[0]
            if sentence.lower() not in _HEADINGS:
                yield sentence.split()


# JSON -----------------------------------------------------------------------------------------


def _json_lines(path: Path, field: str | None) -> Iterator[Document]:
    for number, line in enumerate(LineStream(path, longest=_LONGEST_JSON), 1):
        line = line.lstrip("\ufeff")
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _no_json(path, number, error) from None
            yield from _document(value, f"{path}:{number}", field)


def _no_json(path: Path, number: int, error: Exception) -> BadInputError:
    said = getattr(error, "msg", "nested too deeply")
    return BadInputError(f"{path}:{number}: not JSON ({said})")


def _json_values(path: Path, field: str | None) -> Iterator[Document]:
    """JSON values that follow one another or form one array, on any number of lines."""
    text = _Text(path)
    array = text.skip("") == "["
    if array:
        text.at += 1
    while letter := text.skip("," if array else ""):
        if array and letter == "]":
            text.at += 1
            array = text.skip("") == "["  # another array may follow
            text.at += array
            continue
        number = text.number
        yield from _document(text.value(), f"{path}:{number}", field)
    if array:
        raise BadInputError(f"{path}:{text.number}: not JSON (the array does not end)")


class _Text:
    """The text of a file, piece by piece, with the place that is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 1  # of the line
        self.at = 0
        self._text = ""
        self._pieces = self._read()

    def _read(self) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        with opened(self.path) as file:
            while True:
                chunk = file.read(_CHUNK)
                try:
                    yield decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    line = self.number + self._text[self.at :].count("\n")
                    line += error.object[: error.start].count(b"\n")
                    raise BadInputError(
                        f"{self.path}:{line}: not UTF-8 (byte 0x{error.object[error.start]:02x}); "
                        "convert it, for example with iconv"
                    ) from None
                if not chunk:
                    return

    def _more(self) -> bool:
        piece = next(self._pieces, None)
        if piece is None:
            return False
        self._text = self._text[self.at :] + piece
        self.at = 0
        return True

    def skip(self, letters: str) -> str:
        """Skip blanks and the given characters; the next character, or empty at the end."""
        while True:
            while self.at < len(self._text):
                letter = self._text[self.at]
                if not (letter.isspace() or letter in letters):
                    return letter
                self.number += letter == "\n"
                self.at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """The JSON value that begins here."""
        tried = 0
        while True:
            size = len(self._text) - self.at
            if size > _LONGEST_JSON:
                raise BadInputError(
                    f"{self.path}:{self.number}: a JSON value of more than {_LONGEST_JSON:,} "
                    "characters; write one value per line (JSON lines)"
                )
            # Twice as much before it is tried again, so that a long value costs no square.
            if size >= 2 * tried:
                tried = size
                try:
                    value, end = json.JSONDecoder().raw_decode(self._text, self.at)
                except (ValueError, RecursionError) as error:
                    failed: Exception = error
                else:
                    # A number may go on, but no document is one.
                    self.number += self._text.count("\n", self.at, end)
                    self.at = end
                    return value
            if not self._more():
                if tried < len(self._text) - self.at:
                    tried = 0
                    continue
                line = self.number + getattr(failed, "lineno", 1) - 1
                raise _no_json(self.path, max(line, self.number), failed)


def _document(value: Any, where: str, field: str | None) -> Iterator[Document]:
    """The text of a value; nothing for a null."""
    for found in _fields(value, where, field) if isinstance(value, dict) else [value]:
        if found is None:
            continue
        # A lone half of a pair is no text: it could not be written again.
        if isinstance(found, str) and (found.isascii() or _is_text(found)):
            yield found
        elif (
            isinstance(found, list)
            and all(isinstance(word, str) for word in found)
            and all(word.isascii() or _is_text(word) for word in found)
        ):
            yield [word for word in map(normal, found) if word]
        else:
            raise BadInputError(f"{where}: neither text nor a list of words")


def _fields(row: dict[str, Any], where: str, field: str | None) -> list[Any]:
    """What the field that holds the text has; one value, or those of the rows of a list."""
    if field is not None:
        values: list[Any] = [row]
        for name in [field] if field in row else field.split("."):
            rows = [
                part for value in values if value is not None
                for part in (value if isinstance(value, list) else [value])
            ]  # fmt: skip
            if not all(isinstance(part, dict) and name in part for part in rows):
                raise BadInputError(f"{where}: no field '{field}'; {_there(row)}")
            values = [part[name] for part in rows]
        return values
    names = [name for name in FIELDS if name in row]
    if not names:
        raise BadInputError(
            f"{where}: no text in it; name a field {' or '.join(FIELDS)}, or name the one that "
            f"holds the text by --field NAME ({_there(row)})"
        )
    return [next((row[name] for name in names if row[name]), row[names[0]])]


def _there(names: Iterable[Any]) -> str:
    return f"there are {', '.join(str(name)[:30] for name in list(names)[:8]) or 'none'}"


def _is_text(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


# Tables ---------------------------------------------------------------------------------------


def cells(line: str) -> list[str]:
    """The cells of a tab-separated line, without the quotes that spreadsheets add."""
    return [
        cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell
        for cell in line.split("\t")
    ]


def _table(path: Path, field: str | None) -> Iterator[Document]:
    rows = _rows(path)
    number, first = next(rows, (1, []))
    names = [name.strip().lstrip("\ufeff") for name in first]
    lower = [name.lower() for name in names]
    header = any(name in _HEADINGS for name in lower)
    if field is not None and field in names:
        header, place = True, names.index(field)
    elif field is not None and field.isdigit() and 0 < int(field) <= len(names):
        place = int(field) - 1
    elif field is not None:
        raise BadInputError(f"{path}:{number}: no column '{field}'; {_there(names)}")
    elif len(names) == 1:
        place = 0
    elif found := [name for name in FIELDS if name in lower]:
        place = lower.index(found[0])
    else:
        raise BadInputError(
            f"{path}: this seems to be a table; name the column that holds its text by --field "
            f"NAME, or --field and its number ({_there(names)})"
        )
    if not header:
        rows = chain([(number, first)], rows)
    for number, row in rows:
        if len(row) != len(names):
            raise BadInputError(
                f"{path}:{number}: {len(row)} columns where the first row has {len(names)}"
            )
        if row[place].strip():
            yield row[place]


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of the rows of a table that are not empty."""
    lines = iter(LineStream(path))
    first = next((line for line in lines if line.strip()), "")
    separator = _separator(first)
    if separator == "\t":
        yield 1, cells(first)
        for number, line in enumerate(lines, 2):
            if line.strip():
                yield number, cells(line)
        return
    whole = (f"{line}\n" for line in chain([first], lines))
    if not separator:  # a column alone may hold commas that nobody quoted
        for number, line in enumerate(whole, 1):
            if line.strip():
                yield number, cells(line.strip())
        return
    reader = csv.reader(whole, delimiter=separator)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise BadInputError(f"{path}:{reader.line_num}: not a table ({error})") from None


def _separator(header: str) -> str:
    """The cell separator of a table; empty if it has one column."""
    if "\t" in header:
        return "\t"
    return max(",;|", key=header.count) if any(map(header.count, ",;|")) else ""


def _parquet(path: Path, wanted: str | None) -> Iterator[Document]:
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
            asked: Sequence[str] = FIELDS if wanted is None else (wanted,)
            field = next((name for name in asked if name in names), None)
            if field is None:
                raise BadInputError(
                    f"{path}: its columns are {', '.join(names[:8])}; name one of them "
                    f"{' or '.join(FIELDS)}, or name the one that holds the text by --field NAME"
                )
            row = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=[field]):
                for value in batch.column(0).to_pylist():
                    row += 1
                    yield from _document(value, f"{path}:{row}", None)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        raise BadInputError(
            f"{path}: not a parquet file that can be read ({reason(error, 120)})"
        ) from None
