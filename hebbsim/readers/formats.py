"""Documents from files in formats other than plain text, in bounded memory.

===========================  ==============================================================
CoNLL-U, CoNLL-U Plus        treebanks: the words only
JSON                         one value per line, one array, or values over several lines: each
                             a text, a list of words, or an object with one
CSV, TSV                     tables with a column of text
COGS, SLOG, ReCOGS           the sentences only
parquet                      a column of text or of lists of words (package pyarrow)
===========================  ==============================================================

`hebbsim.readers.kinds` detects the format. All but parquet may be compressed by gzip, bzip2, xz
or zstandard (package zstandard).
"""

from __future__ import annotations

import codecs
import csv
import inspect
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import regex

from hebbsim.errors import BadInputError, reason
from hebbsim.readers.columns import TreebankLines
from hebbsim.readers.kinds import FIELDS, LOGICAL_FORM
from hebbsim.readers.lines import LineStream, head, not_utf8, opened
from hebbsim.readers.words import normal

#: Bytes of one line of JSON, whose values take up to fifty times as much memory, and characters of
#: one cell of a table.
_LONGEST_VALUE = 16 << 20
_CHUNK = 1 << 16
_NONE = "\x1f"  # separates the cells of a table with one column
_BATCH = 256  # rows of a parquet file at a time
#: Column names by which a header is recognized.
_HEADINGS = frozenset(
    "id idx index text sentence sentences content body document tokens words word form title label "
    "labels lang language source target url date name score split type category author review "
    "comment article utterance transcript summary question answer sent_id logical_form".split()
)

#: A lone surrogate.
_HALF = re.compile("[\ud800-\udfff]")
#: Words with a full stop.
_SENTENCE = regex.compile(r"(?s).*\w\p{STerm}[\p{Pe}\p{Pf}\"']*\s*")
#: The first line by which spreadsheets tell the separator.
_TOLD = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)

#: A piece of text, or the words of a sentence.
Document = str | list[str]
#: Called with a note about how a file was read.
Note = Callable[[str], object]


def records(
    path: Path, kind: str, *, field: str | None = None, note: Note | None = None
) -> Iterator[Document]:
    """Documents of one file in a format other than plain text; `kind` is the result of `kind_of`.

    `field` is the name of the field or column that holds the text (``data.text`` for a nested
    field, also inside the rows of a list), or the number of a table column, from 1. By default it
    is the first of text, content, sentence, tokens and words that exists. `note` receives a line
    about what is left out.

    Raises BadInputError if the file cannot be read, or a line does not fit the format; the message
    names file and line.
    """
    if kind == "conllu":
        return _treebank(path, note)
    if kind == "cogs":
        return _cogs(path)
    readers = {"jsonl": _json_lines, "json": _json_values, "table": _table, "parquet": _parquet}
    return readers[kind](path, field)


def _treebank(path: Path, note: Note | None) -> Iterator[Document]:
    for lines in TreebankLines(path, note):
        words = [line.form for line in lines if line.is_word and line.form]
        if words:
            yield words


def _cogs(path: Path) -> Iterator[Document]:
    for _, columns in cogs_rows(LineStream(path)):
        yield columns[0].split()


def cogs_rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and columns of a COGS file, without blank lines and the header.

    A header is a first line with one word, beside which stands no logical form; the form of a
    name alone is the name.
    """
    first = True
    for number, line in enumerate(lines, 1):
        if line.strip():
            columns = [" ".join(cell.split()) for cell in cells(line)]
            sentence, form = (*columns, "")[:2]
            header = " " not in sentence and sentence != form and not LOGICAL_FORM.search(form)
            if not (first and header and form):
                yield number, columns
            first = False


# JSON -----------------------------------------------------------------------------------------


def _json_lines(path: Path, field: str | None) -> Iterator[Document]:
    for number, line in enumerate(LineStream(path, longest=_LONGEST_VALUE), 1):
        line = line.lstrip("\ufeff")
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _not_json(path, number, error) from None
            yield from _document(value, f"{path}:{number}", field)


def _not_json(path: Path, number: int, error: Exception) -> BadInputError:
    deep = isinstance(error, RecursionError)
    cause = "nested too deeply" if deep else getattr(error, "msg", reason(error, 80))
    return BadInputError(f"{path}:{number}: not JSON ({cause})")


def _json_values(path: Path, field: str | None) -> Iterator[Document]:
    """Consecutive JSON values, or those of an array, over any number of lines."""
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
    """A window that moves over the text of a file; `at` and `number` are position and line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 1
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
                    raise not_utf8(self.path, line, error) from None
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
        """Skip white space and the given characters; the next character, or "" at the end."""
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
            if size > _LONGEST_VALUE:
                raise BadInputError(
                    f"{self.path}:{self.number}: a JSON value of more than {_LONGEST_VALUE:,} "
                    "characters; write one value per line (JSON lines)"
                )
            # Retry after doubling the text, so that the cost stays linear in its length.
            if size >= 2 * tried:
                tried = size
                try:
                    value, end = json.JSONDecoder().raw_decode(self._text, self.at)
                except (ValueError, RecursionError) as error:
                    failed: Exception = error
                else:
                    # A number at the end may be incomplete, but no document is a number.
                    self.number += self._text.count("\n", self.at, end)
                    self.at = end
                    return value
            if not self._more():
                if tried < len(self._text) - self.at:
                    tried = 0
                    continue
                line = self.number + getattr(failed, "lineno", 1) - 1
                raise _not_json(self.path, max(line, self.number), failed)


def _document(value: Any, where: str, field: str | None) -> Iterator[Document]:
    """The texts or words of a JSON value; nothing for a null."""
    values = _fields(value, where, field) if isinstance(value, dict) else [value]
    for found in chain.from_iterable(v if _is_nested(v) else [v] for v in values):
        words = [word for word in found if word is not None] if isinstance(found, list) else []
        if found is None or (found != found and isinstance(value, dict)):  # null; pandas: NaN
            continue
        if _is_text(found):
            yield found
        elif isinstance(found, list) and all(map(_is_text, words)):
            if _are_texts(words):
                yield from words
            else:
                yield [word for word in map(normal, words) if word]
        elif half := _HALF.search("".join(map(str, words or [found]))):
            raise BadInputError(
                f"{where}: holds half a character, \\u{ord(half[0]):04x}; remove or complete it"
            )
        else:
            raise BadInputError(f"{where}: neither text nor a list of words")


def _fields(row: dict[str, Any], where: str, field: str | None) -> list[Any]:
    """The value of the field that holds the text, or its values in the rows of a list."""
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
    names = names or [name for name in row if name.lower() in FIELDS]
    if not names:
        raise BadInputError(
            f"{where}: no text in it; name a field {' or '.join(FIELDS)}, or name the one that "
            f"holds the text by --field NAME ({_there(row)})"
        )
    return [next((row[name] for name in names if row[name]), row[names[0]])]


def _there(names: Iterable[Any]) -> str:
    return f"there are {', '.join(str(name)[:30] for name in list(names)[:8]) or 'none'}"


def _is_nested(value: Any) -> bool:
    """Whether a value is a list of lists: of the words of several sentences."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, list) for v in value)


def _are_texts(strings: Sequence[str]) -> bool:
    """Whether strings are texts instead of the words of one sentence.

    Words may hold blanks, as in Vietnamese, and full stops (z. B.), but few do.
    """
    n_words = sum(len(string.split()) for string in strings)
    n_ends = sum(_SENTENCE.fullmatch(string) is not None for string in strings)
    return n_words > 3 * len(strings) or n_ends > len(strings) / 2


def _is_text(value: Any) -> bool:
    """Whether a value is a str without lone surrogates, which could not be written again."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not _HALF.search(value)


# Tables ---------------------------------------------------------------------------------------


def cells(line: str) -> list[str]:
    """The cells of a tab-separated line, without quotes added by spreadsheets."""
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
    """Line numbers and cells of the non-empty rows of a table."""
    beginning = head(path)  # before standard input is read
    lines = enumerate(LineStream(path, longest=_LONGEST_VALUE), 1)
    first = next(((number, line) for number, line in lines if line.strip()), (1, ""))
    told = _TOLD.fullmatch(first[1])
    if told:
        first = next(lines, first)
    separator = told[1] if told else _separator(first[1])
    # Quotes of CSV are optional, and a single column may hold commas without.
    if separator in ("", "\t") and not _spans_lines(beginning, separator or _NONE):
        for number, line in chain([first], lines):
            if line.strip():
                yield number, cells(line) if separator else cells(line.strip())
        return
    before = first[0] - 1
    whole = (f"{line}\n" for _, line in chain([first], lines))
    csv.field_size_limit(_LONGEST_VALUE)
    reader = csv.reader(whole, delimiter=separator or _NONE, skipinitialspace=True)
    start = 1 + before
    try:
        for row in reader:
            # A row takes another line only inside of quotes.
            if inspect.getgeneratorstate(whole) == inspect.GEN_CLOSED:
                raise BadInputError(f'{path}:{start}: a quote (") of this row is not closed')
            if any(cell.strip() for cell in row):
                yield before + reader.line_num, row
            start = before + reader.line_num + 1
    except csv.Error as error:
        cause = f"not a table ({error})"
        if "field limit" in str(error):
            cause = (
                f"a cell of more than {_LONGEST_VALUE:,} characters; a quote before it may not be "
                "closed"
            )
        raise BadInputError(f"{path}:{before + reader.line_num}: {cause}") from None


def _spans_lines(data: bytes, separator: str) -> bool:
    """Whether a quoted cell of the first rows holds several lines."""
    text = io.StringIO(data.decode("utf-8", errors="replace"), newline="")
    rows = csv.reader(text, delimiter=separator, strict=True)
    try:
        return any("\n" in cell and separator not in cell for row in rows for cell in row)
    except csv.Error:
        return False


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
        # Buffered, so that no whole row group is in memory.
        with pyarrow.parquet.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False) as file:
            names = file.schema_arrow.names
            asked = FIELDS if wanted is None else (wanted, wanted.partition(".")[0])
            found = (name for one in asked for name in names if one in (name, name.lower()))
            field = next(found, None)
            if field is None:
                raise BadInputError(
                    f"{path}: its columns are {', '.join(names[:8])}; name one of them "
                    f"{' or '.join(FIELDS)}, or name the one that holds the text by --field NAME"
                )
            row = 0
            for batch in file.iter_batches(batch_size=_BATCH, columns=[field]):
                for value in batch.column(0).to_pylist():
                    row += 1
                    if wanted is None or wanted == field:
                        yield from _document(value, f"{path}:{row}", None)
                    else:  # nested
                        yield from _document({field: value}, f"{path}:{row}", wanted)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, BadInputError):
            raise
        raise BadInputError(
            f"{path}: not a parquet file that can be read ({reason(error, 120)})"
        ) from None
