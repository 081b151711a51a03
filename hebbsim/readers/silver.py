"""Text as a Corpus; spaCy for its tokenizer and, where a pipeline parses, silver roles."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, make_split, read_bytes
from hebbsim.readers.text import stream_paragraphs, stream_text, text_files
from hebbsim.readers.ud import RoleScheme

# Labels that ClearNLP has and Universal Dependencies has not.
_CLEARNLP_ONLY = frozenset({"dobj", "pobj", "nsubjpass", "prep"})
_NOMINAL = frozenset({"NOUN", "PROPN", "PRON", "NUM"})


def blank_pipeline(language: str = "en") -> Any:
    """spaCy's tokenizer and rule-based sentence ends for a language; no model is needed.

    Raises
    ------
    BadInputError
        If spaCy does not know the language or misses a package for it.
    """
    import spacy

    try:
        nlp = spacy.blank(language)
    except ImportError as error:
        reason = str(error).splitlines()[0]
        raise BadInputError(f"spaCy has no tokenizer for '{language}' ({reason})") from None
    nlp.add_pipe("sentencizer")
    return nlp


def load_parser(name: str) -> Any:
    """A spaCy pipeline by package name or folder.

    Raises
    ------
    BadInputError
        If it is not installed, naming the command that installs it.
    """
    import spacy

    try:
        return spacy.load(name)
    except OSError:
        raise BadInputError(
            f"spaCy pipeline '{name}' is not installed; run: python -m spacy download {name}"
        ) from None


def read_text(
    path: Path,
    *,
    tokenizer: str = "plain",
    parser: str | None = None,
    scheme: str | Path | None = None,
) -> Corpus:
    """A text file or folder as a corpus.

    Parameters
    ----------
    path : Path
    tokenizer : {"plain", "spacy"}
        Without a parser; see `hebbsim.readers.text.stream_text`.
    parser : str, optional
        spaCy pipeline. Its dependency labels become the layer ``grammatical``: silver,
        as good as the parser is.
    scheme : str or Path, optional
        Role scheme for the parser's labels; default ``clearnlp-roles`` or
        ``ud-roles``, whichever its labels belong to.

    Returns
    -------
    Corpus
        With one split ``train``, and no layer where there is no parser.

    Raises
    ------
    BadInputError
    """
    files = text_files(path)
    layers = None
    if parser is None:
        sentences = list(stream_text(files, tokenizer=tokenizer))
    else:
        sentences, roles = _parse(files, parser, scheme)
        layers = {"grammatical": roles}
    name = path.resolve().name.removesuffix(".gz").removesuffix(".txt")
    return Corpus(
        name,
        {"train": make_split("train", sentences, layers)},
        "grammatical" if layers else None,
        source=path.name,
        sha256={file.name: hashlib.sha256(read_bytes(file)).hexdigest() for file in files},
    )


def _parse(
    files: list[Path], parser: str, scheme: str | Path | None
) -> tuple[list[list[str]], list[str]]:
    nlp = load_parser(parser)
    chosen: RoleScheme | None = RoleScheme.load(scheme) if scheme else None
    sentences: list[list[str]] = []
    roles: list[str] = []
    for file in files:
        for doc in nlp.pipe(stream_paragraphs(file)):
            if len(doc) and not doc.has_annotation("DEP"):
                raise BadInputError(
                    f"spaCy pipeline '{parser}' does not parse dependencies; take one that does, "
                    "for example: python -m spacy download en_core_web_sm"
                )
            if chosen is None:
                chosen = RoleScheme.load(_scheme_of(nlp, doc))
            for sentence in doc.sents:
                words = [token for token in sentence if not token.is_space]
                if words:
                    sentences.append([token.lower_ for token in words])
                    roles += _sentence_roles(words, chosen)
    return sentences, roles


def _scheme_of(nlp: Any, doc: Any) -> str:
    labels = {token.dep_ for token in doc}
    if nlp.has_pipe("parser"):
        labels.update(getattr(nlp.get_pipe("parser"), "labels", ()))
    return "clearnlp-roles" if labels & _CLEARNLP_ONLY else "ud-roles"


def _sentence_roles(words: list[Any], scheme: RoleScheme) -> list[str]:
    place = {token.i: position for position, token in enumerate(words, 1)}
    heads = [0 if token.head.i == token.i else place.get(token.head.i, 0) for token in words]
    return scheme.assign(heads, [_relation(token) for token in words])


def _relation(token: Any) -> str:
    """The label as a scheme lists it: lower-case, and ClearNLP's object of a preposition
    that modifies a noun told from that of one that modifies a verb."""
    label = token.dep_.lower()
    if label == "pobj" and token.head.head.pos_ in _NOMINAL:
        return "pobj:nmod"
    return label
