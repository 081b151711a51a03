"""Chooses settings for a corpus from what its words look like, without labels."""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.network.shape import letters
from hebbsim.errors import BadInputError
from hebbsim.experiments.roles.data import take_tokens
from hebbsim.readers.lines import is_stdin
from hebbsim.readers.loading import is_text, load_corpus
from hebbsim.readers.text import stream_text

#: A word with at most this many occurrences is rare: its pieces predict more than its own counts.
RARE = 10
#: Maximum number of tokens to examine; number of neighbours that are distinguished.
_MOST, _NEIGHBOURS = 100_000, 200
#: Pseudo-count of the neighbour distribution of all rare words, for the estimate of one piece.
_PRIOR = 50.0
#: Minimum share of rare words for which pieces are used.
_FEW = 0.02
#: Number of rows for pieces, maximum number of clusters, and minimum number of tokens per cluster.
_PIECES, _CLUSTERS, _EACH = 4096, 1000, 20
#: Number of tokens to read in all passes together; minimum and maximum number of passes.
_READ, _FEWEST_PASSES, _MOST_PASSES = 130_000, 3, 10
#: Maximum deviation of the weight of beginnings from one half.
_LEAN = 0.25
#: Weight of endings per bit that they tell about the neighbours of all words; its maximum, and
#: the minimum below which endings are not used.
_HEAVIER, _HEAVIEST, _LIGHTEST = 12.0, 1.4, 0.5


class Look(NamedTuple):
    """What the words of a text look like."""

    tokens: int
    types: int
    #: Share of tokens whose word occurs at most `RARE` times.
    rare: float
    #: Information in the last two, and the first two, letters of rare words about their
    #: neighbours, in bits per neighbour: the gain in log-likelihood on one half of the text after
    #: learning from the other half. Negative if they mislead.
    ending_gain: float
    beginning_gain: float


#: Assumed for a text that cannot be examined.
_UNSEEN = Look(50_000, 10_000, 0.3, 0.1, 0.1)


def look_at(sentences: Sequence[Sequence[str]]) -> Look:
    """What the words of a text look like, from its first 100,000 tokens and the counts of all.

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
        ids += [-1, *(row[word] for word in sentence)]  # -1: a sentence boundary
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
    """The number of the last or first two letters of every word; 0 for short words."""
    spelled = [letters(word) for word in words] if ending else words
    cut = [word[-2:] if ending else word[:2] for word in spelled]
    known = {piece: i for i, piece in enumerate(dict.fromkeys(cut), 1)}
    return np.array([known[p] if len(w) > 2 else 0 for p, w in zip(cut, spelled, strict=True)])


def _gain(
    pieces: NDArray[np.int64], neighbours: NDArray[np.int64], halves: NDArray[np.int64]
) -> float:
    """Bits that pieces tell about neighbours; each half of the text is scored by the other."""
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
    """Options of a network for such a text, as in a preset.

    More tokens allow more clusters; fewer tokens are read more often. If rare words matter, word
    layers complete their codes from those of their pieces, with more weight on endings or
    beginnings, whichever are more informative; if endings are informative for many words, words
    also compete by them.

    >>> choose(Look(40_000, 8_000, 0.3, 0.2, 0.05))["clusters"]
    1000
    """
    settings = [
        f"words.size={min(300, max(2, look.types // 4))}",
        "tokens.subsample=0.001",
        "tokens.lengths=[1, 0.5, 0.5, 0.5, 0.5]",
        "tokens.n_directions=60",
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
    passes = min(_MOST_PASSES, max(_FEWEST_PASSES, round(_READ / max(look.tokens, 1))))
    return {
        "timescales": [1.1, 3.3], "clusters": clusters, "passes": passes, "settings": settings,
    }  # fmt: skip


@cache
def chosen_for(
    name_or_path: str, tokenizer: str, field: str | None, sentences: str, offline: bool
) -> dict[str, Any]:
    """Settings chosen from the words of the training split of a corpus.

    Parameters are those of `hebbsim.readers.load_corpus`. Standard input, which cannot be read
    twice, and a corpus that cannot be read get settings for a text with many rare words.
    """
    try:
        return choose(look_at(_words_of(name_or_path, tokenizer, field, sentences, offline)))
    except BadInputError:  # raised again when the corpus is loaded
        return choose(_UNSEEN)


def _words_of(
    name: str, tokenizer: str, field: str | None, sentences: str, offline: bool
) -> list[list[str]]:
    if is_stdin(name):
        raise BadInputError(f"{name}: cannot be read twice")
    if not is_text(name):
        corpus = load_corpus(name, offline=offline, splits=["train"])
        return corpus.splits["train"].sentences()
    stream = stream_text(name, tokenizer=tokenizer, field=field, sentences=sentences)
    return take_tokens(stream, _MOST)
