"""Train the role network on many machines, layer by layer, in passes whose results merge.

A text is divided into *blocks* of whole sentences, which depend only on the text. Shards are runs
of blocks, and every pass is a task on each shard. No task depends on how the blocks were shared
out, and results are merged exactly or in the order of the blocks. The network is therefore
bit-identical for any number of shards and workers, in whatever order they finish, even if a worker
dies and its task is repeated (on processors of one kind; other kinds may round differently).

Differences from online learning on the same sentences, with the same kernels:

=======================  =====================================================================
words and their counts   the same, up to `max_words` words
context words            the most frequent ones; online, the first to occur three times
memory of a word layer   with the rule instar: the mean over all occurrences, merged exactly, of
                         codes that no longer change; online, the codes beneath change as they
                         are learned, and a context word counts from its third occurrence on.
                         With another rule: the mean of what the blocks learned from zero,
                         weighted by their occurrences of the word
directions, categories   the layer's own rules, on one machine: words are drawn as often as they
                         learn online, each with its final memory; rare ones are not
token layer              the layer's own rules, in rounds. In a round every block learns online
                         from the common state; then each weight becomes the mean over the
                         blocks that changed it
=======================  =====================================================================

The number of blocks and of tokens in a round changes the result (see experiments/cluster/NOTES.md
for the cost); neither depends on the number of shards.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbsim.engine.network import Network, WordLayer
from hebbsim.engine.network.description import build, written
from hebbsim.engine.network.shape import Spelling
from hebbsim.engine.network.token_layer import WAITING
from hebbsim.engine.network.vocabulary import UNKNOWN
from hebbsim.errors import BadInputError
from hebbsim.models.role_network import RoleNetwork
from hebbsim.models.summaries import RowSums, WordCounts, merge_all

#: Number of blocks of sentences, and largest number of shards that learn at the same time.
N_BLOCKS = 8
#: Approximate number of tokens that a block learns in a round.
ROUND = 1000
#: Maximum number of words drawn for categories and directions to learn from.
MOST_VISITS = 500_000
#: Only words with at least TAUGHT_FROM occurrences are drawn, if there are WORDS_EACH a category.
TAUGHT_FROM, WORDS_EACH = 20, 4

Arrays = dict[str, NDArray[Any]]


class Workers(Protocol):
    """Where tasks run. A *held* value stays where it was computed, and can be recomputed."""

    def hold(self, function: Callable[..., Any], *args: Any) -> Any:
        """Start ``function(*args)``; arguments may be held values."""

    def value(self, held: Any) -> Any:
        """Wait for a held value."""

    def merged(self, held: Sequence[Any]) -> Any:
        """Wait for summaries, merged by the workers."""


class InProcess:
    """Run all tasks immediately in this process; the reference for other kinds of workers."""

    def hold(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    def value(self, held: Any) -> Any:
        return held

    def merged(self, held: Sequence[Any]) -> Any:
        return merge_all(held)


# Tasks ----------------------------------------------------------------------------------------


class Block(NamedTuple):
    """Consecutive sentences: their distinct words, and their tokens as indices into these."""

    number: int
    words: list[str]
    ids: NDArray[np.int32]
    offsets: list[int]


def read(sentences: Iterable[Sequence[str]], number: int) -> Block:
    index: dict[str, int] = {}
    ids, offsets = [], [0]
    for sentence in sentences:
        ids.extend([index.setdefault(word, len(index)) for word in sentence])
        offsets.append(len(ids))
    return Block(number, list(index), np.array(ids, dtype=np.int32), offsets)


def read_blocks(blocks: Sequence[Sequence[Sequence[str]]], first: int) -> list[Block]:
    return [read(sentences, number) for number, sentences in enumerate(blocks, start=first)]


def read_files(files: Sequence[Path], reading: Mapping[str, Any]) -> list[Block]:
    from hebbsim.readers.text import stream_text

    return [read(stream_text(file, **reading), 0) for file in files]


def count_words(blocks: Sequence[Block]) -> WordCounts:
    counts = WordCounts({})
    for block in blocks:
        by_number = np.bincount(block.ids, minlength=len(block.words)).tolist()
        counts = counts.merge(WordCounts(dict(zip(block.words, by_number, strict=True))))
    return counts


def encode(blocks: Sequence[Block], index: Mapping[str, int]) -> list[Block]:
    """Blocks with tokens as rows of a network, without their words."""
    found = []
    for block in blocks:
        rows = np.array([index.get(word, UNKNOWN) for word in block.words], dtype=np.int32)
        found.append(block._replace(words=[], ids=rows[block.ids]))
    return found


def sum_memories(
    blocks: Sequence[Block], said: Mapping[str, Any], number: int, codes: NDArray[np.float32]
) -> RowSums:
    """The memory that a word layer learns from the blocks, merged."""
    layer = build(said).words[number]
    layer.memory_floor = 0.0  # the codes beneath no longer change
    layer.pieces = 0  # their rows are set later
    total: RowSums | None = None
    for block in blocks:
        rows, ids = np.unique(block.ids, return_inverse=True)
        layer.connect(codes.shape[1], layer.keep, layer.alpha, np.random.default_rng(0))
        layer.grow(len(rows))
        unspelled = Spelling(
            np.zeros((len(rows), 0), np.float32),
            np.full((len(rows), 0), -1, np.int32),
            np.zeros(len(rows), np.int64),
        )
        for first, last in pairwise(block.offsets):
            none = np.ones(last - first)  # with draws of 1, only the memory learns
            some = ids[first:last].astype(np.int32)
            layer.learn(codes[block.ids[first:last]], some, none, unspelled)
        memory = np.hstack([layer.memory_weights.values, layer.memory_state])
        found = RowSums.of(rows.astype(np.int64), layer.counts, memory)
        total = found if total is None else total.merge(found)
    assert total is not None
    return total


def learn_tokens(
    blocks: Sequence[Block],
    said: Mapping[str, Any],
    words: Sequence[NDArray[Any]],
    standing: tuple[Arrays, int, bool],
    seed: Sequence[int],
    part: tuple[int, int],
) -> list[Arrays]:
    """State of the token layer after a round, of each block."""
    network = build(said).only_tokens(*words)
    top, found = network.top, []
    arrays, tokens, settled = standing
    for block in blocks:
        rng = np.random.default_rng([*seed, block.number])
        number, n_rounds = part
        order = np.array_split(rng.permutation(len(block.offsets) - 1), n_rounds)[number]
        network.rng = np.random.default_rng([*seed, block.number, number])
        top.put_in(arrays)
        top.restore_waiting(np.zeros((0, top.n_inputs), dtype=np.float32))
        top.tokens, top.settled = tokens, settled
        top.settle = top.tokens + len(block.ids) + 1  # prototypes begin later, for all blocks
        for i in order.tolist():
            ids = block.ids[block.offsets[i] : block.offsets[i + 1]]
            network.learn_tokens(ids, network.rng.random((len(ids), 2)))
        found.append({name: array.copy() for name, array in top.arrays().items()})
    return found


def put_together(before: Arrays, found: Sequence[Arrays]) -> Arrays:
    """Merge the states after a round: each row of weights is the mean over blocks that changed it.

    A prototype that won no token of a block says nothing about it. Other state is averaged
    likewise, element by element.
    """
    after = {}
    for name, array in before.items():
        if name == "waiting":
            continue
        moves = np.stack([each[name] for each in found]).astype(np.float64) - array
        moved = moves != 0
        if array.ndim == 2:
            moved = moved.any(axis=2, keepdims=True)
        mean = array + moves.sum(axis=0) / np.maximum(moved.sum(axis=0), 1)
        after[name] = (np.rint(mean) if array.dtype.kind == "i" else mean).astype(array.dtype)
    return after


# The coordinator ------------------------------------------------------------------------------


class Shards:
    """The sentences of `RoleNetwork.fit` in shards on workers.

    `text` are files of more text for the word layers only, at paths that all workers can read;
    `reading` are options of `hebbsim.readers.text.stream_text` for them. Sentences and files have
    `n_shards` shards each, at most one per block or file; results do not depend on it. `progress`
    is called with a line when a pass over the text begins.
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
        ends = np.cumsum([len(sentence) for sentence in sentences])
        self.n_tokens = int(ends[-1]) if len(ends) else 0
        #: Upper bound of the vocabulary size; None if there are files, with any number of words.
        self.most_words = None if text else len({w for sentence in sentences for w in sentence})
        marks = np.searchsorted(ends, self.n_tokens * np.arange(1, N_BLOCKS) / N_BLOCKS) + 1
        cuts = np.unique([0, *marks, len(sentences)]).tolist()
        blocks = [sentences[first:last] for first, last in pairwise(cuts)]
        shares = np.linspace(0, len(blocks), min(n_shards, len(blocks)) + 1).astype(int).tolist()
        #: Largest number of blocks in a shard.
        self.most_blocks = max((b - a for a, b in pairwise(shares)), default=0)
        self.read = [workers.hold(read_blocks, blocks[a:b], a) for a, b in pairwise(shares)]
        self.read_text = [
            workers.hold(read_files, [text[i] for i in share], reading or {})
            for share in share_files(text, n_shards)
        ]
        self._counts: WordCounts | None = None

    def counts(self) -> WordCounts:
        """Counts of all words, computed once."""
        if self._counts is None:
            self.say("counting words")
            held = [self.workers.hold(count_words, part) for part in self.read + self.read_text]
            self._counts = self.workers.merged(held)
        return self._counts


def share_files(files: Sequence[Path], n_shards: int) -> list[list[int]]:
    """Indices of files by shard, for shards of about equal size."""
    sizes = [Path(file).stat().st_size for file in files]
    shares: list[list[int]] = [[] for _ in range(min(n_shards, len(files)))]
    loads = [0] * len(shares)
    for number in sorted(range(len(files)), key=lambda i: -sizes[i]):
        lightest = loads.index(min(loads))
        shares[lightest].append(number)
        loads[lightest] += sizes[number]
    return [sorted(share) for share in shares]


def worker_memory(network: Network, shards: Shards) -> int:
    """Upper bound of the bytes of the arrays of a worker's largest task.

    This is the memory of the widest word layer, learned from a block, summed in fixed point and
    merged with other sums. Python with its packages (about 0.3 GB) and the shard itself (100 bytes
    a token) are not included.
    """
    words = network.max_words if shards.most_words is None else shards.most_words
    rows = min(words, network.max_words) + 1
    tasks = []
    for layer in network.words:
        width = layer.memory_weights.values.shape[1] + layer.memory_state.shape[1]
        # Three sums of int64, two copies of the memory in float32, and the codes beneath.
        tasks.append(rows * (3 * 8 * width + 2 * 4 * width + 4 * layer.below_size))
    top = sum(array.nbytes for array in network.top.arrays().values())
    per_word = 8 + network.top.shape_size + 4 * network.words[-1].size
    tasks.append((shards.most_blocks + 2) * top + rows * per_word)
    return max(tasks)


def fit_shards(learner: RoleNetwork, shards: Shards, *, round_size: int = ROUND) -> RoleNetwork:
    """Fit a network from scratch on shards.

    The `passes` of the learner are those of the token layer after the prototypes begin;
    `round_size` is the approximate number of tokens that each block learns in a round.

    >>> sentences = [["the", "dog", "saw", "a", "cat"], ["a", "cat", "saw", "the", "dog"]] * 40
    >>> def fitted(n):
    ...     return fit_shards(RoleNetwork(n_clusters=5), Shards(InProcess(), sentences, n))
    >>> one, two = fitted(1), fitted(2)
    >>> bool((one.predict(sentences) == two.predict(sentences)).all())
    True
    """
    if round_size < 1:
        raise BadInputError(f"a round of {round_size} tokens: give at least 1")
    if learner.vectors is not None:
        raise BadInputError("shards learn without vectors of words: leave one of the two out")
    network = learner._built(shards.n_tokens)
    most = worker_memory(network, shards)
    shards.say(f"a worker takes up to {most / 1e9 + 0.3:.1f} GB beside its words")
    with threadpool_limits(1):
        counts = shards.counts().commonest(network.max_words)
        network.vocabulary.know(counts)
        index = shards.workers.hold(_same, network.index)
        encoded = [shards.workers.hold(encode, blocks, index) for blocks in shards.read]
        text = [shards.workers.hold(encode, blocks, index) for blocks in shards.read_text]
        for number, layer in enumerate(network.words):
            shards.say(f"memory of {layer.name}")
            _fit_words(network, number, layer, shards, encoded + text)
        shards.say("tokens")
        _fit_tokens(learner, network, shards, encoded, round_size)
    network.tokens = shards.counts().counts.total() + (learner.passes - 1) * shards.n_tokens
    learner.network_ = network
    return learner


def _same(value: Any) -> Any:
    return value


def _fit_words(
    network: Network, number: int, layer: WordLayer, shards: Shards, encoded: Sequence[Any]
) -> None:
    codes = shards.workers.hold(_same, network.codes(layer.below))
    said = written(network)
    held = [shards.workers.hold(sum_memories, part, said, number, codes) for part in encoded]
    found = shards.workers.merged(held)
    known = found.rows != UNKNOWN
    rows, n = found.rows[known], found.counts[known]
    width = len(layer.mean)
    memory = found.means()[known]
    layer.memory_weights.values[rows] = memory[:, :width]
    layer.memory_state[rows] = memory[:, width:]
    if layer.pieces:
        layer.remember_pieces(rows, network.spelling)
    _visit(layer, rows, n, network.rng, network.spelling)


def _visit(
    layer: WordLayer,
    rows: NDArray[np.int64],
    n: NDArray[np.int64],
    rng: np.random.Generator,
    spelling: Spelling,
) -> None:
    """Learn directions, then categories, from words drawn as often as they learn online.

    At its nth occurrence a word learns with probability ``visits / sqrt(n)``. Rare words are
    excluded: online, they learn late, when others have settled; here they would count as much as
    others, with a noisy memory, which costs .02 on dev of EWT.
    """
    least, layer.counts[rows] = layer.min_count, n
    enough = int(np.sort(n)[-WORDS_EACH * layer.size :][0])
    layer.min_count = max(least, min(TAUGHT_FROM, enough))
    taught = rows[n >= layer.min_count]
    n = layer.counts[taught]
    chance = np.minimum(layer.visits / np.sqrt(n), 1)
    surely = np.minimum(n, layer.visits**2)
    expected = surely + 2 * layer.visits * (np.sqrt(n) - np.sqrt(surely))
    expected *= min(1, MOST_VISITS / max(expected.sum(), 1))
    remembered, of_pieces = layer.memory_weights, layer.piece_counts.copy()
    layer.memory_weights = remembered._replace(rate=np.float32(0))
    for settled in (False, True):
        if settled:
            layer.begin(rng, spelling)
        times = np.minimum(np.floor(expected + rng.random(len(n))), n).astype(np.int64)
        layer.counts[taught] = n - times  # the visits count up to n
        drawn = rng.permutation(np.repeat(np.arange(len(n)), times))
        for few in np.array_split(drawn, math.ceil(len(drawn) / 64) or 1):
            nothing = np.zeros((len(few), layer.below_size), dtype=np.float32)
            draws = rng.random(len(few)) * chance[few]
            layer.learn(nothing, taught[few].astype(np.int32), draws, spelling)
    layer.memory_weights, layer.min_count = remembered, least
    layer.piece_counts[:] = of_pieces
    layer.encode(rows, spelling)


def _fit_tokens(
    learner: RoleNetwork, network: Network, shards: Shards, encoded: Sequence[Any], round_size: int
) -> None:
    workers, top = shards.workers, network.top
    said = written(network)
    words = workers.hold(_same, network.words_by_row())
    n_rounds = max(1, round(shards.n_tokens / (N_BLOCKS * round_size)))
    arrays = top.arrays()
    waiting = arrays["waiting"]
    for number in range(learner.passes + 1):
        seed = (learner.random_state, 5, number)
        for part in range(n_rounds):
            tokens = round((number + part / n_rounds) * shards.n_tokens / N_BLOCKS)
            standing = workers.hold(_same, (arrays, tokens, top.settled))
            held = [
                workers.hold(learn_tokens, each, said, words, standing, seed, (part, n_rounds))
                for each in encoded
            ]
            found = [state for each in held for state in workers.value(each)]
            arrays = put_together(arrays, found)
            if number == 0:
                waiting = np.concatenate([waiting, *(each["waiting"] for each in found)])
                waiting = waiting[-WAITING * top.size :]
        top.put_in(arrays)
        if number == 0:
            top.restore_waiting(waiting)
            top.begin(network.rng)
            arrays = top.arrays()
    top.tokens = learner.passes * shards.n_tokens
