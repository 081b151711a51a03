"""Text to be tagged: sentences from files of any format, with the lines of treebanks."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hebbsim.readers.columns import TreebankLines
from hebbsim.readers.kinds import kind_of
from hebbsim.readers.lines import bytes_read, is_stdin
from hebbsim.readers.text import stream_text, text_files

#: Number of words processed at a time, which bounds memory use.
BATCH = 20_000


class Sentence(NamedTuple):
    """A sentence to be tagged."""

    #: In their original case.
    words: list[str]
    #: Original comments and lines of a treebank.
    lines: list[str] | None = None
    #: Indices of the lines that hold the words.
    places: tuple[int, ...] = ()
    #: Column MISC of those lines, from 0.
    misc_column: int = 9


class Texts:
    """Streams the sentences of files in bounded memory, and tracks progress in bytes.

    `paths` are files, folders or ``-``; `columns` keeps the lines of treebanks. `options` and
    errors are those of `hebbsim.readers.text.stream_text`. `total` is 0 if unknown.
    """

    def __init__(self, paths: Sequence[Path], *, columns: bool = False, **options: Any) -> None:
        self.files = text_files(paths, options.get("note"), options.get("field"))
        self._columns, self._options = columns, options
        known = not any(map(is_stdin, self.files)) and all(path.is_file() for path in self.files)
        self._sizes = [path.stat().st_size if known else 0 for path in self.files]
        self._at = 0
        self.total = sum(self._sizes)

    @property
    def done(self) -> int:
        """Number of bytes read."""
        now = bytes_read(self.files[self._at]) if self._at < len(self.files) else 0
        return sum(self._sizes[: self._at]) + now

    def __iter__(self) -> Iterator[Sentence]:
        for self._at, path in enumerate(self.files):  # noqa: B020
            # Only a treebank has columns to keep; stream_text reports any other format error.
            if self._columns and kind_of(path) == "conllu":
                yield from self._treebank(path)
            else:
                yield from map(Sentence, stream_text(path, lower=False, **self._options))
        self._at = len(self.files)

    def _treebank(self, path: Path) -> Iterator[Sentence]:
        file = TreebankLines(path, self._options.get("note"))
        for found in file:
            words = [line.form for line in found if line.is_word]
            if not file.misc_column:
                yield Sentence(words)
                continue
            places = [i for i, line in enumerate(file.lines) if not line.startswith("#")]
            of_words = (i for i, line in zip(places, found, strict=True) if line.is_word)
            yield Sentence(words, file.lines, tuple(of_words), file.misc_column - 1)


def batches(sentences: Iterable[Sentence], most: int | None = None) -> Iterator[list[Sentence]]:
    """Batches of sentences with about `most` words (default: `BATCH`).

    >>> [len(batch) for batch in batches([Sentence(["a", "b"])] * 5, 3)]
    [2, 2, 1]
    """
    batch: list[Sentence] = []
    n_words = 0
    for sentence in sentences:
        batch.append(sentence)
        n_words += len(sentence.words)
        if n_words >= (most or BATCH):
            yield batch
            batch, n_words = [], 0
    if batch:
        yield batch
