"""Streams the sentences of text in any format, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import regex

from hebbsim.errors import BadInputError
from hebbsim.readers.corpus_kinds import find_annotated
from hebbsim.readers.formats import Document, Note, records
from hebbsim.readers.kinds import ENDINGS, is_archive, kind_by_name, kind_of
from hebbsim.readers.lines import decoded, head, is_stdin, opened
from hebbsim.readers.treebanks import files_below, split_of
from hebbsim.readers.words import UNSPACED, is_segmented, lowered, normal, split_text

TOKENIZERS = ("plain", "spacy", "spacy:LANGUAGE")
SENTENCES = ("auto", "lines", "wrapped")

_BLOCK = 1 << 20  # bytes of a line that are read at a time
_STOP = "。".encode()
_SHORTEST = 40  # line that may continue on the next one
# Longest such line, if wide lines as well seem to be wrapped, or else.
_LONGEST = (140, 100)
_LONGEST_PARAGRAPH = 1 << 16  # characters
_OVER = regex.compile("[.!?\"'”’:)]|[\\p{STerm}׃།」』）】》]")  # ends a line that does not continue
_HEADING = re.compile(r"\s*(?:= )+.*= ?\s*")  # of WikiText
_MANY = 0.1  # share of words that are single characters, from which it is noted
_FEW = 3  # lines that are too few to decide whether a text is wrapped


def find_text(folder: Path, note: Note | None = None, field: str | None = None) -> list[Path]:
    """The files of a folder and its subfolders that can be streamed, in the order of their names.

    Of an annotated corpus only the training split is included, without its raw copy. Licences and
    similar files, archives, and tables and JSON without text are left out.

    Raises BadInputError if an annotated corpus has no training split, or all files are archives,
    or tables and JSON without text.
    """
    say = note or len
    splits = find_annotated(folder)[1].splits
    if splits:
        if "train" not in splits:
            raise BadInputError(
                f"{folder}: no train split in it, only {' and '.join(splits)}, whose words are for "
                "scoring; name a file of it to learn from that file"
            )
        if len(splits) > 1:
            left = ", ".join(name for name in splits if name != "train")
            say(f"{folder}: of this annotated corpus the words of train are read, not of {left}")
        return splits["train"]
    found: list[Path] = []
    reasons: list[BadInputError] = []
    for path in files_below(folder):
        kind = kind_by_name(path)
        if kind is not None and not path.stat().st_size:
            reasons.append(BadInputError(f"{path}: empty file; give a file with text in it"))
            continue
        try:
            if kind in ("json", "table") or (kind is None and is_archive(path)):
                next(iter(documents(path, field=field)), None)  # fails if there is no text
        except BadInputError as error:
            reasons.append(error)
            continue
        if kind is not None:
            found.append(path)
    if reasons and not found:
        raise reasons[0]
    for reason in reasons:
        say(f"left out: {reason}")
    named = {path: split_of(path) for path in found}
    held = [path.name for path, split in named.items() if split in ("dev", "test")]
    if held and "train" in named.values():
        few = ", ".join(held[:3]) + (", ..." if len(held) > 3 else "")
        say(f"{folder}: files named for dev or test are read, too ({few}); give files to choose")
    return found


def stream_text(
    paths: str | Path | Iterable[str | Path],
    *,
    tokenizer: str = "plain",
    field: str | None = None,
    sentences: str = "auto",
    lower: bool = True,
    note: Note | None = None,
) -> Iterator[list[str]]:
    """Stream the sentences of files, one after another, in bounded memory.

    For formats other than plain text see `hebbsim.readers.formats`.

    Raises BadInputError at the call if a path or option cannot be used; while iterating if a file
    is empty, damaged, not UTF-8, or does not fit its format, with file and line.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, folders, or ``-`` for standard input.
    tokenizer : {"plain", "spacy", "spacy:LANGUAGE"}
        ``spacy`` uses the rules of ``spacy.blank`` for English or another language, and needs no
        model. ``plain`` splits scripts without spaces between words (Chinese, Japanese, Thai)
        into characters. Lists of words are not tokenized.
    field : str, optional
        The field or column that holds the text; see `hebbsim.readers.formats.records`.
    sentences : {"auto", "lines", "wrapped"}
        How text is cut into sentences. ``lines``: each line is one sentence. ``wrapped``:
        lines up to an empty one are joined, then sentences are split. ``auto``: as ``wrapped``,
        but a line is joined with the next only if it seems to be wrapped.
    lower : bool
        Lower-case the words, as every learner expects.
    note : callable, optional
        Called with notes on how a file was read and what was left out.

    Yields
    ------
    list of str
        The words of one sentence.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> _ = path.write_text('{"text": "It rains. I stay."}')
    >>> list(stream_text(path))
    [['it', 'rains', '.'], ['i', 'stay', '.']]
    """
    check_tokenizer(tokenizer)
    if sentences not in SENTENCES:
        raise BadInputError(f"--sentences {sentences}: give one of {', '.join(SENTENCES)}")
    files = text_files(paths, note, field)
    nlp = None
    if tokenizer != "plain":
        nlp = blank_pipeline(tokenizer.partition(":")[2] or "en")
    return _stream(files, nlp, field, sentences, lower, note)


def check_tokenizer(tokenizer: str) -> None:
    """Raise BadInputError for an unknown tokenizer."""
    if tokenizer not in TOKENIZERS[:2] and not re.fullmatch("spacy:[a-z]{2,3}", tokenizer):
        raise BadInputError(f"unknown tokenizer '{tokenizer}'; known: {', '.join(TOKENIZERS)}")


def text_files(
    paths: str | Path | Iterable[str | Path],
    note: Note | None = None,
    field: str | None = None,
) -> list[Path]:
    """The given files, and those of the given folders; ``-`` is kept.

    Raises BadInputError if a path does not exist, or a folder has no file that can be streamed.
    """
    files: list[Path] = []
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        if path.is_dir():
            found = find_text(path, note, field)
            if not found:
                endings = ", ".join(f"*{e}" for known in ENDINGS.values() for e in known)
                raise BadInputError(f"{path}: no text in this folder ({endings})")
            files += found
        elif path.exists() or is_stdin(path):
            files.append(path)
        else:
            raise BadInputError(f"{path}: no such text file or folder")
    if not files:
        raise BadInputError("no text file given")
    return files


def documents(
    path: Path, *, field: str | None = None, sentences: str = "auto", note: Note | None = None
) -> Iterator[Document]:
    """Paragraphs or lists of words from one file of any format."""
    kind = kind_of(path)
    if kind == "text":
        return stream_paragraphs(path, sentences, note)
    return _of_records(records(path, kind, field=field, note=note), sentences)


def _of_records(found: Iterable[Document], sentences: str) -> Iterator[Document]:
    """Texts cut into paragraphs by the rules of plain text, but a few lines are as they are."""
    for document in found:
        if isinstance(document, list) or "\n" not in document:
            yield document
        else:
            lines = [line.strip() for line in document.split("\n")]
            longest = _longest_wrapped(lines, few=0)[0] if sentences == "auto" else 0
            yield from _paragraphs(lines, sentences, longest)


def glance(
    paths: str | Path | Iterable[str | Path], *, most: int = 2000, **options: Any
) -> tuple[list[list[str]], list[str]]:
    """The first `most` sentences of every file, and notes on how they were read.

    Options and errors are those of `stream_text`.
    """
    notes: dict[str, None] = {}
    found: list[list[str]] = []
    for file in text_files(paths, notes.setdefault, options.get("field")):
        found += islice(stream_text(file, note=notes.setdefault, **options), most)
    return found, list(notes)


def _stream(
    files: Sequence[Path],
    nlp: Any,
    field: str | None,
    sentences: str,
    lower: bool,
    note: Note | None,
) -> Iterator[list[str]]:
    for path in files:
        n_words = n_single = 0
        noted = nlp is not None or note is None
        for document in documents(path, field=field, sentences=sentences, note=note):
            if isinstance(document, list):
                words = [lowered(word) for word in document] if lower else document
                found: Iterable[list[str]] = [words]
            elif nlp is None:
                found = split_text(document, lower=lower)
                if not (noted or document.isascii()):
                    single = len(UNSPACED.findall(document))
                    n_single += single if single and not is_segmented(document) else 0
            else:
                found = (
                    [lowered(t.text) if lower else t.text for t in sentence if not t.is_space]
                    for sentence in nlp(normal(document)).sents
                )
            if sentences == "lines":
                found = [[word for part in found for word in part]]
            for sentence in found:
                if sentence:
                    n_words += len(sentence)
                    yield sentence
            if not noted and n_words > 1000:
                noted = _note_single(path, n_single / n_words, note)
        if not n_words:
            raise BadInputError(f"{path}: no text in it; give a file with text")
        if not noted:
            _note_single(path, n_single / n_words, note)


def _note_single(path: Path, share: float, note: Note | None) -> bool:
    """Note that many words are single characters, if so; whether it was noted."""
    if note is None or share < _MANY:
        return False
    note(
        f"{path}: its script does not part words by blanks, so every character counts as a word; "
        "--tokenizer spacy:zh (or ja, th) cuts words where spaCy has what it needs for the language"
    )
    return True


def stream_paragraphs(
    path: Path, sentences: str = "auto", note: Note | None = None
) -> Iterator[str]:
    """Paragraphs of one file: wrapped lines are joined, WikiText headings left out."""
    longest = _wrapped_at(path, note) if sentences == "auto" else 0
    return _paragraphs(_text_lines(path), sentences, longest)


def _paragraphs(lines: Iterable[str], sentences: str, longest: int) -> Iterator[str]:
    """Paragraphs of stripped lines, of which unfinished ones go on if not too long."""
    waiting = ""
    for line in lines:
        if not line or _HEADING.fullmatch(line):
            text, continues = waiting, False
        else:
            text = f"{waiting} {line}" if waiting else line
            continues = sentences == "wrapped" or _unfinished(line, longest)
        waiting = text if continues and len(text) < _LONGEST_PARAGRAPH else ""
        if text and not waiting:
            yield text
    if waiting:
        yield waiting


def _unfinished(line: str, longest: int) -> bool:
    """Whether a line of usual width stops in the middle of a sentence."""
    return _SHORTEST <= len(line) <= longest and not _OVER.match(line[-1])


def _wrapped_at(path: Path, note: Note | None) -> int:
    """The most characters of a line that continues on the next; 0 if lines are not wrapped.

    A wrapped line has no room for the first word of the next line, which begins in lower case
    more often than a sentence or a title does (in scripts with case).
    """
    lines = [line.strip() for line in head(path).decode("utf-8", "replace").split("\n")[:-1]]
    longest, n_unfinished = _longest_wrapped(lines)
    if note is not None and n_unfinished > 0.2 * sum(map(bool, lines)):
        what, other = ("joined", "lines") if longest else ("not joined", "wrapped")
        note(
            f"{path}: lines that stop without a full stop are {what} with the next "
            f"(--sentences {other} changes this)"
        )
    return longest


def _longest_wrapped(lines: Sequence[str], few: int = _LONGEST[-1]) -> tuple[int, int]:
    """The longest line that may continue, and the number of lines that are unfinished.

    The former is 0 if the lines are not wrapped, and `few` if they are too few to tell.
    """
    for longest in _LONGEST:
        pairs = [(a, b) for a, b in pairwise(lines) if a and b and _unfinished(a, longest)]
        pairs = [pair for pair in pairs if not _HEADING.fullmatch(pair[1])]
        if len(pairs) >= _FEW and _goes_on(lines, pairs):
            return longest, len(pairs)
    return 0 if len(pairs) >= _FEW else few, len(pairs)


def _goes_on(lines: Sequence[str], pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether unfinished lines have no room for the first word of the next, in small letters."""
    width = sorted(len(a) for a, _ in pairs)[int(0.95 * len(pairs))]
    first = [1 if UNSPACED.match(b) else 1 + len(b.split()[0]) for _, b in pairs]
    full = sum(len(a) + size > width for (a, _), size in zip(pairs, first, strict=True))
    lower = sum(b[0].islower() for _, b in pairs)
    words = " ".join(lines).split()
    cased = sum(word[0].isupper() and word[1:].islower() for word in words) > 0.02 * len(words)
    return full > 0.5 * len(pairs) and (lower > 0.25 * len(pairs) or not cased)


def _text_lines(path: Path) -> Iterator[str]:
    """Stripped lines; a line longer than a block is cut at spaces, or at full stops of Chinese."""
    number = 1
    with opened(path) as file:
        rest = b""
        while block := rest + file.readline(_BLOCK):
            cut = len(block)
            if len(block) - len(rest) == _BLOCK and not block.endswith(b"\n"):
                cut = block.rfind(b" ") + 1 or len(b"".join(block.rpartition(_STOP)[:2]))
                if not cut:
                    raise BadInputError(
                        f"{path}:{number}: a megabyte without a space; this is not plain text"
                    )
            yield decoded(path, number, block[:cut]).strip()
            number += block.endswith(b"\n")
            rest = block[cut:]


def blank_pipeline(language: str = "en") -> Any:
    """spaCy's tokenizer and rule-based sentence splitter for a language, without a model.

    Raises BadInputError if spaCy does not support the language or lacks a package for it.
    """
    import spacy

    try:
        nlp = spacy.blank(language)
    except ImportError as error:
        reason = str(error).splitlines()[0]
        raise BadInputError(f"spaCy has no tokenizer for '{language}' ({reason})") from None
    nlp.add_pipe("sentencizer")
    return nlp
