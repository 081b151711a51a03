"""Settings for a corpus that nobody tuned, from what its words look like; no label is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.errors import BadInputError
from hebbsim.readers.lines import is_stdin
from hebbsim.readers.loading import is_text, load_corpus
from hebbsim.readers.text import stream_text

#: A word that occurs no oftener is rare: its pieces tell more of it than its own occurrences.
RARE = 10
#: Tokens that are looked at; and words that a neighbour is told apart by.
_MOST, _NEIGHBOURS = 100_000, 200
#: How many observations the neighbours of all rare words weigh beside those of one piece.
_PRIOR = 50.0
#: Share of rare words below which pieces would but tell known words apart.
_FEW = 0.02
#: Rows for pieces, most clusters, and tokens that there are at least for each of them.
_PIECES, _CLUSTERS, _EACH = 4096, 1000, 20
#: How far beginnings can outweigh endings, or the other way round.
_LEAN = 0.25
#: Weight of endings for each bit that they tell of the words beside all words; the largest, and
#: the smallest that is worth its numbers.
_HEAVIER, _HEAVIEST, _LIGHTEST = 12.0, 1.4, 0.5


class Look(NamedTuple):
    """What the words of a text look like."""

    tokens: int
    types: int
    #: Share of tokens whose word occurs no oftener than `RARE` times.
    rare: float
    #: What the last two, and the first two, letters of rare words tell of the words beside them,
    #: in bits a neighbour: by how much they make neighbours likelier in one half of the text, once
    #: learned from the other. Below 0, they mislead.
    ending_gain: float
    beginning_gain: float


#: Of a text that cannot be looked at.
_UNSEEN = Look(50_000, 10_000, 0.3, 0.1, 0.1)


def look_at(sentences: Sequence[Sequence[str]]) -> Look:
    """What the words of a text look like, by its first 100,000 tokens and by counts of all.

    Examples
    --------
    >>> look = look_at([["a", "cat", "sat"], ["a", "cat", "ran"]])
    >>> look.tokens, look.types, look.rare
    (6, 4, 1.0)
    """
    counts = Counter(word for sentence in sentences for word in sentence)
    tokens = counts.total()
    words = list(counts)
    n = np.fromiter(counts.values(), dtype=np.int64, count=len(words))
    row = {word: i for i, word in enumerate(words)}
    ids: list[int] = []
    half: list[int] = []
    for number, sentence in enumerate(sentences):
        if len(ids) >= _MOST:
            break
        ids += [-1, *(row[word] for word in sentence)]  # -1: a sentence begins, and ends
        half += [number % 2] * (len(sentence) + 1)
    ids.append(-1)
    seen, halves = np.array(ids), np.array([*half, 0])
    common = np.argsort(-n, kind="stable")[:_NEIGHBOURS]
    neighbour = np.full(len(words) + 1, len(common), dtype=np.int64)  # all others, as one
    neighbour[common] = np.arange(len(common))
    neighbour[-1] = len(common) + 1  # none
    at = np.flatnonzero((seen >= 0) & (n[seen] <= RARE))
    gains = []
    for ending in (True, False):
        pieces = _pieces(words, ending)[seen[at]]
        sides = (neighbour[seen[at + side]] for side in (-1, 1))
        gains.append(sum(_gain(pieces, beside, halves[at]) / 2 for beside in sides))
    return Look(tokens, len(words), float(n[n <= RARE].sum() / max(tokens, 1)), *gains)


def _pieces(words: Sequence[str], ending: bool) -> NDArray[np.int64]:
    """The last or first two letters of every word by number, 0 for short words."""
    cut = [word[-2:] if ending else word[:2] for word in words]
    known = {piece: i for i, piece in enumerate(dict.fromkeys(cut), 1)}
    return np.array([known[p] if len(w) > 2 else 0 for p, w in zip(cut, words, strict=True)])


def _gain(
    pieces: NDArray[np.int64], neighbours: NDArray[np.int64], halves: NDArray[np.int64]
) -> float:
    """Bits that pieces tell of neighbours, each half of the text by the other."""
    if not len(pieces):
        return 0.0
    width = int(neighbours.max()) + 1
    size = int(pieces.max()) + 1
    total = 0.0
    for half in (0, 1):
        known, asked = halves != half, halves == half
        joint = np.bincount(pieces[known] * width + neighbours[known], minlength=size * width)
        joint = joint.reshape(size, width)
        share = (joint.sum(axis=0) + 1) / (joint.sum() + width)
        which, beside = pieces[asked], neighbours[asked]
        met = joint.sum(axis=1)[which]
        likely = (joint[which, beside] + _PRIOR * share[beside]) / (met + _PRIOR)
        total += float(np.log2(likely / share[beside]).sum())
    return total / len(pieces)


def choose(look: Look) -> dict[str, Any]:
    """Options of a network for such a text, as a preset has them.

    The more tokens, the more clusters. Where rare words are a part of the text, word layers
    complete what they know of one by what they know of its pieces, more of endings or more of
    beginnings as these tell more; where endings tell much of many words, words compete by them
    as well.

    Examples
    --------
    >>> choose(Look(40_000, 8_000, 0.3, 0.2, 0.05))["clusters"]
    1000
    """
    settings = [
        f"words.size={min(300, max(2, look.types // 4))}",
        "tokens.subsample=0.001",
        "tokens.lengths=[1, 0.7, 0.7, 0, 0]",
    ]
    if look.rare >= _FEW:
        ending, beginning = max(look.ending_gain, 0.0), max(look.beginning_gain, 0.0)
        lean = (beginning - ending) / (beginning + ending) if beginning + ending else 0.0
        settings += [
            f"words.pieces={_PIECES}",
            "words.piece_shrinkage=50",
            f"words.beginnings={0.5 + _LEAN * lean:.2f}",
            "tokens.spelled=5",
        ]
        weight = min(_HEAVIEST, _HEAVIER * look.rare * ending)
        if weight >= _LIGHTEST:
            settings.append(f"words.ending_weight={weight:.1f}")
    clusters = min(_CLUSTERS, max(2, look.tokens // _EACH))
    return {"timescales": [1.1, 3.3], "clusters": clusters, "settings": settings}


@cache
def chosen_for(
    name_or_path: str, tokenizer: str, field: str | None, sentences: str, offline: bool
) -> dict[str, Any]:
    """What is chosen for a corpus, by the words of its training split.

    Other parameters are as of `hebbsim.readers.load_corpus`. Standard input, which cannot be
    read twice, and what cannot be read at all have settings for a text with many rare words.
    """
    try:
        return choose(look_at(_words_of(name_or_path, tokenizer, field, sentences, offline)))
    except BadInputError:  # to load it says what is wrong
        return choose(_UNSEEN)


def _words_of(
    name: str, tokenizer: str, field: str | None, sentences: str, offline: bool
) -> list[list[str]]:
    if is_stdin(name):
        raise BadInputError(f"{name}: cannot be read twice")
    if not is_text(name):
        corpus = load_corpus(name, offline=offline, splits=["train"])
        return corpus.splits["train"].sentences()
    read: list[list[str]] = []
    n = 0
    for sentence in stream_text(name, tokenizer=tokenizer, field=field, sentences=sentences):
        read.append(sentence)
        n += len(sentence)
        if n >= _MOST:
            break
    return read
