"""Token streams for the identity experiment: random tokens, or the words of a corpus."""

from dataclasses import dataclass

import numpy as np

from hebbsim.errors import BadInputError
from hebbsim.probes.identity import entropy
from hebbsim.probes.identity.states import Floats, Ints
from hebbsim.readers.base import Corpus


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
