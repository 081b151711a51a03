"""`load_corpus`, which reads a Corpus from a name or a path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from hebbsim.errors import BadInputError
from hebbsim.readers import registry
from hebbsim.readers.annotation import parts_of_speech
from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.cogs import read_cogs
from hebbsim.readers.corpus_kinds import BUILTIN, find_annotated, format_of
from hebbsim.readers.grammar import make_builtin
from hebbsim.readers.kinds import kind_of
from hebbsim.readers.lines import is_stdin, without_packing
from hebbsim.readers.silver import find_pipeline, read_text
from hebbsim.readers.tables import read_tables
from hebbsim.readers.text import find_text
from hebbsim.readers.ud import read_ud

_File = TypeVar("_File")
#: Layers by the name of their CoNLL-U column.
_COLUMNS = {"UPOS": "pos", "XPOS": "xpos", "DEPREL": "deprel"}


def known_names() -> list[str]:
    """Names that `load_corpus` accepts besides paths."""
    return [BUILTIN, *registry.entries()]


def load_corpus(
    name_or_path: str | Path = BUILTIN,
    *,
    layer: str | None = None,
    scheme: str | Path | None = None,
    seed: int = 0,
    offline: bool = False,
    tokenizer: str = "plain",
    field: str | None = None,
    sentences: str = "auto",
    parser: str | None = None,
    progress: registry.Progress | None = None,
    processes: int = 1,
    splits: Collection[str] | None = None,
) -> Corpus:
    """Load a corpus of any format as splits of annotated sentences.

    Parameters
    ----------
    name_or_path : str or Path
        ``builtin``; a registered name (``cogs``, ``ud-english-ewt``, ...); a treebank or COGS
        file; a folder with a treebank, the original COGS files, tables of ``hebbsim corpus
        make``, or text; a text file in any format of `hebbsim.readers.formats`; ``-`` for
        standard input. The format is detected from the content of a file, and from its name
        only if the content is ambiguous. Names take precedence over paths: write ``./cogs``
        for a folder.
    layer : str, optional
        Annotation layer to score (default: the main layer of the corpus). Treebank columns may
        be given by their CoNLL-U name (``UPOS``). In the built-in corpus and COGS, ``pos`` is
        derived from words and roles.
    scheme : str or Path, optional
        Map from dependency relations to roles; see `hebbsim.readers.ud.RoleScheme`.
    seed : int
        Random seed of the built-in corpus.
    offline : bool
        Never download anything.
    tokenizer, field, sentences
        How text is read; see `hebbsim.readers.text.stream_text`.
    parser : str, optional
        spaCy pipeline that gives text automatic (silver) roles.
    progress : callable, optional
        While downloading, called with the file name, the bytes so far and the total; while
        parsing, with the file name, the number of sentences and 0.
    processes : int
        Number of processes that parse in parallel.
    splits : collection of str, optional
        Splits to load, such as ``train`` and ``dev`` (default: all). Files of other splits are
        not opened; if one file holds all splits, the others are dropped after reading.

    Returns
    -------
    Corpus
        If no file name of an annotated corpus indicates a split, the first 80 % of all sentences
        become ``train``, the next 10 % ``dev`` and the last 10 % ``test``; `notes` says so.

    Raises
    ------
    BadInputError
        The corpus does not exist, or it is damaged.

    Examples
    --------
    >>> corpus = load_corpus("builtin")
    >>> corpus.layer
    'grammatical'
    """
    name = str(name_or_path)
    path = Path(name_or_path)
    if parser is not None:
        check_parser(name, parser)
    as_text = partial(
        read_text,
        tokenizer=tokenizer,
        field=field,
        sentences=sentences,
        parser=parser,
        scheme=scheme,
        processes=processes,
        progress=progress,
    )
    if name == BUILTIN:
        corpus = make_builtin(seed)
    elif name in registry.entries():
        corpus = _load_registered(registry.entries()[name], scheme, offline, progress, splits)
    elif path.is_dir():
        corpus = _load_folder(path, scheme, as_text, field, splits)
    elif path.exists() or is_stdin(path):
        corpus = _load_file(path, scheme, as_text)
    else:
        raise _unknown(name)
    if splits is not None:
        corpus = corpus.only(splits)
    return corpus if layer is None else _with_layer(corpus, layer)


def _read(
    files: Mapping[str, _File],
    splits: Collection[str] | None,
    reader: Callable[[dict[str, _File]], Corpus],
) -> Corpus:
    """Read the files of the requested splits; the others are not opened."""
    wanted = {name: file for name, file in files.items() if splits is None or name in splits}
    return replace(reader(wanted), unread=tuple(name for name in files if name not in wanted))


def _unknown(name: str) -> BadInputError:
    return BadInputError(f"no corpus or file '{name}'; known corpora: {', '.join(known_names())}")


def is_text(name_or_path: str | Path) -> bool:
    """Whether a corpus is text without annotation, judged by the first bytes of its files.

    Raises BadInputError if the corpus does not exist.
    """
    name, path = str(name_or_path), Path(name_or_path)
    if name in known_names():
        return False
    if not (path.exists() or is_stdin(path)):
        raise _unknown(name)
    return format_of(path) not in (*READERS, "tables")


def check_parser(name_or_path: str | Path, parser: str) -> None:
    """Raise BadInputError if a parser is not installed, or the corpus is not text."""
    if not is_text(name_or_path):
        raise BadInputError(
            f"--parser {parser}: corpus {name_or_path} is not text, and only text gets its "
            "roles from a parser; leave --parser out"
        )
    find_pipeline(parser)


def check_roles(name_or_path: str | Path, parser: str | None = None) -> None:
    """Raise BadInputError if a corpus does not exist, or will have no roles; it is not read."""
    if parser is not None:
        check_parser(name_or_path, parser)
    elif is_text(name_or_path):
        raise BadInputError(
            f"--corpus {name_or_path}: text without roles, so there is nothing to score; give an "
            "annotated corpus, or --parser for silver roles"
        )


def _load_registered(
    entry: registry.Entry,
    scheme: str | Path | None,
    offline: bool,
    progress: registry.Progress | None,
    splits: Collection[str] | None,
) -> Corpus:
    origin = {"source": entry.source, "licence": entry.licence}

    def read(files: dict[str, registry.RemoteFile]) -> Corpus:
        paths = registry.fetch(replace(entry, files=files), offline=offline, progress=progress)
        if entry.format == "cogs":
            return read_cogs(paths, **origin)
        return read_ud(paths, name=entry.name, scheme=scheme, **origin)

    return _read(entry.files, splits, read)


def _load_folder(
    path: Path,
    scheme: str | Path | None,
    as_text: Callable[[Path], Corpus],
    field: str | None,
    splits: Collection[str] | None,
) -> Corpus:
    name = path.resolve().name
    kind, found = find_annotated(path)

    def read(files: dict[str, list[Path]]) -> Corpus:
        if kind == "conllu":
            return read_ud(files, name=name, scheme=scheme, source=name)
        single = {split: paths[0] for split, paths in files.items()}
        return read_cogs(single, source=name) if kind == "cogs" else read_tables(path, single)

    if found.splits:
        _need_train(path, found.splits)
        corpus = _read(found.splits, splits, read)
        corpus = replace(corpus, notes=(*found.notes, *corpus.notes))
        return _cut_up(corpus) if found.whole else corpus
    if find_text(path, field=field):
        return _cut_up(as_text(path))
    raise BadInputError(
        f"{path}: no usable file in this folder; it needs *-train.conllu[.gz], the COGS files, "
        "tables of 'hebbsim corpus make', or text (*.txt, *.jsonl, *.parquet)"
    )


def _need_train(path: Path, files: Mapping[str, object]) -> None:
    if "train" not in files:
        near = sorted(file.name for file in path.glob("*train*"))
        found = f" ({', '.join(near[:4])} is not it)" if near else ""
        raise BadInputError(
            f"{path}: no train split, only {', '.join(files)}{found}; add its file, or give one "
            "file by itself, which is cut into train, dev and test"
        )


def _load_file(path: Path, scheme: str | Path | None, as_text: Callable[[Path], Corpus]) -> Corpus:
    read = READERS.get(kind_of(path))
    name = "stdin" if is_stdin(path) else Path(without_packing(path.name)).stem
    return _cut_up(read(path, name, scheme) if read else as_text(path))


#: Readers of one annotated file, by its kind: file, name of the corpus, role scheme.
READERS: dict[str, Callable[[Path, str, str | Path | None], Corpus]] = {
    "conllu": lambda path, name, scheme: read_ud(
        {"train": path}, name=name, scheme=scheme, source=path.name
    ),
    "cogs": lambda path, name, scheme: read_cogs({"train": path}, source=path.name),
}


def _cut_up(corpus: Corpus) -> Corpus:
    """An annotated corpus with its one split cut into three, and a note that says so."""
    splits = cut(corpus.splits["train"])
    if corpus.layer is None or len(splits) == 1:
        return corpus
    sizes = ", ".join(f"{split.n_sentences:,} for {name}" for name, split in splits.items())
    note = (
        f"corpus {corpus.name} has no splits of its own: its sentences are cut in their order "
        f"into 80, 10 and 10 % ({sizes})"
    )
    return replace(corpus, splits=splits, notes=(*corpus.notes, note))


def cut(split: Split) -> dict[str, Split]:
    """Divide a split, in order, into ``train`` (80 % of the sentences), ``dev`` and ``test``.

    Neighbouring sentences stay together, because they share their topic. Fewer than ten
    sentences all become ``train``.
    """
    n = split.n_sentences
    if n < 10:
        return {"train": split}
    dev, test = n - 2 * (n // 10), n - n // 10
    bounds = {"train": range(dev), "dev": range(dev, test), "test": range(test, n)}
    return {name: split.subset(chosen, name) for name, chosen in bounds.items()}


def _with_layer(corpus: Corpus, layer: str) -> Corpus:
    if not any(layer in split.layers for split in corpus.splits.values()):
        layer = _COLUMNS.get(layer.upper(), layer)
    if layer == "pos":
        corpus = replace(corpus, splits={n: _with_pos(corpus, s) for n, s in corpus.splits.items()})
    for split in corpus.splits.values():
        if layer not in split.layers:
            layers = ", ".join(split.layers) or "none"
            raise BadInputError(
                f"corpus '{corpus.name}' has no layer '{layer}' in split '{split.name}'; "
                f"its layers: {layers}"
            )
    return replace(corpus, layer=layer)


def _with_pos(corpus: Corpus, split: Split) -> Split:
    pos = parts_of_speech(corpus, split)
    return split if pos is None else replace(split, layers={**split.layers, "pos": pos})
