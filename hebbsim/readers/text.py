"""Raw text: sentences streamed from files in bounded memory.

Words are cut the way Universal Dependencies treebanks of English are (clitics and
hyphens apart, straight quotes), so that text and treebank share their word types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.readers.formats import ENDINGS, Document, format_of, records
from hebbsim.readers.lines import decoded, is_stdin, opened

TOKENIZERS = ("plain", "spacy")

_BLOCK = 1 << 20  # bytes of one line that are held at a time
_WRAPPED = range(40, 101)  # characters of a line that the next one may continue
_LONGEST_PARAGRAPH = 1 << 16  # characters

_UNIFY = str.maketrans(
    {"‘": "'", "’": "'", "‛": "'", "`": "'", "„": "“", "«": "“", "»": "”", "—": " -- ",
     "–": "-", "…": "...", "\u00ad": None, "\u200b": None, "\ufeff": None}
)  # fmt: skip
_CLITIC = r"(?:[sSdDmM]|[rR][eE]|[vV][eE]|[lL][lL])\b"
_TITLES = (
    "Mr Mrs Ms Messrs Dr Prof St Ste Rev Hon Sen Rep Gov Gen Col Maj Capt Cmdr Lt Sgt Pres Mt Ft "
    "Vol Fig Nos Op mr mrs ms dr prof st vs cf approx"
)
_ABBREVIATIONS = (
    "Jr Sr Inc Corp Co Ltd Bros etc ca Ave Blvd Rd Dept Univ Jan Feb Mar Apr Aug Sept Sep Oct "
    "Nov Dec Mon Tue Tues Wed Thu Thur Thurs Fri jr sr inc"
)
_TOKEN = re.compile(
    r"(?:https?://|www\.)[^\s<>\"]*[\w/]|[\w.+-]+@\w[\w-]*(?:\.\w+)+"  # addresses
    r"|<unk>|<<|>>|[:;=]-?[()DP](?!\w)"
    rf"|[nN]'[tT]\b|'{_CLITIC}|'(?:em|tis|twas|til|cause)\b"
    r"|(?:[A-Za-z]\.){2,}|[A-HJ-Z]\.(?=\s+\S)"  # U.S., e.g., initials
    rf"|(?:{'|'.join(f'{_TITLES} {_ABBREVIATIONS}'.split())})\.(?=\W)"
    r"|[nN]o\.(?=\s*\d)"
    r"|\d[\d.,]*(?=(?:[kKmM]|[aApP][mM])\b)|\d\w*(?:[.,:/]\d\w*)*"
    r"|(?:[gG]on|[wW]an)(?=na\b)|[gG]ot(?=ta\b)|[cC]an(?=not\b)"
    r"|(?:e|E|[nN]on|[cC]o|[pP]re|[pP]ost|[rR]e|[sS]emi|[mM]ulti|[mM]id|[eE]x|[aA]nti)-[A-Za-z]+"
    rf"|[^\W_]+(?:'(?!{_CLITIC}|[tT]\b)\w+)*"
    r"|\.+|-+|[!?]+|\*+|=+|_+|\S"
)
_HEADING = re.compile(r"\s*(?:= )+.*= ?\s*")
_NO_END = frozenset(f"{word}." for word in _TITLES.split())
_CLOSERS = frozenset(")]}”")
_STRAIGHT = frozenset("\"'")
# Words that begin a sentence far more often than a name.
_STARTERS = frozenset(
    "The A An This That These Those He She It They We You There Here In On At By For From With As "
    "After Before When While Where If But And So Or Yet However His Her Its Their Our My What Why "
    "How Who Not No All Some Many Most One Then Now Although Though Since Because".split()
)


def split_text(text: str) -> list[list[str]]:
    """Sentences of one paragraph as lists of lower-cased words.

    Already tokenised text stays as it is, but for the marks of WikiText
    (``@-@``, ``@,@``) and quotes, which become plain.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of list of str

    Examples
    --------
    >>> split_text("Mr. Hill can’t come. “Why?” she asked.")
    [['mr.', 'hill', 'ca', "n't", 'come', '.'], ['"', 'why', '?', '"', 'she', 'asked', '.']]
    """
    if not text.isascii():
        text = text.translate(_UNIFY)
    if "@" in text:
        text = text.replace(" @-@ ", " - ").replace(" @,@ ", ",").replace(" @.@ ", ".")
    if "''" in text or "``" in text:
        text = text.replace("''", '"').replace("``", '"')
    if " . ." in text:
        text = re.sub(r"(?: \.){2,}", " ...", text)
    if "n't" in text or "N'T" in text:
        text = text.replace("n't", " n't").replace("N'T", " N'T")
    tokens = _TOKEN.findall(text)
    words = [token.lower() for token in tokens]
    if "“" in text or "”" in text:
        words = ['"' if word in "“”" else word for word in words]
    ends = _sentence_ends(tokens, cased=not text.islower())
    return [words[a:b] for a, b in pairwise([0, *ends])]


def _sentence_ends(tokens: Sequence[str], *, cased: bool) -> list[int]:
    """Position after the last word of every sentence."""
    ends: list[int] = []
    start, n = 0, len(tokens)
    for at in [i for i, token in enumerate(tokens) if token[-1] in ".!?"]:
        if at < start:
            continue
        token, end = tokens[at], at + 1
        while (
            end < n
            and (
                tokens[end] in _CLOSERS
                # A straight quote closes if it is the second of its pair.
                or (tokens[end] in _STRAIGHT and tokens[start:end].count(tokens[end]) % 2)
            )
        ):
            end += 1
        following = tokens[end] if end < n else ""
        if token[0].isalpha():  # an abbreviation
            over = token not in _NO_END and following in _STARTERS and len(token) > 2
        elif token == ".":
            over = True
        else:  # a dot, an exclamation or a question may stand inside a sentence
            over = not (cased and following[:1].islower()) and following not in (",", "--")
        if over:
            ends.append(end)
            start = end
    if start < n:
        ends.append(n)
    return ends


def find_text(folder: Path) -> list[Path]:
    """The files of a folder that can be streamed, in the order of their names."""
    return sorted(path for path in folder.iterdir() if format_of(path) and path.is_file())


def stream_text(
    paths: str | Path | Iterable[str | Path],
    *,
    tokenizer: str = "plain",
    language: str = "en",
) -> Iterator[list[str]]:
    """Sentences of files one after another, in bounded memory. Words are lower-cased.

    In plain text a line is a paragraph, a sentence or, where a line of usual width stops in
    the middle of a sentence, goes on in the next. Other formats:
    `hebbsim.readers.formats`; all but parquet may be compressed.

    Parameters
    ----------
    paths : path or iterable of paths
        Files, folders of them, or ``-`` for standard input.
    tokenizer : {"plain", "spacy"}
        ``spacy`` uses the rules of ``spacy.blank(language)``; no model is needed. Lists of
        words stay as they are.
    language : str
        Language code for spaCy.

    Yields
    ------
    list of str
        The words of one sentence.

    Raises
    ------
    BadInputError
        At the call if a path or option is no good; on the way if a file is empty or damaged,
        not UTF-8, or not of its format, naming file and line.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.jsonl"
    >>> _ = path.write_text('{"text": "It rains. I stay."}')
    >>> list(stream_text(path))
    [['it', 'rains', '.'], ['i', 'stay', '.']]
    """
    files = text_files(paths)
    if tokenizer not in TOKENIZERS:
        raise BadInputError(f"unknown tokenizer '{tokenizer}'; known: {', '.join(TOKENIZERS)}")
    nlp = None
    if tokenizer == "spacy":
        from hebbsim.readers.silver import blank_pipeline

        nlp = blank_pipeline(language)
    return _stream(files, nlp)


def text_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files behind paths of files and folders; ``-`` stays.

    Raises
    ------
    BadInputError
        If a path does not exist, or a folder has no file that can be streamed.
    """
    files: list[Path] = []
    for path in map(Path, [paths] if isinstance(paths, (str, Path)) else paths):
        if path.is_dir():
            found = find_text(path)
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


def documents(path: Path) -> Iterator[Document]:
    """Pieces of text, or lists of words, of one file of any format."""
    kind = format_of(path) or "text"
    return stream_paragraphs(path) if kind == "text" else records(path, kind)


def _stream(files: Sequence[Path], nlp: Any) -> Iterator[list[str]]:
    for path in files:
        empty = True
        for document in documents(path):
            if isinstance(document, list):
                sentences: Iterable[list[str]] = [[word.lower() for word in document]]
            elif nlp is None:
                sentences = split_text(document)
            else:
                sentences = (
                    [token.lower_ for token in sentence if not token.is_space]
                    for sentence in nlp(document).sents
                )
            for sentence in sentences:
                if sentence:
                    empty = False
                    yield sentence
        if empty:
            raise BadInputError(f"{path}: no text in it; give a file with text")


def stream_paragraphs(path: Path) -> Iterator[str]:
    """Paragraphs of one file, wrapped lines joined, WikiText headings left out."""
    waiting = ""
    for line in _text_lines(path):
        if not line or _HEADING.fullmatch(line):
            if waiting:
                yield waiting
            waiting = ""
            continue
        text = f"{waiting} {line}" if waiting else line
        unfinished = len(line) in _WRAPPED and line[-1] not in ".!?\"'”’:)"
        if unfinished and len(text) < _LONGEST_PARAGRAPH:
            waiting = text
        else:
            waiting = ""
            yield text
    if waiting:
        yield waiting


def _text_lines(path: Path) -> Iterator[str]:
    number = 1
    with opened(path) as file:
        rest = b""  # of a line longer than a block, which goes in pieces
        while block := rest + file.readline(_BLOCK):
            cut = len(block)
            if len(block) - len(rest) == _BLOCK and not block.endswith(b"\n"):
                cut = block.rfind(b" ") + 1
                if not cut:
                    raise BadInputError(
                        f"{path}:{number}: a megabyte without a space; this is not plain text"
                    )
            yield decoded(path, number, block[:cut]).strip()
            number += block.endswith(b"\n")
            rest = block[cut:]
