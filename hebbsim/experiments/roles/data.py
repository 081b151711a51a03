"""Prepares a corpus for the roles experiment: splits, gold roles, notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.readers.base import Corpus, Split, make_split
from hebbsim.readers.vectors import WordVectors

#: Minimum number of training sentences of which a tenth can be held out.
_FEWEST = 20
#: Minimum number of dev words per cluster for its name to be reliable.
_WORDS_A_CLUSTER = 2


@dataclass(frozen=True, eq=False)
class Gold:
    """Gold roles of all scored splits, as indices into one list of names, shape=(R,).

    By split: codes of shape (T,), offsets of shape (N + 1,) and kinds of shape (N,). ``gen``
    concatenates all generalization splits.
    """

    names: NDArray[np.str_]
    codes: dict[str, NDArray[np.int16]]
    offsets: dict[str, NDArray[np.int64]]
    kinds: dict[str, NDArray[np.str_] | None]

    @classmethod
    def of(cls, corpus: Corpus, layer: str) -> Gold:
        names = np.unique(np.concatenate([s.layers[layer] for s in corpus.splits.values()]))
        parts = {k: s for k, s in corpus.splits.items() if k.startswith("gen/")}
        splits = {k: s for k, s in corpus.splits.items() if k not in ("train", *parts)}
        if parts:
            sentences = [words for split in parts.values() for words in split.sentences()]
            roles = np.concatenate([split.layers[layer] for split in parts.values()]).tolist()
            splits |= {"gen": make_split("gen", sentences, {layer: roles}), **parts}
        return cls(
            names=names,
            codes={name: _encode(names, split.layers[layer]) for name, split in splits.items()},
            offsets={name: split.offsets for name, split in splits.items()},
            kinds={name: split.kinds for name, split in splits.items()},
        )

    def encode(self, predicted: dict[str, NDArray[np.str_]]) -> dict[str, NDArray[np.int16]]:
        """Encode predicted roles by split; adds ``gen`` if all generalization splits are given."""
        codes = {split: _encode(self.names, roles) for split, roles in predicted.items()}
        parts = [name for name in self.codes if name.startswith("gen/")]
        if parts and all(name in codes for name in parts):
            codes["gen"] = np.concatenate([codes[name] for name in parts])
        return codes


def _encode(names: NDArray[np.str_], roles: NDArray[np.str_]) -> NDArray[np.int16]:
    return np.searchsorted(names, roles).astype(np.int16)


def hold_out(corpus: Corpus) -> tuple[Corpus, str | None]:
    """Complete a corpus with dev and test; also returns a note if a split was missing.

    Each missing split takes a tenth of the training sentences, from the end, and these are not
    trained on. Raises BadInputError if there are too few training sentences.
    """
    missing = [name for name in ("dev", "test") if name not in (*corpus.splits, *corpus.unread)]
    if not missing:
        return corpus, None
    train = corpus.splits["train"]
    n = train.n_sentences
    if n < _FEWEST:
        raise BadInputError(
            f"corpus {corpus.name}: no {' and no '.join(missing)} split, and too few training "
            f"sentences ({n}) to hold some out; give {_FEWEST} or more"
        )
    tenth = n // 10
    edges = [n - tenth * k for k in range(len(missing), -1, -1)]
    splits = corpus.splits | {"train": train.subset(range(edges[0]))}
    for name, (a, b) in zip(missing, pairwise(edges), strict=True):
        splits[name] = train.subset(range(a, b), name)
    first = {name: splits[name] for name in ("train", "dev", "test") if name in splits}
    share = "tenth" if len(missing) == 1 else "two tenths"
    note = (
        f"corpus {corpus.name} has no {' and no '.join(missing)} split: "
        f"the last {share} of its training sentences ({tenth * len(missing):,}) stand in"
    )
    return replace(corpus, splits=first | splits), note


def check_splits(corpus: Corpus, layer: str) -> None:
    """Refuse a corpus with an empty split, a split without the layer, or only one role in dev."""
    for name, split in corpus.splits.items():
        if split.n_tokens == 0:
            raise BadInputError(f"corpus {corpus.name}: the {name} split is empty")
        if layer not in split.layers:
            raise BadInputError(f"corpus {corpus.name}: the {name} split has no layer {layer}")
    roles = np.unique(corpus.splits["dev"].layers[layer])
    if len(roles) < 2:
        raise BadInputError(
            f"corpus {corpus.name}: every token of dev has the role {roles[0]}; "
            "there is nothing to tell apart"
        )


def with_scored_splits(corpus: Corpus, option: str) -> Corpus:
    """Complete a corpus with dev and test; BadInputError, naming `option`, if it has no roles."""
    if corpus.layer is None:
        raise BadInputError(
            f"{option}: text without roles, so there is nothing to score; give an annotated corpus"
        )
    corpus, note = hold_out(corpus)
    check_splits(corpus, corpus.layer or "")
    return replace(corpus, notes=(*corpus.notes, note)) if note else corpus


def check_clusters(train: Split, clusters: int, name: str) -> None:
    """Refuse more clusters than training tokens."""
    if clusters > train.n_tokens:
        raise BadInputError(
            f"--clusters {clusters}: more than the {train.n_tokens:,} training tokens of "
            f"corpus {name}; give fewer, such as --clusters {max(2, train.n_tokens // 20)}"
        )


def take_tokens(sentences: Iterable[list[str]], n_tokens: int) -> list[list[str]]:
    """The next sentences with at least `n_tokens` tokens in total, or all that are left.

    >>> take_tokens(iter([["a"], ["b", "c"], ["d"]]), 2)
    [['a'], ['b', 'c']]
    """
    taken: list[list[str]] = []
    for sentence in sentences:
        taken.append(sentence)
        n_tokens -= len(sentence)
        if n_tokens <= 0:
            break
    return taken


def cluster_notes(dev: Split, clusters: int) -> list[str]:
    """A note if dev has too few words to name so many clusters."""
    if dev.n_tokens >= _WORDS_A_CLUSTER * clusters:
        return []
    return [
        f"--clusters {clusters:,} are named from the {dev.n_tokens:,} words of {dev.n_sentences:,} "
        "dev sentences, so few or no words name a cluster and scores are low; give fewer, such as "
        f"--clusters {max(2, dev.n_tokens // (2 * _WORDS_A_CLUSTER))}, or more dev sentences"
    ]


def vector_note(corpus: Corpus, vectors: WordVectors) -> str:
    """A note with the share of training words that have a vector; refused if none has."""
    words, tokens = vectors.known(corpus.splits["train"].forms.tolist())
    if not words:
        raise BadInputError(
            f"--vectors {vectors.path}: no training word of corpus {corpus.name} has a vector; "
            "give vectors of its language and spelling"
        )
    return (
        f"vectors {vectors.path}: {100 * words:.1f} % of the training words and "
        f"{100 * tokens:.1f} % of the tokens have one; the other words get their codes by the "
        "company they keep"
    )


def text_notes(corpus: Corpus, files: Mapping[str, Path], reading: Mapping[str, Any]) -> list[str]:
    """Notes on the unlabelled text: how it was read, and whether its words are known."""
    from hebbsim.readers.text import glance

    sentences, notes = glance(files.values(), **reading)
    known = set(corpus.splits["train"].forms.tolist())
    words = [word for sentence in sentences for word in sentence]
    unknown = sum(word not in known for word in words) / max(len(words), 1)
    if unknown > 0.5:
        notes.append(
            f"{100 * unknown:.0f} % of the text's words (of the first {len(words):,}) do not stand "
            f"among the training words of corpus {corpus.name}; check that it is of the same "
            "language and cut into words alike"
        )
    return notes
