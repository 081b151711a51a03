"""What the identity experiment decodes: token streams; sentences, labels, codes and states."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine.network import Network, TokenLayer, WordLayer
from hebbsim.engine.values import LARGEST
from hebbsim.errors import BadInputError
from hebbsim.experiments.identity.config import IdentityConfig
from hebbsim.probes.identity import entropy, get_memory, make_codes
from hebbsim.probes.identity.states import Floats, Ints
from hebbsim.readers.annotation import structure, subject_distances
from hebbsim.readers.base import Corpus, Split
from hebbsim.readers.loading import cut

#: Name of the property that is the word itself.
CONTENT = "word"
#: Number of words to distinguish; all rarer words are one class.
N_WORDS = 300
#: Memories that need torch: an untrained GRU, and the forward half of a BiGRU.
NETWORKS = ("gru", "bigru")
#: Number of sentences that the BiGRU learns from.
_NETWORK_SENTENCES = 1200
#: Of the layer that learns codes: context words with their own column in its memory; length of the
#: pieces that a stream without sentences is cut into, in tokens; words that occur up to this many
#: times define the code of unseen words.
_CONTEXT_WORDS, _CUT, _SEEN = 500, 1000, 3


#: States of a memory after every token, shape=(T, M), by split.
SplitStates = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Sample:
    """Sentences of a split, encoded as numbers."""

    split: Split
    #: Number of each word, the same in all splits, most frequent in train first, shape=(T,).
    types: Ints
    #: Position in the sentence, shape=(T,).
    place: Ints
    #: By property, each of shape (T,); -1 if it does not apply.
    labels: dict[str, Ints]
    #: Distance from the subject to each finite verb, shape=(T,); 0 elsewhere.
    distances: Ints

    def padded(self) -> tuple[Ints, NDArray[np.bool_]]:
        """Types by sentence, padded, shape=(B, L), and a mask of the tokens."""
        lengths = np.diff(self.split.offsets)
        inside = np.arange(lengths.max()) < lengths[:, None]
        table = np.zeros(inside.shape, dtype=np.int64)
        table[inside] = self.types
        return table, inside


@dataclass(frozen=True, eq=False)
class Material:
    """Data for one seed: sentences to train on, to calibrate on, and to score."""

    #: ``train``, ``dev``, ``test``.
    parts: dict[str, Sample]
    #: Labels of each property by number; for `CONTENT`, the words.
    names: dict[str, NDArray[np.str_]]
    #: Random label of every word type, by property, each of shape (V,).
    controls: dict[str, Ints]
    #: V words, most frequent in train first.
    words: list[str]
    #: Occurrences of each word in all of train, shape=(V,).
    counts: Ints
    #: All of train.
    whole: Split


def draw_material(corpus: Corpus, config: IdentityConfig, seed: int) -> Material:
    """Draw sentences of each split up to the configured tokens; BadInputError if too few."""
    splits = corpus.splits
    if not {"dev", "test"} <= splits.keys():
        splits = cut(splits["train"])
    if not {"dev", "test"} <= splits.keys():
        raise BadInputError(
            f"--structure {corpus.name}: too few sentences to learn from and to score; "
            "give a longer corpus, or --structure none"
        )
    rng = np.random.default_rng([seed, 3])
    half = config.probe_states // 2
    wanted = {"train": config.probe_training, "dev": half, "test": half}
    chosen = {name: _draw(splits[name], n, rng) for name, n in wanted.items()}
    whole = splits["train"]
    words, counts = np.unique(whole.forms, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    number = {word: i for i, word in enumerate(words[order].tolist())}
    for split in chosen.values():
        for word in split.forms.tolist():
            number.setdefault(word, len(number))
    all_counts = np.zeros(len(number), dtype=np.int64)
    all_counts[: len(counts)] = counts[order]

    of_train = structure(corpus, chosen["train"])
    names = {name: np.unique(values[values != ""]) for name, values in of_train.items()}
    names[CONTENT] = np.array(list(number)[: min(N_WORDS, len(words))])
    parts = {}
    for key, split in chosen.items():
        types = np.array([number[word] for word in split.forms.tolist()])
        labels = {CONTENT: np.minimum(types, len(names[CONTENT]) - 1)}
        for name, values in structure(corpus, split).items():
            if name in of_train:
                at = np.minimum(np.searchsorted(names[name], values), len(names[name]) - 1)
                labels[name] = np.where(names[name][at] == values, at, -1)
        place = np.arange(split.n_tokens) - np.repeat(split.offsets[:-1], np.diff(split.offsets))
        parts[key] = Sample(split, types, place, labels, subject_distances(split))
    controls = {}
    for name in of_train:
        known = parts["train"].labels[name]
        controls[name] = rng.choice(known[known >= 0], size=len(number))
    return Material(parts, names, controls, list(number), all_counts, whole)


def _draw(split: Split, n_tokens: int, rng: np.random.Generator) -> Split:
    order = rng.permutation(split.n_sentences)
    total = np.cumsum(np.diff(split.offsets)[order])
    return split.subset(order[: int(np.searchsorted(total, n_tokens)) + 1])


def fixed_states(
    name: str, material: Material, codes: Floats, taus: Floats, seed: int
) -> SplitStates:
    """States of an untrained memory after every token, shape=(T, M), by split."""
    found = {}
    for key, part in material.parts.items():
        # The same random weights for every split.
        memory = get_memory(name)(codes, taus, np.random.default_rng([seed, 4]))
        table, inside = part.padded()
        found[key] = memory.run(table)[inside]
    return found


def network_states(
    name: str, corpus: Corpus, material: Material, size: int, seed: int
) -> SplitStates:
    """States of a GRU of `size` units after every token, by split.

    ``bigru`` is the forward half of a BiGRU that learned the roles of the corpus; ``gru`` has
    random weights and inputs of unit variance. Raises TorchMissingError without torch.
    """
    from hebbsim.baselines.bigru import train_bigru, untrained_bigru
    from hebbsim.baselines.config import config_for

    whole = material.whole
    config = replace(config_for(whole), hidden=size, layers=1)
    if name == "gru":
        config = replace(config, affix_size=0, embedding_scale=1.0)
        network = untrained_bigru(whole, config, seed=seed)
    else:
        assert corpus.layer is not None
        rng = np.random.default_rng([seed, 5])
        few = rng.permutation(whole.n_sentences)[:_NETWORK_SENTENCES]
        network = train_bigru(whole.subset(few), corpus.layer, config=config, seed=seed)
    return {
        key: network.forward_states(part.split.sentences()) for key, part in material.parts.items()
    }


def corpus_codes(
    material: Material, dim: int, seed: int, kind: str = "random", n_types: int | None = None
) -> Floats:
    """A code for each of `n_types` types (default: all words), random or learned, shape=(V, D)."""
    n_types = len(material.counts) if n_types is None else n_types
    rng = np.random.default_rng([seed, 6])
    if kind != "learned":
        return make_codes(n_types, dim, rng)
    whole = material.whole
    number = {word: i for i, word in enumerate(material.words)}
    ids = np.array([number[word] for word in whole.forms.tolist()])
    return learned_codes(ids, n_types, dim, rng, whole.offsets)


def learned_codes(
    tokens: ArrayLike, n_types: int, dim: int, rng: np.random.Generator, offsets: ArrayLike | None
) -> Floats:
    """Codes that a word layer learns from contexts, shape=(V, D), with mean square length 1.

    The layer is that of the role network: the memory of each word for the traces around it,
    projected on the directions in which the memories of words differ most. Values have float32
    precision, like random codes.

    `tokens`, shape=(T,), are type numbers, most frequent type first; `offsets` delimit sentences
    (None: one stream). `rng` draws the initial directions and the tokens that they learn from. A
    type that `tokens` lacks gets the mean code of the types that occur up to three times.

    >>> rng = np.random.default_rng(0)
    >>> text = rng.integers(2, size=400) + np.tile([0, 2], 200)  # one of 0, 1, then of 2, 3
    >>> codes = learned_codes(text, 4, 2, rng, None)
    >>> bool(np.linalg.norm(codes[0] - codes[1]) < np.linalg.norm(codes[0] - codes[2]))
    True
    """
    tokens = np.asarray(tokens)
    bounds = [*range(0, len(tokens), _CUT), len(tokens)] if offsets is None else np.asarray(offsets)
    layer = WordLayer("first", "text", size=1, settle=LARGEST, n_directions=dim)
    network = Network(
        [layer, TokenLayer("tokens", "first", size=1, start=LARGEST)],
        timescales=(2, 8),
        max_words=n_types,
        context_words=min(_CONTEXT_WORDS, n_types),
        random_state=int(rng.integers(2**31)),
    )
    names = tokens.astype(str).tolist()
    network.learn(names[first:last] for first, last in pairwise(bounds))

    seen = np.array([int(name) for name in network.index])
    rows = np.array(list(network.index.values()))
    found = np.zeros((n_types, dim), dtype=np.float32)
    found[seen] = layer.locate(rows, network.spelling)
    hardly = seen[network.counts[rows] <= _SEEN]
    unseen = np.setdiff1d(np.arange(n_types), seen)
    found[unseen] = found[hardly if len(hardly) else seen].mean(axis=0)
    codes = found / np.sqrt((found[seen] ** 2).sum(axis=1).mean())
    return codes.astype(np.float32).astype(np.float64)


@dataclass(frozen=True, eq=False)
class TokenSource:
    """A source of tokens."""

    name: str
    #: For a text: counts of its first half, plus one half each, shape=(V,).
    prior: Floats
    #: shape=(T,); None if tokens are independent draws from the prior.
    text: Ints | None = None
    #: Corpus of the text.
    corpus: Corpus | None = None

    @property
    def entropy(self) -> float:
        """Bits per token under the prior; for a text, the cross-entropy of its second half."""
        if self.text is None:
            return entropy(self.prior)
        return float(-np.log2(self.prior[self.halves[1]]).mean())

    @property
    def halves(self) -> tuple[Ints, Ints]:
        """The half for training, and the half for decoding."""
        assert self.text is not None
        middle = len(self.text) // 2
        return self.text[:middle], self.text[middle:]

    def streams(
        self, n_streams: int, length: int, rng: np.random.Generator, *, training: bool = False
    ) -> Ints:
        """Streams, shape=(n_streams, length), from random places of one half of a text."""
        if self.text is None:
            return rng.choice(len(self.prior), size=(n_streams, length), p=self.prior)
        half = self.halves[0 if training else 1]
        if len(half) < length:
            raise BadInputError(
                f"--stream {self.name}: half of its {len(self.text):,} tokens are too few for "
                f"streams of {length:,}; give a longer text, fewer lags or shorter timescales"
            )
        starts = rng.integers(len(half) - length + 1, size=n_streams)
        return half[starts[:, None] + np.arange(length)]


def make_source(stream: str, n_types: int, *, offline: bool = False) -> TokenSource:
    """Make the source of a stream by name.

    ``uniform``; ``zipf``, where type i has frequency proportional to 1 / i; or a name or path for
    `load_corpus`, whose training split is read as one stream. Of a corpus, the V - 1 most frequent
    types are distinguished and all others share one; V is smaller if the corpus has fewer types.
    Raises BadInputError if the corpus cannot be read or is too small.
    """
    if stream == "uniform":
        return TokenSource(stream, np.full(n_types, 1 / n_types))
    if stream == "zipf":
        weights = 1 / np.arange(1, n_types + 1)
        return TokenSource(stream, weights / weights.sum())
    from hebbsim.readers import load_corpus

    corpus = load_corpus(stream, offline=offline)
    types, ids, counts = np.unique(
        corpus.splits["train"].forms, return_inverse=True, return_counts=True
    )
    if len(types) < 2:
        raise BadInputError(f"--stream {stream}: it has only one type; there is nothing to decode")
    rank = np.empty(len(types), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(types))
    text = np.minimum(rank, n_types - 1)[ids.ravel()]
    n_types = min(n_types, len(types))
    seen = np.bincount(text[: len(text) // 2], minlength=n_types) + 0.5
    return TokenSource(corpus.name, seen / seen.sum(), text, corpus)
