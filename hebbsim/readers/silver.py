"""Reads text as a Corpus, with silver roles if a spaCy parser is given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hebbsim.errors import BadInputError, HebbsimError, reason
from hebbsim.readers.base import Corpus, make_split
from hebbsim.readers.kinds import ENDINGS, NAMES, kind_of
from hebbsim.readers.lines import digest, is_stdin, on_disk, without_packing
from hebbsim.readers.text import documents, stream_text, text_files
from hebbsim.readers.ud import SCHEME_INPUT, RoleScheme, relation_notes, unknown_relations
from hebbsim.readers.words import lowered, normal

# Dependency labels of ClearNLP that Universal Dependencies lacks.
_CLEARNLP_ONLY = frozenset({"dobj", "pobj", "nsubjpass", "prep"})
_NOMINAL = frozenset({"NOUN", "PROPN", "PRON", "NUM"})
#: Number of sentences between two progress reports.
REPORT = 1000
#: Maximum characters of a text for the pipeline, and texts per batch.
_PIECE, _BATCH = 100_000, 64
#: Bytes of text below which starting further processes takes longer than it saves.
_WORTH_PROCESSES = 1 << 20

Report = Callable[[str, int, int], None]


def find_pipeline(name: str) -> None:
    """Raise BadInputError if a spaCy pipeline is not installed."""
    import spacy

    if spacy.util.is_package(name) or Path(name).exists():
        return
    installed = ", ".join(sorted(spacy.util.get_installed_models())) or "none"
    raise BadInputError(
        f"--parser {name}: no such spaCy pipeline is installed (installed: {installed}); check the "
        f"name, or run: python -m spacy download {name}"
    )


def load_parser(name: str) -> Any:
    """Load a spaCy pipeline by package name or folder; BadInputError if that fails."""
    import spacy

    find_pipeline(name)
    try:
        return spacy.load(name)
    except Exception as error:  # a pipeline may raise anything
        raise BadInputError(
            f"--parser {name}: spaCy {spacy.__version__} cannot load it "
            f"({type(error).__name__}: {reason(error)}){_made_for(name)}"
        ) from error


def _made_for(name: str) -> str:
    """A hint if a pipeline was made for another version of spaCy; "" otherwise."""
    import spacy

    try:
        folder = Path(name) if Path(name).is_dir() else spacy.util.get_package_path(name)
        wanted = str(spacy.util.load_meta(folder / "meta.json").get("spacy_version", ""))
        fits = spacy.util.is_compatible_version(spacy.__version__, wanted)
    except Exception:  # a missing hint must not hide the error
        return ""
    if fits is not False:
        return ""
    return f"; it was made for spaCy {wanted}: get the one for yours by python -m spacy download"


def read_text(
    path: Path,
    *,
    tokenizer: str = "plain",
    field: str | None = None,
    sentences: str = "auto",
    parser: str | None = None,
    scheme: str | Path | None = None,
    processes: int = 1,
    progress: Report | None = None,
) -> Corpus:
    """Read a text file or folder, in any format that can be streamed, as a corpus.

    It has one split, ``train``. Without a `parser`, `tokenizer` applies and there is no layer.
    `tokenizer`, `field`, `sentences` and errors are those of `hebbsim.readers.text.stream_text`.

    The dependency labels of `parser`, a spaCy pipeline, become the layer ``grammatical``, by the
    role scheme `scheme` (default: ``clearnlp-roles`` or ``ud-roles``, depending on the labels).
    Long text is parsed by `processes` in parallel. `progress` is called with the file name, the
    total number of sentences parsed, and 0.
    """
    name = without_packing("stdin" if is_stdin(path) else path.resolve().name)
    for ending in (ending for known in ENDINGS.values() for ending in known):
        name = name.removesuffix(ending)
    notes: dict[str, None] = {}
    with on_disk(path) as place:
        files = text_files(place, notes.setdefault, field)
        layers = None
        unknown: dict[str, float] = {}
        options: dict[str, Any] = dict(field=field, sentences=sentences, note=notes.setdefault)
        if parser is None:
            found = list(stream_text(files, tokenizer=tokenizer, **options))
        else:
            found, roles, used, counts = _parse(files, parser, scheme, processes, progress, options)
            layers = {"grammatical": roles}
            unknown = unknown_relations(used, counts)
            notes[
                f"the roles of corpus {name} are silver: spaCy pipeline {parser} assigned them, so "
                "scores measure agreement with that parser"
            ] = None
            notes |= dict.fromkeys(relation_notes(name, used, counts))
        kinds = sorted({NAMES[kind_of(file)] for file in files})
        names = ["stdin"] if is_stdin(path) else _short(files)
        sha256 = dict(zip(names, map(digest, files), strict=True))
        if parser is not None and scheme is not None:
            sha256[SCHEME_INPUT] = RoleScheme.load(scheme).digest()
    return Corpus(
        name,
        {"train": make_split("train", found, layers, source=path)},
        "grammatical" if layers else None,
        source=path.name,
        sha256=sha256,
        notes=tuple(
            line.replace(str(place), "stdin") if is_stdin(path) else line for line in notes
        ),
        format=", ".join(kinds),
        unknown=unknown,
    )


def _short(files: list[Path]) -> list[str]:
    """File names, or whole paths of files that share a name."""
    counts = Counter(file.name for file in files)
    return [file.name if counts[file.name] == 1 else str(file) for file in files]


def _parse(
    files: list[Path],
    parser: str,
    scheme: str | Path | None,
    processes: int,
    progress: Report | None,
    options: dict[str, Any],
) -> tuple[list[list[str]], list[str], RoleScheme, Counter[str]]:
    nlp = load_parser(parser)
    chosen: RoleScheme | None = RoleScheme.load(scheme) if scheme else None
    sentences: list[list[str]] = []
    roles: list[str] = []
    counts: Counter[str] = Counter()
    if sum(file.stat().st_size for file in files) < _WORTH_PROCESSES:
        processes = 1
    for file in files:
        texts = _for_pipeline(nlp, file, options)
        for doc in _parsed(nlp.pipe(texts, batch_size=_BATCH, n_process=processes), parser):
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
                    sentences.append([lowered(token.text) for token in words])
                    roles += _sentence_roles(words, chosen)
                    counts.update(map(_relation, words))
                    if progress is not None and len(sentences) % REPORT == 0:
                        progress(file.name, len(sentences), 0)
    if progress is not None:
        progress(files[-1].name, len(sentences), 0)
    return sentences, roles, chosen or RoleScheme.load(), counts


def _parsed(docs: Iterator[Any], parser: str) -> Iterator[Any]:
    """Parsed texts; any error of the pipeline becomes a BadInputError."""
    try:
        yield from docs
    except HebbsimError:
        raise
    except Exception as error:
        raise BadInputError(
            f"--parser {parser}: it fails on the text ({type(error).__name__}: {reason(error)})"
        ) from error


def _for_pipeline(nlp: Any, file: Path, options: dict[str, Any]) -> Iterator[Any]:
    """Input of a pipeline: pieces of text within its limit, or Docs made of given words."""
    from spacy.tokens import Doc

    for document in documents(file, **options):
        if isinstance(document, list):
            yield Doc(nlp.vocab, document)
            continue
        document = normal(document)
        while len(document) > _PIECE:
            cut = document.rfind(" ", 0, _PIECE) + 1 or _PIECE
            yield document[:cut]
            document = document[cut:]
        yield document


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
    label = token.dep_.lower()
    # ClearNLP does not distinguish prepositions that modify nouns from those that modify verbs.
    if label == "pobj" and token.head.head.pos_ in _NOMINAL:
        return "pobj:nmod"
    return label
