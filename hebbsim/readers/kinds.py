"""The format of a file, detected from its content, or from its name if that is ambiguous."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path

from hebbsim.errors import BadInputError
from hebbsim.readers.lines import head, is_packed, is_stdin, without_packing

#: Fields of an object or a table that may hold its text, in order of preference.
FIELDS = ("text", "content", "sentence", "tokens", "words")

#: File name extensions of each kind, in lower case and without that of the compression.
ENDINGS = {
    "text": (".txt",),
    "conllu": (".conllu", ".conll", ".conllup", ".cupt", ".conllx", ".conllul"),
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "table": (".csv", ".tsv", ".tab"),
    "parquet": (".parquet",),
}

#: First bytes of files that are not text.
_MAGIC = {
    b"PK\x03\x04": "a zip archive (or an office document)",
    b"PK\x05\x06": "an empty zip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!\x1a": "a rar archive",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0": "an office document",
}
_CONTROLS = bytes({*range(32)} - {*b"\t\n\v\f\r\x1a\x1b"})  # that text has no use for
_POINTER = b"version https://git-lfs"
# A declaration or comment, a tag with attributes, or a tag where a later one is closed.
_MARKUP = re.compile(
    rb"\s*<(?:[?!]|(?:html|tei|corpus)\b|[a-z][^<>]*\s[\w:.-]+\s*=[^<>]*>|[a-z][\w:.-]*>.*</\w)",
    re.IGNORECASE | re.DOTALL,
)
_WORD_ID = re.compile(r"\d{1,6}(?:[-.]\d{1,6})?")
_HEAD = re.compile(r"\d{1,6}|_")
#: The header of CoNLL-U Plus, before the names of its columns.
GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=")
#: A logical form of COGS, SLOG or ReCOGS.
LOGICAL_FORM = re.compile(r"x _ \d|LAMBDA \w|\( [\w. ]+ = |\w \( \d+ [,)]")
_LABEL = re.compile(r"[A-Z][A-Z0-9$]*(?:-\S+)?|[^\w\s]+")
_SUBTITLES = re.compile(
    r"\s*(?:WEBVTT\b|\[Script Info\]|\{\d+\}\{\d+\}"
    r"|(?:\d+\s+)?\d+:\d\d:\d\d[.,]\d{1,3}(?:,\d| *-->))"
)
_BRACKETED = re.compile(r"\s*\(\s*(?:\(|[A-Z]+[^\s()]*\s)")
#: Description of each kind.
NAMES = {
    "text": "plain text", "conllu": "CoNLL-U, words only", "cogs": "COGS, words only",
    "jsonl": "JSON, one value per line", "json": "JSON", "table": "table (CSV or TSV)",
    "parquet": "parquet",
}  # fmt: skip
_MOST_ROWS = 20  # of a table, from which it is recognized


def kind_by_name(path: Path) -> str | None:
    """The format that a file name indicates: a key of `ENDINGS`, or None."""
    name = without_packing(path.name).lower()
    return next((kind for kind, endings in ENDINGS.items() if name.endswith(endings)), None)


def kind_of(path: Path) -> str:
    """The format of a file or of standard input, which is not consumed.

    A key of `ENDINGS`, or ``cogs``. Raises BadInputError if it cannot be read, or is not text; the
    message says what it seems to be.
    """
    named = None if is_stdin(path) else kind_by_name(path)
    data = head(path)
    what, advice = _not_text(data)
    if what:
        raise BadInputError(f"{path}: this seems to be {what}; {advice}")
    if data.startswith(b"PAR1"):
        return "parquet"
    text = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors="replace")
    return _json(text, named) or _table(path, text, named) or named or "text"


def is_kind(path: Path, kind: str) -> bool:
    """Whether a file can be read and has this format, see `kind_of`."""
    try:
        return kind_of(path) == kind
    except BadInputError:
        return False


def is_archive(path: Path) -> bool:
    """Whether a file is a tar, zip, 7z or rar archive, compressed or not.

    Raises BadInputError if it cannot be read.
    """
    return "archive" in _not_text(head(path))[0]


def _not_text(data: bytes) -> tuple[str, str]:
    """What data that are not text seem to be, and what to do; the former is empty for text."""
    what = next((name for magic, name in _MAGIC.items() if data.startswith(magic)), "")
    advice = "give its text as UTF-8"
    if _is_tar(data):
        what = "a tar archive"
    elif coding := _wide(data):
        what, advice = coding, f"convert it, for example with iconv -f {coding} -t UTF-8"
    elif data.startswith(_POINTER):
        what, advice = "a pointer to a file that Git LFS keeps", "get the file by git lfs pull"
    elif inner := is_packed(data):
        what, advice = f"{inner} data inside compressed data", "unpack it once"
    elif _MARKUP.match(data.removeprefix(codecs.BOM_UTF8)):
        what = "XML or HTML"
    elif not (what or data.startswith(b"PAR1")):
        controls = len(data) - len(data.translate(None, _CONTROLS))
        what = "binary data" if controls > len(data) / 100 else ""
    return what, "unpack it, and give the folder" if "archive" in what else advice


def _wide(data: bytes) -> str:
    """The encoding of text whose characters take two or four bytes; "" for anything else."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "UTF-32"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "UTF-16"
    if b"\x1b$B" in data:
        return "ISO-2022-JP"
    # Without a mark, spaces and line ends hold a zero byte, always on the same side.
    for coding, zeros, others in (
        ("UTF-16LE", data[1::2], data[::2]),
        ("UTF-16BE", data[::2], data[1::2]),
    ):
        if zeros.count(0) > len(zeros) / 100 and 0 not in others:
            text = data.decode(coding, errors="ignore")
            if all(letter.isprintable() or letter.isspace() for letter in text):
                return coding
    return ""


def _is_tar(data: bytes) -> bool:
    """Whether data begin with a tar header of any version, judged by its checksum."""
    try:
        checksum = int(data[148:156].strip(b" \0"), 8)
    except ValueError:
        return False
    return checksum == sum(data[:148]) + 8 * ord(" ") + sum(data[156:512])


# JSON -----------------------------------------------------------------------------------------


def _json(text: str, named: str | None) -> str | None:
    """``jsonl`` for a value on every line, ``json`` for one array or values over several lines."""
    text = text.lstrip()
    first, _, rest = text.partition("\n")
    if text[:1] == "{":
        if not re.match(r'\{\s*["}]', text) or not _begins_json(text):
            return None
        return "jsonl" if _is_json(first) or not rest else "json"
    if text[:1] == "[":
        after = text[1:].lstrip()
        if after[:1] == "{":
            return "json" if _begins_json(after) else None
        if after[:1] not in ('"', "[") or not _begins_json(text):
            return None
        return "json" if named == "json" or not _is_json(first) else "jsonl"
    return None


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _begins_json(text: str) -> bool:
    """Whether a text begins with a JSON value, which may be cut off at the end of the text."""
    try:
        json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        return error.msg.startswith("Unterminated string") or error.pos >= len(text.rstrip()) - 1
    except (RecursionError, ValueError):  # nested too deeply, or a number too long
        return True
    return True


# Tables ---------------------------------------------------------------------------------------


def _table(path: Path, text: str, named: str | None) -> str | None:
    """``conllu``, ``cogs`` or ``table``, judged by the columns of the first lines."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if len(lines) > 1:
        lines.pop()  # may be incomplete
    if any(GLOBAL_COLUMNS.match(line) for line in lines[:50]):
        return "conllu"
    rows = [line for line in lines if line.strip() and not line.startswith(("#", "\ufeff#"))]
    rows = rows[:_MOST_ROWS]
    if not rows:
        return None
    columns = [row.split("\t") for row in rows]
    if all(len(cells) >= 10 and _WORD_ID.fullmatch(cells[0].lstrip("\ufeff")) for cells in columns):
        return "conllu"
    if len(rows) > 1 and rows[0].startswith("1") and all(map(_is_conllu, rows)):
        return "conllu"  # its reader names what is wrong
    if columns[0][:2] == ["sent_id", "type"]:
        raise BadInputError(
            f"{path}: this seems to be a table of 'hebbsim corpus make'; give its folder"
        )
    if what := _other_annotation(text, lines, rows, named):
        raise BadInputError(
            f"{path}: this seems to be {what}; give its words as plain text, or as CoNLL-U"
        )
    if named in ("conllu", "jsonl", "json"):
        return None
    width = len(columns[0])
    same = all(len(cells) == width and cells[0].strip() for cells in columns)
    if width == 3 and same and _is_cogs(columns):
        return "cogs"
    if named == "table" or (width > 1 and same and len(rows) > 1):
        return "table"
    # Prose has commas, too: without a telling file name, a header must name the text.
    return "table" if any(_names_its_text(rows, separator) for separator in ",;|\t") else None


def _other_annotation(text: str, lines: list[str], rows: list[str], named: str | None) -> str:
    """Description of annotation that has no reader; empty for anything else."""
    if _SUBTITLES.match(text):
        return "subtitles"
    if _BRACKETED.match(text) and text.count("(") > len(text.split()) / 4:
        return "bracketed trees"
    for mark in "/_":
        pairs = [word.rpartition(mark) for word in text.split()[:200]]
        tags = [tag for word, _, tag in pairs if word and tag]
        if len(tags) >= max(20, 0.95 * len(pairs)) and _few(tags):
            return f"words with a tag each (word{mark}TAG)"
    cells = [row.split() for row in rows]
    labelled = False
    if len(rows) >= 10 and len(set(map(len, cells))) == 1 < len(cells[0]):
        *others, last = list(zip(*cells, strict=True))[1:]
        # Elsewhere than at the end, a column of capitals may be one of words: of I alone.
        labelled = _are_labels(last) or (
            named != "conllu" and any(len(set(c)) > 2 and _are_labels(c) for c in others)
        )
    parted = any(not line.strip() for line in lines) or all("\t" in row for row in rows)
    numbered = all(_WORD_ID.fullmatch(row[0]) for row in cells)
    if rows[0].startswith("-DOCSTART-") or (labelled and parted and not numbered):
        return "words with labels in columns, one word per line"
    return ""


def _is_conllu(line: str) -> bool:
    """Whether an id and a head are in their places, apart by tabs or blanks."""
    words = line.split()
    return len(words) >= 8 and bool(_WORD_ID.fullmatch(words[0]) and _HEAD.fullmatch(words[6]))


def _are_labels(words: Sequence[str]) -> bool:
    letters = sum(word[0].isalpha() for word in words)
    return _few(words) and letters > len(words) / 2 and all(map(_LABEL.fullmatch, words))


def _few(labels: Sequence[str]) -> bool:
    return len(set(labels)) <= len(labels) / 2


def _names_its_text(rows: list[str], separator: str) -> bool:
    """Whether rows form a table whose header contains one of `FIELDS`."""
    try:
        parsed = list(csv.reader(rows, delimiter=separator))
    except csv.Error:
        return False
    header = {cell.strip().lower() for cell in parsed[0]}
    same = len({len(cells) for cells in parsed}) == 1
    return same and len(parsed) > 1 < len(parsed[0]) and bool(header & set(FIELDS))


def _is_cogs(rows: list[list[str]]) -> bool:
    """Whether rows hold sentences and logical forms; the first row may be a header."""
    forms = 0
    for i, (sentence, form, kind) in enumerate(rows):
        found = LOGICAL_FORM.search(form) is not None
        forms += found
        # A primitive (a single word) may have a form of any kind.
        if (i or not rows[1:]) and (
            " " in kind.strip() or not (found or " " not in sentence.strip())
        ):
            return False
    return forms > 0
