"""Documents from files, folders and streams, one at a time and always in the same order.

A source is one of:

- a file in any format that `hebbsim.readers` reads (plain text, JSON as in C4 and FineWeb, CSV,
  parquet, treebanks), compressed or not;
- a folder of such files, except those named as validation or test data;
- ``builtin``, the sentences of the built-in grammar;
- ``c4``, ``fineweb`` or ``hf:NAME[:CONFIGURATION]``, streamed through Hugging Face `datasets`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.readers.lines import decoded, is_stdin, opened

#: Number of characters after which a document is split at a line end, which bounds memory and makes
#: held-out documents similar in size.
LONGEST = 20_000
#: Data set, configuration and split of the two public corpora on Hugging Face.
STREAMS = {
    "c4": ("allenai/c4", "en", "train"),
    "fineweb": ("HuggingFaceFW/fineweb", "sample-10BT", "train"),
}
# A heading that begins an article in WikiText.
_ARTICLE = re.compile(r" ?= [^=].* = *")


class Source:
    """Documents of files, split after `longest` characters, or of a stream; `field` holds text."""

    def __init__(
        self,
        name: str,
        files: Iterable[Path] = (),
        stream: Any = None,
        longest: int = LONGEST,
        field: str | None = None,
    ) -> None:
        self.name = name
        self.files = tuple(files)
        self.longest, self.field = longest, field
        self._stream = stream

    def documents(self, skip: int = 0) -> Iterator[str]:
        """All documents after the first `skip`; raises BadInputError at a damaged place."""
        if self._stream is not None:
            return self._stream(skip)
        texts = (text for path in self.files for text in _read(path, self.field))
        return islice((piece for text in texts for piece in cut(text, self.longest)), skip, None)

    def digest(self) -> str:
        """SHA-256 of the names and contents of the files; for a stream, its name."""
        if self._stream is not None:
            return self.name
        total = hashlib.sha256((self.field or "").encode())
        for path in self.files:
            total.update(path.name.encode() + b"\0")
            with path.open("rb") as file:
                for block in iter(lambda: file.read(1 << 20), b""):
                    total.update(block)
        return total.hexdigest()


def open_source(name: str | Path, field: str | None = None) -> Source:
    """Open a source by its name or path.

    Raises BadInputError if there is no such file or folder, or the folder has no file in a known
    format.

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
    from hebbsim.readers.kinds import kind_of
    from hebbsim.readers.text import text_files
    from hebbsim.readers.treebanks import split_of

    path = Path(name)
    if path.is_dir():
        files = text_files(path, field=field)
        found = [f for f in files if split_of(f.relative_to(path)) not in ("dev", "test")]
        if not found:
            raise BadInputError(f"{path}: no text for training in this folder")
    elif is_stdin(path):
        raise BadInputError(
            f"{path}: a language model reads its text more than once; write it to a file, and give "
            "that"
        )
    elif not path.exists():
        raise BadInputError(
            f"{path}: no such file or folder; give one, or builtin, c4, fineweb, hf:NAME"
        )
    else:
        kind_of(path)
        found = [path]
    return Source(path.name, found, field=field)


def stream_hugging_face(
    place: str,
    configuration: str | None = None,
    split: str = "train",
    *,
    data_files: Any = None,
    name: str | None = None,
) -> Source:
    """Stream the documents of a Hugging Face data set; errors come with the first document.

    `place` is a name such as ``allenai/c4``, or ``json`` or ``parquet`` with local `data_files`;
    `name` is that of the source (default: ``hf:`` and `place`).
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
                # Each row is one document, so skipped documents are skipped rows.
                yield text
        except HebbsimError:
            raise
        except Exception as error:  # of the network, the hub, or a damaged shard
            raise BadInputError(
                f"{place}: cannot be streamed ({type(error).__name__}: {reason(error)}); check the "
                "name and the connection, run again to go on"
            ) from None

    return Source(name or f"hf:{place}", stream=documents)


def cut(document: str, longest: int = LONGEST) -> list[str]:
    """Split a document between lines, into pieces of about `longest` characters at most.

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


def _read(path: Path, field: str | None) -> Iterator[str]:
    from hebbsim.readers.formats import records
    from hebbsim.readers.kinds import kind_of

    kind = kind_of(path)
    if kind == "text":
        texts = _read_text(path)
    else:
        documents = records(path, kind, field=field)
        texts = (text if isinstance(text, str) else " ".join(text) for text in documents)
    empty = True
    for text in filter(None, texts):
        empty = False
        yield text
    if empty:
        raise BadInputError(f"{path}: no text in it; give a file with text")


def _read_text(path: Path) -> Iterator[str]:
    """Documents separated by blank lines or article headings; without blank lines, all lines."""
    parted = any(not line.strip() for line in _lines(path))
    lines: list[str] = []
    for line in _lines(path):
        article = _ARTICLE.fullmatch(line) is not None
        if lines and (not parted or article or not line.strip()):
            yield "\n".join(lines)
            lines = []
        if line.strip():
            lines.append(line)
    if lines:
        yield "\n".join(lines)


def _lines(path: Path) -> Iterator[str]:
    """Lines of any length, without their line ends."""
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            text = decoded(path, number, line, first=number == 1)
            yield text.removesuffix("\n").removesuffix("\r")
