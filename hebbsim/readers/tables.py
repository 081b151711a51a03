"""Corpora as plain tables, with one line per token and one file per split.

The columns are ``sent_id``, ``type``, ``idx`` (from 0), ``form``, then one per gold layer:
tab-separated, one header line, no quoting.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.lines import LineStream

_SUFFIX = ".tokens.tsv"
_FIXED = ("sent_id", "type", "idx", "form")


def write_tables(corpus: Corpus, folder: Path) -> list[Path]:
    """Write a corpus atomically as ``SPLIT.tokens.tsv`` and ``corpus.json``; return the paths.

    Raises BadInputError if the folder is a file, is not empty, or cannot be written.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise BadInputError(f"{folder}: exists and is not an empty folder; name a new one")
    about = {
        "name": corpus.name,
        "layer": corpus.layer,
        "source": corpus.source,
        "licence": corpus.licence,
        "sha256": corpus.sha256,
        "splits": list(corpus.splits),
        "notes": list(corpus.notes),
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
            draft = Path(place) / "draft"
            draft.mkdir()
            text = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
            (draft / "corpus.json").write_text(text, encoding="utf-8")
            for name, split in corpus.splits.items():
                target = draft / f"{name}{_SUFFIX}"
                target.parent.mkdir(exist_ok=True)
                target.write_text(_table(split), encoding="utf-8", newline="\n")
            os.replace(draft, folder)
    except OSError as error:
        raise BadInputError(f"{folder}: cannot be written ({error.strerror})") from None
    return [folder / name for name in ("corpus.json", *(f"{s}{_SUFFIX}" for s in corpus.splits))]


def _table(split: Split) -> str:
    lines = ["\t".join((*_FIXED, *split.layers))]
    labels = iter(zip(*(layer.tolist() for layer in split.layers.values()), strict=True))
    stem = split.name.replace("/", "-")
    for i, sentence in enumerate(split.sentences()):
        kind = "_" if split.kinds is None else str(split.kinds[i])
        for idx, form in enumerate(sentence):
            fields = (f"{stem}-{i + 1:05d}", kind, str(idx), form, *next(labels, ()))
            lines.append("\t".join(fields))
    return "\n".join(lines) + "\n"


def find_tables(folder: Path) -> dict[str, Path]:
    """Tables of a folder by split name, in the order of ``corpus.json``."""
    about = folder / "corpus.json"
    if not about.is_file():
        return {}
    files = {name: folder / f"{name}{_SUFFIX}" for name in _about(about)["splits"]}
    for path in files.values():
        if not path.is_file():
            raise BadInputError(f"{path}: missing, though {about} lists it")
    return files


def origin_of_tables(folder: Path) -> tuple[str, list[str]]:
    """Name and input files of the corpus from which tables were written."""
    about = _about(folder / "corpus.json")
    files = about.get("sha256")
    return about["name"], list(files) if isinstance(files, dict) else []


def read_tables(folder: Path, files: Mapping[str, Path] | None = None) -> Corpus:
    """Read a corpus that `write_tables` wrote, or only the given `files` of `find_tables`.

    Raises BadInputError if a table is damaged, naming file and line.
    """
    about = _about(folder / "corpus.json")
    splits = {}
    digests = {}
    for name, path in (find_tables(folder) if files is None else files).items():
        splits[name], digests[f"{name}{_SUFFIX}"] = _read_table(path, name)
    return Corpus(
        about["name"],
        splits,
        about.get("layer"),
        about.get("source", ""),
        about.get("licence", ""),
        digests,
        tuple(map(str, about.get("notes", ()))),
        "tables of hebbsim corpus make",
    )


def _about(path: Path) -> dict:
    try:
        about = json.loads("\n".join(LineStream(path)))
    except json.JSONDecodeError as error:
        raise BadInputError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    except (RecursionError, ValueError):
        raise BadInputError(f"{path}: JSON that cannot be read (nesting, or a number)") from None
    good = isinstance(about, dict) and isinstance(about.get("name"), str)
    names = about.get("splits") if good else None
    if not isinstance(names, list) or not all(_is_split_name(name) for name in names):
        raise BadInputError(f"{path}: needs 'name' and 'splits' (train, dev, test, gen/NAME)")
    if not isinstance(about.get("notes", []), list):
        raise BadInputError(f"{path}: 'notes' is not a list of lines")
    return about


def _is_split_name(name: object) -> bool:
    if not isinstance(name, str):
        return False
    stem = name.removeprefix("gen/")  # part of a path, which must not leave the folder
    if not stem.isprintable() or len(stem.encode(errors="replace")) > 200:
        return False
    return bool(stem) and stem not in (".", "..") and "/" not in stem and "\\" not in stem


def _read_table(path: Path, name: str) -> tuple[Split, str]:
    stream = LineStream(path)
    lines = iter(stream)
    header = next(lines, "").split("\t")
    if tuple(header[:4]) != _FIXED:
        raise BadInputError(f"{path}:1: the columns must begin with {', '.join(_FIXED)}")
    sentences: list[list[str]] = []
    kinds: list[str] = []
    columns: list[list[str]] = [[] for _ in header[4:]]
    last = None
    for number, line in enumerate(lines, 2):
        if not line:
            continue
        fields = line.split("\t")
        if len(fields) != len(header):
            raise BadInputError(
                f"{path}:{number}: {len(fields)} columns, the header has {len(header)}"
            )
        if fields[0] != last:
            sentences.append([])
            kinds.append(fields[1])
            last = fields[0]
        if not fields[3] or fields[2] != str(len(sentences[-1])):
            raise BadInputError(
                f"{path}:{number}: word {len(sentences[-1])} of the sentence was expected, "
                f"not idx '{fields[2]}', form '{fields[3]}'"
            )
        sentences[-1].append(fields[3])
        for column, value in zip(columns, fields[4:], strict=True):
            column.append(value)
    layers = dict(zip(header[4:], columns, strict=True))
    some_kinds = None if set(kinds) == {"_"} else kinds
    return make_split(name, sentences, layers, some_kinds, source=path), stream.sha256
