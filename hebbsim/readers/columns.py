"""Lines of treebanks: CoNLL-U, CoNLL-U Plus with its header, files with extra columns.

Formats: https://universaldependencies.org/format.html and .../ext-format.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hebbsim.errors import BadInputError
from hebbsim.readers.kinds import GLOBAL_COLUMNS, kind_of
from hebbsim.readers.lines import LineStream
from hebbsim.readers.words import normal

_COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_CONLL09 = (
    *("ID", "FORM", "LEMMA", "PLEMMA", "UPOS", "PPOS", "FEATS", "PFEAT", "HEAD", "PHEAD"),
    *("DEPREL", "PDEPREL", "FILLPRED", "PRED"),
)
_READ = ("ID", "FORM", "UPOS", "FEATS", "HEAD", "DEPREL", "XPOS")
#: Of a word, of several (``1-2``), or of an empty node (``1.1``).
_ID = re.compile(r"[0-9]{1,9}(?:[-.][0-9]{1,9})?")
#: Percentages of withheld words above which a note is given, and the file is refused.
_NOTED, _REFUSED = 1, 50


class Line(NamedTuple):
    """One line of a sentence; ``_`` for columns that the file lacks."""

    number: int
    id: str
    form: str
    pos: str
    features: str
    head: str
    relation: str
    xpos: str

    @property
    def is_word(self) -> bool:
        """Whether the line is a word, and not a multiword token or an empty node."""
        return "-" not in self.id and "." not in self.id


class TreebankLines:
    """Sentences of one treebank file or of standard input; `note` is called with each note.

    `id_column`, `head_column` and `misc_column` are numbers of columns from 1, or 0 if the file
    lacks them. `lines` are the comments and lines of the last sentence; `notes` and `sha256`, the
    digest of the decompressed content, are complete after the file has been read.
    """

    def __init__(self, path: str | Path, note: Callable[[str], object] | None = None) -> None:
        self.path = Path(path)
        self._say = note
        self.notes: list[str] = []
        self.sha256 = ""
        self._header = False
        self._use(_COLUMNS)

    def __iter__(self) -> Iterator[list[Line]]:
        kind_of(self.path)  # names a file that is no text
        stream = LineStream(self.path)
        sentence: list[Line] = []
        self.lines: list[str] = []
        n_words = n_withheld = 0
        for number, text in enumerate(stream, 1):
            line = text.lstrip("\ufeff")  # concatenated files keep their byte-order marks
            if not line.strip():
                if sentence:
                    yield sentence
                    sentence, self.lines = [], []
                continue
            self.lines.append(line)
            if line.startswith("#"):
                if header := GLOBAL_COLUMNS.match(line):
                    self._use(tuple(line[header.end() :].split()), number)
            else:
                columns = line.split("\t")
                if not n_words and _is_conll09(columns):
                    self._use(_CONLL09)
                word = self._line(number, columns)
                if word.id.partition("-")[0] == "1" and any(w.is_word for w in sentence):
                    self._note(
                        f"{self.path}: an empty line is missing between sentences; word 1 begins "
                        "the next one"
                    )
                    start = len(self.lines) - 1
                    while self.lines[start - 1].startswith("#"):
                        start -= 1
                    self.lines, following = self.lines[:start], self.lines[start:]
                    yield sentence
                    sentence, self.lines = [], following
                if word.is_word:
                    n_words += 1
                    n_withheld += word.form == "_"
                sentence.append(word)
        if sentence:
            yield sentence
        self.sha256 = stream.sha256
        self._check_withheld(n_words, n_withheld)

    def _use(self, names: tuple[str, ...], number: int = 0) -> None:
        """Set the names of the columns; `number` is the line of a CoNLL-U Plus header."""
        if number:
            self._header = True
            if "FORM" not in names or "ID" not in names:
                raise BadInputError(
                    f"{self.path}:{number}: the header of CoNLL-U Plus names no column "
                    f"{'ID' if 'FORM' in names else 'FORM'}"
                )
            left = [name for name in names if name not in _COLUMNS]
            if left:
                self._note(f"{self.path}: the columns {', '.join(left)} are left out")
        self._n_columns = len(names)
        self._places = [names.index(name) if name in names else -1 for name in _READ]
        self.id_column, self.head_column = self._places[0] + 1, self._places[4] + 1
        self.misc_column = names.index("MISC") + 1 if "MISC" in names else 0

    def _line(self, number: int, columns: list[str]) -> Line:
        n = len(columns)
        if n < self._n_columns or (n > self._n_columns and self._header):
            wanted = f"its header names {self._n_columns}" if self._header else "CoNLL-U has 10"
            blanks = n == 1 or len(" ".join(columns).split()) >= self._n_columns
            fix = "separate them by tabs" if blanks else "write _ for an empty one"
            raise BadInputError(f"{self.path}:{number}: {n} column{'s' * (n > 1)}, {wanted}; {fix}")
        if n > self._n_columns:
            self._note(
                f"{self.path}: columns from {self._n_columns + 1} on are not part of CoNLL-U and "
                "are left out"
            )
        found = [columns[place] if place >= 0 else "_" for place in self._places]
        if not _ID.fullmatch(found[0]):
            raise BadInputError(
                f"{self.path}:{number}: '{found[0][:40]}' in column {self.id_column} is not a "
                "number; CoNLL-U has the word id there"
            )
        found[1] = normal(found[1]) or found[1].strip(" ")
        return Line(number, *found)

    def _note(self, line: str) -> None:
        if line not in self.notes:
            self.notes.append(line)
            if self._say is not None:
                self._say(line)

    def _check_withheld(self, n_words: int, n_withheld: int) -> None:
        share = 100 * n_withheld / max(n_words, 1)
        if share > _REFUSED:
            raise BadInputError(
                f"{self.path}: its words are withheld ({n_withheld:,} of {n_words:,} are _), as "
                "their licence demands; get the texts as its README says and merge them by the "
                "treebank's own script, then give the merged file"
            )
        if share > _NOTED:
            self._note(
                f"{self.path}: {share:.0f} % of its words are withheld (_), as their licence "
                "demands; the treebank's own script merges them"
            )


def _is_conll09(columns: list[str]) -> bool:
    """Whether heads are in columns 9 and 10, as in the CoNLL-2009 shared task."""
    return len(columns) >= 14 and not columns[6].isdigit() and columns[8].isdigit()
