"""The zero-label learner on many machines: text in shards, learned by merging summaries.

A text is cut into *blocks* of whole sentences that depend on the text alone. Shards are runs
of blocks, and every pass of the learner is a task on each shard whose result merges
(`hebbsim.models.summaries`). Nothing that a task computes tells how blocks were shared out,
and merging is exact, so that the learner is the same to the last bit for any number of shards
and workers, in whatever order they finish, and however often one dies and its task is done
again. (Machines of one kind: another processor may round differently.)

How that learner relates to one that `fit` learns in one pass:

===============================  =========================================================
stage                            beside one pass
===============================  =========================================================
word counts, vocabulary          the same
signatures, mean contexts        the same to rounding (one grid of 2**-26)
categories of words, completion  the same computation, on one machine, from those sums
projections of contexts          not the path, but where it leads: the rest point of the
                                 delta rule and of Sanger's rule, from merged moments
competition of tokens            in rounds: within one, all tokens meet the prototypes and
                                 the conscience as they stood at its start
===============================  =========================================================

The last two differ from one pass, and competition amplifies rounding, so that clusters are
not those of `fit`; what this does to accuracy is measured (experiments/cluster/NOTES.md).
The number of tokens in a round does change the result; it is a parameter, and never follows
from the number of shards.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine.competition import nearest
from hebbsim.engine.contexts import sum_code_contexts, sum_word_contexts
from hebbsim.errors import BadInputError
from hebbsim.models.inducer import MOST_VISITS, HebbianRoleInducer, one_thread
from hebbsim.models.population import RolePopulation
from hebbsim.models.prototypes import Prototypes, rounded
from hebbsim.models.summaries import (
    Moments,
    RowSums,
    Wins,
    WordCounts,
    from_fixed,
    merge_all,
    principal_directions,
    renumber,
    to_fixed,
)
from hebbsim.models.types import chances, draw_occurrences, stretches
from hebbsim.models.vocabulary import Encoded, Vocabulary

__all__ = ["InProcess", "Shards", "Workers", "fit_shards"]

Learner = TypeVar("Learner", HebbianRoleInducer, RolePopulation)

#: Sentences in memory are cut into about so many blocks, and into no more shards.
N_BLOCKS = 64
#: A block has at most so many tokens: its float32 sums stay accurate.
LARGEST_BLOCK = 2**20
#: Tokens in a round of competition; chosen on dev (experiments/cluster/NOTES.md).
ROUND = 1024
#: Of `Moments.predictor`; chosen on dev.
RIDGE = 0.003
#: Parts of `--text` are numbered behind those of the sentences.
_TEXT = 2**20


class Workers(Protocol):
    """Where tasks run. A *held* value lies where it was computed, and can be computed again."""

    def hold(self, function: Callable[..., Any], *args: Any) -> Any:
        """Start ``function(*args)``, where arguments may be held values."""

    def value(self, held: Any) -> Any:
        """Wait for a held value."""

    def merged(self, held: Sequence[Any]) -> Any:
        """Wait for summaries, merged where they lie."""


class InProcess:
    """All tasks here and now: what every other kind of worker must equal."""

    def hold(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    def value(self, held: Any) -> Any:
        return held

    def merged(self, held: Sequence[Any]) -> Any:
        return merge_all(held)


# Shards on their workers ----------------------------------------------------------------------


@dataclass
class Part:
    """Text that was read in one go: a vocabulary of its own, and its words as numbers there."""

    number: int
    vocabulary: Vocabulary
    encoded: Encoded


def read_part(sentences: Iterable[Sequence[str]], number: int) -> list[Part]:
    vocabulary = Vocabulary(max_types=2**31 - 1)
    encoded = vocabulary.take_in(sentences)
    return [Part(number, vocabulary, encoded)]


def read_files(
    files: Sequence[Path], numbers: Sequence[int], reading: Mapping[str, Any]
) -> list[Part]:
    from hebbsim.readers.text import stream_text

    return [
        part
        for file, number in zip(files, numbers, strict=True)
        for part in read_part(stream_text(file, **reading), number)
    ]


def count_words(parts: Sequence[Part]) -> WordCounts:
    return merge_all(
        [
            WordCounts.from_vocabulary(
                part.vocabulary, part.number, int(np.diff(part.encoded.offsets).max(initial=1))
            )
            for part in parts
        ]
    )


def encode(parts: Sequence[Part], vocabulary: Vocabulary) -> list[Encoded]:
    """Parts by the numbers of a common vocabulary."""
    found = []
    for part in parts:
        ids = renumber(part.vocabulary, vocabulary)[part.encoded.ids]
        words = list(part.vocabulary.index)
        unknown = [words[number] for number in part.encoded.ids[ids < 0].tolist()]
        found.append(Encoded(ids, part.encoded.offsets, unknown))
    return found


def sum_by_block(
    texts: Sequence[Encoded],
    block: int,
    shape: tuple[int, ...],
    add: Callable[[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]], None],
) -> RowSums:
    """Sums by type: each block's in float32, as the kernels add them, put together exactly."""
    met = np.unique(np.concatenate([text.ids for text in texts]))
    rows = met[met >= 0].astype(np.int64)
    total = np.zeros((len(rows), math.prod(shape[1:])), dtype=np.int64)
    sums = np.zeros(shape, dtype=np.float32)
    flat = sums.reshape(shape[0], -1)
    for text in texts:
        for start, stop, first, last in stretches(text.offsets, block):
            ids = text.ids[first:last]
            add(ids, text.offsets[start : stop + 1] - first, sums)
            here = np.unique(ids)
            here = here[here >= 0]
            total[np.searchsorted(rows, here)] += to_fixed(flat[here])
            flat[here] = 0
    return RowSums(rows, total)


def sum_words(
    texts: Sequence[Encoded], block: int, n_types: int, n_columns: int, weights: NDArray[np.float32]
) -> RowSums:
    shape = (n_types, 2, len(weights), n_columns + 2)
    return sum_by_block(
        texts,
        block,
        shape,
        lambda ids, offsets, sums: sum_word_contexts(ids, offsets, n_columns, weights, sums),
    )


@one_thread
def sum_codes(
    texts: Sequence[Encoded],
    block: int,
    n_types: int,
    codes: NDArray[np.float32],
    keep: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> RowSums:
    trace = np.empty((len(alpha), codes.shape[1] + 1), dtype=np.float32)

    def add(ids: NDArray[np.int32], offsets: NDArray[np.int64], sums: NDArray[np.float32]) -> None:
        known = np.where(ids < 0, n_types, ids).astype(np.int32)
        sum_code_contexts(known, offsets, codes, keep, alpha, trace, sums)

    return sum_by_block(texts, block, (n_types, 2, *trace.shape), add)


def count_types(texts: Sequence[Encoded], n_types: int) -> RowSums:
    """Tokens of every type."""
    ids = np.concatenate([text.ids for text in texts])
    return RowSums.of(np.bincount(ids[ids >= 0], minlength=n_types)[:, None])


@one_thread
def draw_by_block(
    texts: Sequence[Encoded],
    number: int,
    block: int,
    chance: NDArray[np.float64],
    codes: NDArray[np.float32],
    keep: NDArray[np.float32],
    alpha: NDArray[np.float32],
    seed: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Occurrences of a shard; every block has a generator of its own."""
    found = []
    for text in texts:
        for start, stop, _, _ in stretches(text.offsets, block):
            rng = np.random.default_rng([seed, number])
            part = text.part(start, stop)
            found.append(draw_occurrences(part, chance, codes, keep, alpha, rng))
            number += 1
    rows, contexts = zip(*found, strict=True)
    return np.concatenate(rows), np.vstack(contexts)


@one_thread
def moments(texts: Sequence[Encoded], block: int, learner: HebbianRoleInducer) -> Moments:
    """Of both sides' traces, and of the own code that they are to foretell."""
    found = []
    for text in texts:
        for start, stop, first, last in _stretches_of_blocks(text.offsets, block):
            rows, table = learner.types_.lookup(text.part(start, stop), learner.vocabulary_)
            offsets = text.offsets[start : stop + 1] - first
            x = learner._roots_of_traces(rows, table, offsets)
            met, which = np.unique(rows, return_inverse=True)
            own = learner._own.project(np.sqrt(table[met]))[which]
            found.append(Moments.of(x, np.broadcast_to(own, (2, last - first, own.shape[1]))))
            found = [merge_all(found)]
    return found[0]


def _stretches_of_blocks(
    offsets: NDArray[np.int64], block: int
) -> Iterator[tuple[int, int, int, int]]:
    """Stretches that end where a block does, at the latest."""
    for start, stop, first, _ in stretches(offsets, block):
        for a, b, c, d in stretches(offsets[start : stop + 1] - first):
            yield start + a, start + b, first + c, first + d


@dataclass
class Tokens:
    """Vectors of a shard's tokens, and how likely each is to compete.

    Attributes
    ----------
    x : ndarray of float32, shape=(T, D)
    chance : ndarray of float64, shape=(T,)
    number : int
        Of the first block in the text.
    blocks : list of (int, int)
        First token and end of every block.
    """

    x: NDArray[np.float32]
    chance: NDArray[np.float64]
    number: int
    blocks: list[tuple[int, int]]


@one_thread
def token_vectors(
    texts: Sequence[Encoded], number: int, block: int, learner: HebbianRoleInducer
) -> Tokens:
    vectors, chances, blocks, done = [], [], [], 0
    for text in texts:
        for start, stop, first, last in stretches(text.offsets, block):
            part = text.part(start, stop)
            vectors.append(learner._vectors(part))
            chances.append(learner._chance(part))
            blocks.append((done, done := done + last - first))
    return Tokens(np.vstack(vectors), np.concatenate(chances), number, blocks)


def expected(tokens: Tokens) -> RowSums:
    """Tokens that compete in an epoch, on average: block by block, as sums must be."""
    parts = [tokens.chance[first:last].sum() for first, last in tokens.blocks]
    return RowSums(np.zeros(1, dtype=np.int64), to_fixed(parts).sum(keepdims=True)[None])


def pick(tokens: Tokens, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    return tokens.x[rows]


def draw_rounds(
    tokens: Tokens, seed: Sequence[int], n_rounds: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tokens that compete in an epoch, sorted by round, and where each round begins.

    Every block has a generator of its own, so that no draw depends on the shards.
    """
    chosen, rounds = [], []
    for number, (first, last) in enumerate(tokens.blocks, start=tokens.number):
        rng = np.random.default_rng([*seed, number])
        in_it = np.flatnonzero(rng.random(last - first) < tokens.chance[first:last])
        chosen.append(first + in_it)
        rounds.append(rng.integers(n_rounds, size=len(in_it)))
    round_of = np.concatenate(rounds)
    order = np.argsort(round_of, kind="stable")
    starts = np.searchsorted(round_of[order], np.arange(n_rounds + 1))
    return np.concatenate(chosen)[order], starts


@one_thread
def compete_in_round(
    tokens: Tokens,
    drawn: tuple[NDArray[np.int64], NDArray[np.int64]],
    number: int,
    standing: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Wins:
    """Who wins the tokens of one round, while no prototype moves.

    `standing` is all prototypes, and their squared lengths with the pull of the conscience.
    """
    centres, held_back = standing
    order, starts = drawn
    x = tokens.x[order[starts[number] : starts[number + 1]]]
    winners = np.empty(len(x), dtype=np.int32)
    nearest(x, centres, held_back, winners)
    return Wins.of(x, winners, centres)


# The one that puts them together --------------------------------------------------------------


class Shards:
    """A text in shards on workers; what codes of types take from a text comes of all of them.

    Parameters
    ----------
    workers : Workers
    sentences : list of sequences of str
        Those to be sorted, as of `HebbianRoleInducer.fit`.
    n_shards : int
        Shards of the sentences, and again of the files; no number depends on it. No more are
        made than there are blocks, or files.
    text : sequence of paths
        Files of more text. Every worker reads its own: they must lie where all find them.
    reading : mapping, optional
        Options of `hebbsim.readers.text.stream_text` for them.
    progress : callable, optional
        Given a line when a pass over the text begins.
    """

    def __init__(
        self,
        workers: Workers,
        sentences: Sequence[Sequence[str]],
        n_shards: int,
        *,
        text: Sequence[Path] = (),
        reading: Mapping[str, Any] | None = None,
        progress: Callable[[str], object] | None = None,
    ) -> None:
        if n_shards < 1:
            raise BadInputError(f"{n_shards} shards: give at least 1")
        self.workers = workers
        self.say = progress or (lambda line: None)
        sentences = [sentence for sentence in sentences if len(sentence)]
        offsets = np.concatenate([[0], np.cumsum([len(s) for s in sentences])]).astype(np.int64)
        self.n_tokens = int(offsets[-1])
        self.block = min(LARGEST_BLOCK, max(256, math.ceil(self.n_tokens / N_BLOCKS)))
        blocks = stretches(offsets, self.block)
        cuts = np.linspace(0, len(blocks), min(n_shards, len(blocks)) + 1).astype(int).tolist()
        self.firsts = cuts[:-1]
        self.starts = [blocks[cut][2] for cut in self.firsts]
        self._sentences = [
            workers.hold(read_part, sentences[blocks[a][0] : blocks[b - 1][1]], a)
            for a, b in pairwise(cuts)
        ]
        self._text = [
            workers.hold(
                read_files, [text[i] for i in share], [_TEXT + i for i in share], reading or {}
            )
            for share in share_files(text, n_shards)
        ]
        self._encoded: dict[int, tuple[Vocabulary, list[Any], list[Any]]] = {}
        self._counts: WordCounts | None = None
        self._words: tuple[Any, NDArray[np.float32]] | None = None

    def counts(self) -> WordCounts:
        """Of all words, in one pass that is made once."""
        if self._counts is None:
            self.say("counting words")
            held = [self.workers.hold(count_words, parts) for parts in self._sentences + self._text]
            self._counts = self.workers.merged(held)
        return self._counts

    def use(self, max_types: int) -> Vocabulary:
        """Number the words by the commonest `max_types` from here on."""
        if max_types not in self._encoded:
            vocabulary = self.counts().vocabulary(max_types)
            common = self.workers.hold(_same, vocabulary)
            self._encoded[max_types] = (
                vocabulary,
                [self.workers.hold(encode, parts, common) for parts in self._sentences],
                [self.workers.hold(encode, parts, common) for parts in self._text],
            )
            self._words = None
        self.vocabulary, self.encoded, self.encoded_text = self._encoded[max_types]
        return self.vocabulary

    def _sums(self, task: Callable[..., RowSums], *args: Any) -> RowSums:
        held = [self.workers.hold(task, texts, self.block, *args) for texts in self.encoded]
        held += [
            self.workers.hold(task, texts, LARGEST_BLOCK, *args) for texts in self.encoded_text
        ]
        found: RowSums = self.workers.merged(held)
        return found

    # As of `hebbsim.models.types.Passes` ----------------------------------------------------

    def longest(self) -> int:
        return self.counts().longest

    def sum_words(
        self, n_types: int, n_columns: int, weights: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        key = (n_types, n_columns, weights.tobytes())
        if self._words is None or self._words[0] != key:  # the same for every seed
            self.say("signatures over words")
            found = self._sums(sum_words, n_types, n_columns, weights)
            self._words = (key, found.table(n_types))
        return self._words[1].reshape(n_types, 2, len(weights), -1).copy()

    def sum_codes(
        self,
        n_types: int,
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        self.say("contexts over codes")
        common = self.workers.hold(_same, codes)
        found = self._sums(sum_codes, n_types, common, keep, alpha)
        return found.table(n_types).reshape(n_types, 2, len(alpha), -1)

    def counts_in_sentences(self, n_types: int) -> NDArray[np.int64]:
        """Tokens of every type among those that are to be sorted."""
        held = [self.workers.hold(count_types, texts, n_types) for texts in self.encoded]
        return from_fixed(self.workers.merged(held).sums[:, 0]).astype(np.int64)

    def occurrences(
        self,
        weights: NDArray[np.float64],
        codes: NDArray[np.float32],
        keep: NDArray[np.float32],
        alpha: NDArray[np.float32],
        seed: int,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        self.say("occurrences of words")
        common = self.workers.hold(_same, codes)
        chance = chances(weights, self.counts_in_sentences(len(weights)))
        held = [
            self.workers.hold(
                draw_by_block, texts, first, self.block, chance, common, keep, alpha, seed
            )
            for texts, first in zip(self.encoded, self.firsts, strict=True)
        ]
        rows, contexts = zip(*map(self.workers.value, held), strict=True)
        return np.concatenate(rows), np.vstack(contexts)


def _same(value: Any) -> Any:
    return value


def share_files(files: Sequence[Path], n_shards: int) -> list[list[int]]:
    """Numbers of files by shard, so that shards are about equally long.

    Examples
    --------
    >>> share_files([], 4)
    []
    """
    sizes = [Path(file).stat().st_size for file in files]
    shares: list[list[int]] = [[] for _ in range(min(n_shards, len(files)))]
    loads = [0] * len(shares)
    for number in sorted(range(len(files)), key=lambda i: -sizes[i]):
        lightest = loads.index(min(loads))
        shares[lightest].append(number)
        loads[lightest] += sizes[number]
    return [sorted(share) for share in shares]


@one_thread
def fit_shards(learner: Learner, shards: Shards, *, round_size: int = ROUND) -> Learner:
    """Let a learner, or every member of a population, learn afresh from shards.

    Parameters
    ----------
    learner : HebbianRoleInducer or RolePopulation
        Predicts afterwards as one that was fitted in one pass.
    shards : Shards
    round_size : int
        Tokens that compete at a time, about.

    Examples
    --------
    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 40
    >>> def fitted(n):
    ...     learner = HebbianRoleInducer(n_clusters=5, n_categories=4)
    ...     return fit_shards(learner, Shards(InProcess(), sentences, n))
    >>> one, two = fitted(1), fitted(2)
    >>> bool((one.predict(sentences) == two.predict(sentences)).all())
    True
    """
    if round_size < 1:
        raise BadInputError(f"a round of {round_size} tokens: give at least 1")
    if isinstance(learner, RolePopulation):
        learner.members_ = [
            fit_shards(member, shards, round_size=round_size) for member in learner._draw_members()
        ]
        return learner
    learner._check()
    learner._check_tokens(shards.n_tokens)
    learner.vocabulary_ = shards.use(learner.max_types)
    learner.types_ = learner._new_types().learn(learner.vocabulary_, shards)
    _fit_projection(learner, shards)
    _fit_prototypes(learner, shards, round_size)
    return learner


def _fit_projection(learner: HebbianRoleInducer, shards: Shards) -> None:
    workers, n_types = shards.workers, len(learner.vocabulary_)
    counts = shards.counts_in_sentences(n_types)
    learner._rng = np.random.default_rng([learner.random_state, 1])
    n_visits = min(MOST_VISITS, int(counts.sum()))
    # As often as they occur; words without a number of their own are few, and left out.
    visits = learner._rng.choice(n_types, n_visits, p=counts / counts.sum())
    learner._start_from(learner.types_.codes, visits)
    if learner.view == "own":
        return
    shards.say("moments of contexts")
    sent = workers.hold(_same, _light(learner))
    held = [workers.hold(moments, texts, shards.block, sent) for texts in shards.encoded]
    found: Moments = workers.merged(held)
    weights, bias = found.predictor(RIDGE)
    learner._weights = np.ascontiguousarray(weights, dtype=np.float32)
    learner._bias = bias.astype(np.float32)
    learner._power = np.maximum(found.power(), 1e-4).astype(np.float32)
    mean, covariance = found.mean(), found.covariance()
    for side, length in enumerate(learner.trace_weights):
        if length:
            principal = learner._principal[side]
            principal.mean = mean[side].astype(np.float32)
            principal.seen[0] = found.n
            principal.components = principal_directions(
                covariance[side], learner.n_directions, learner._rng
            ).astype(np.float32)


def _light(learner: HebbianRoleInducer) -> HebbianRoleInducer:
    """A copy to send: without what only learning types needs, most of its size."""
    light, types = copy.copy(learner), copy.copy(learner.types_)
    types.contexts = types.contexts[:0]
    light.types_ = types
    return light


def _fit_prototypes(learner: HebbianRoleInducer, shards: Shards, round_size: int) -> None:
    workers, rng = shards.workers, learner._rng
    shards.say("vectors of tokens")
    sent = workers.hold(_same, _light(learner))
    tokens = [
        workers.hold(token_vectors, texts, first, shards.block, sent)
        for texts, first in zip(shards.encoded, shards.firsts, strict=True)
    ]
    chosen = rng.choice(shards.n_tokens, learner.n_clusters, replace=False)
    shard_of = np.searchsorted(shards.starts, chosen, side="right") - 1
    start: NDArray[np.float32] | None = None
    for number, held in enumerate(tokens):
        here = np.flatnonzero(shard_of == number)
        rows = workers.value(workers.hold(pick, held, chosen[here] - shards.starts[number]))
        if start is None:
            start = np.empty((len(chosen), rows.shape[1]), dtype=np.float32)
        start[here] = rows
    assert start is not None
    prototypes = Prototypes(start, len(start), rng=rng, conscience=learner.conscience)
    competing = workers.merged([workers.hold(expected, held) for held in tokens])
    n_rounds = math.ceil(from_fixed(competing.sums)[0, 0] / round_size)
    for epoch in range(learner.epochs if learner.prototypes == "learned" else 0):
        shards.say(f"competition, epoch {epoch + 1} of {learner.epochs}")
        last = epoch == learner.epochs - 1
        seed = (learner.random_state, 4, epoch)
        drawn = [workers.hold(draw_rounds, held, seed, n_rounds) for held in tokens]
        for number in range(n_rounds):
            pull = _pull(prototypes) if not last or epoch == 0 else np.float32(0)
            held_back = prototypes.squares + pull * prototypes.share
            standing = workers.hold(_same, (prototypes.centres, held_back))
            wins = [
                workers.hold(compete_in_round, held, order, number, standing)
                for held, order in zip(tokens, drawn, strict=True)
            ]
            take_in(prototypes, workers.merged(wins))
        if not last:
            prototypes.forget(0.3)
    learner.prototypes_ = prototypes
    learner.n_tokens_seen_ = shards.n_tokens


def _pull(prototypes: Prototypes) -> np.float32:
    """What a share of the wins adds to the squared distance: see `compete`."""
    return np.float32(prototypes.conscience * prototypes.spread[0] * len(prototypes.centres))


def take_in(prototypes: Prototypes, wins: Wins) -> None:
    """Move prototypes by what all of them won in a round: `compete` with its order forgotten.

    With 1 / wins as step, the order of what a prototype wins does not matter to where it ends.
    Its share of the wins, and the spread, fade as over so many single inputs.
    """
    n = int(wins.counts.sum())
    if not n:
        return
    won = wins.counts.astype(np.float64)
    total = prototypes.wins + won
    step = from_fixed(wins.sums) - won[:, None] * prototypes.centres
    # A floor of the step, as of `compete`; a prototype goes no further than what it won.
    over = np.maximum(np.minimum(total, prototypes.memory), won)
    centres = prototypes.centres + step / over[:, None]
    prototypes.centres = np.ascontiguousarray(centres, dtype=np.float32)
    prototypes.squares = np.einsum("kd,kd->k", prototypes.centres, prototypes.centres)
    prototypes.wins = rounded(total)
    kept = (1 - 1 / (20 * len(won))) ** n
    prototypes.share = (kept * prototypes.share + (1 - kept) * won / n).astype(np.float32)
    kept = 0.999**n
    spread = kept * prototypes.spread + (1 - kept) * from_fixed(wins.distance) / n
    prototypes.spread = spread.astype(np.float32)
