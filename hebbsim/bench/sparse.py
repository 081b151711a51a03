"""Work C: Hebbian signatures of one-hot words: for every word, the sum of the traces around it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbsim.bench.harness import Contender
from hebbsim.bench.work import TIMESCALES, Work

__all__ = ["sparse", "zipf_corpus"]

#: Words on either side that count as neighbours where a peer has a window: gensim's default.
WINDOW = 5

Floats = NDArray[np.float32]
Run = Callable[[], Any]


def zipf_corpus(
    n_types: int, n_tokens: int, seed: int = 0
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Tokens with the frequencies of natural text, in sentences of 1 to 40.

    Frequency falls as 1 / (rank + 2.7) (Mandelbrot 1953); words are numbered by rank.

    Returns
    -------
    ids : ndarray of int32, shape=(T,)
    offsets : ndarray of int64, shape=(N + 1,)
    """
    rng = np.random.default_rng(seed)
    share = np.cumsum(1 / (np.arange(n_types) + 2.7))
    ids = np.searchsorted(share, rng.random(n_tokens) * share[-1]).astype(np.int32)
    lengths = rng.integers(1, 41, size=n_tokens)
    ends = np.cumsum(lengths)
    inner = ends[: np.searchsorted(ends, n_tokens)]
    return ids, np.concatenate([[0], inner, [n_tokens]]).astype(np.int64)


def sparse(
    n_types: int = 50_000,
    timescales: Sequence[float] = TIMESCALES,
    width: int = 256,
    n_columns: int = 500,
    n_tokens: int = 2**20,
) -> Work:
    """Signatures over random codes of the context words, and exact over the words themselves.

    Within the sentence. Projected: the left side, S times `width` values a word, which are
    read and written in no order of memory. Exact: both sides; the `n_columns` commonest
    context words are told apart. gensim: embeddings of `width` values, trained on the words
    up to `WINDOW` away on both sides, with five negative samples each.
    """
    inputs = _Inputs(*zipf_corpus(n_types, n_tokens), n_types, timescales, width, n_columns)
    n_scales = len(timescales)
    common: dict[str, Any] = {"most": n_tokens, "unit": "words"}
    window = f"window of {WINDOW}, no timescales"
    return Work(
        "sparse",
        f"one-hot signatures, V={n_types // 1000}k, S={n_scales}",
        [
            Contender("exact", inputs.exact, "numba", True, _rows, **common),
            Contender("exact, continued", inputs.exact_continued, "numba", True, **common,
                      note="added to the sums of earlier text, which exact clears"),
            Contender("hash map", inputs.hash_map, "numba", False, _hashed_rows, **common,
                      note="numba.typed.Dict from pairs of words to sums"),
            Contender("projected", inputs.projected, "numba", True, **common,
                      bytes=8.0 * n_scales * width + width, limit="DRAM read+write",
                      note=f"RandomSignatures.learn, left side, D={width}"),
            Contender("gensim CBOW", inputs.cbow, "gensim", **common,
                      note=f"D={width}, {window}, negative sampling: another computation"),
            Contender("gensim skip-gram", inputs.skip_gram, "gensim", **common,
                      note="as CBOW"),
            Contender("co-occurrence count", inputs.cooccurrence, "scipy", **common,
                      note=f"scipy.sparse, {window}"),
        ],
        size={"V": n_types, "D": width, "S": n_scales, "C": n_columns},
    )  # fmt: skip


class _Inputs:
    """The corpus, and each contender's way through it."""

    def __init__(
        self,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        n_types: int,
        timescales: Sequence[float],
        width: int,
        n_columns: int,
    ) -> None:
        self.ids, self.offsets = ids, offsets
        self.n_types, self.width, self.n_columns = n_types, width, n_columns
        self.timescales = timescales
        alpha = 1 / np.array(timescales)
        lags = np.arange(np.diff(offsets).max() + 1)
        self.weights = (alpha[:, None] * (1 - alpha)[:, None] ** lags).astype(np.float32)

    def part(self, n: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The first n tokens, the last sentence cut."""
        whole = self.offsets[self.offsets < n]
        return self.ids[:n], np.append(whole, n)

    # Ours --------------------------------------------------------------------------------

    def exact(self, n: int) -> Run:
        run, sums = self._exact(n)
        met = np.unique(self.ids[:n])

        def anew() -> tuple[Any, ...]:
            sums[met] = 0
            run()
            return sums, met

        return anew

    def exact_continued(self, n: int) -> Run:
        return self._exact(n)[0]

    def _exact(self, n: int) -> tuple[Run, Floats]:
        from hebbsim.engine.contexts import sum_word_contexts

        ids, offsets = self.part(n)
        shape = self.n_types, 2, len(self.timescales), self.n_columns + 2
        sums = np.zeros(shape, np.float32)
        return lambda: sum_word_contexts(ids, offsets, self.n_columns, self.weights, sums), sums

    def projected(self, n: int) -> Run:
        from hebbsim.engine import RandomSignatures

        ids, offsets = self.part(n)
        signatures = RandomSignatures(self.n_types, self.width, self.timescales, sides=1)
        return lambda: signatures.learn(ids, offsets)

    # Peers -------------------------------------------------------------------------------

    def hash_map(self, n: int) -> Run:
        from numba import int64, typed

        from hebbsim.engine.limits import count_pairs

        ids, offsets = self.part(n)
        met = np.unique(ids)

        def run() -> tuple[Any, ...]:
            places = typed.Dict.empty(int64, int64)
            sums = count_pairs(ids, offsets, self.n_columns, self.weights, places)
            return places, sums, met, self.n_columns

        return run

    def cbow(self, n: int) -> Run:
        return self._word2vec(n, sg=0)

    def skip_gram(self, n: int) -> Run:
        return self._word2vec(n, sg=1)

    def _word2vec(self, n: int, sg: int) -> Run:
        from gensim.models import Word2Vec

        logging.getLogger("gensim").setLevel(logging.ERROR)
        ids, offsets = self.part(n)
        words = [str(i) for i in ids.tolist()]
        sentences = [words[a:b] for a, b in pairwise(offsets)]
        counts = np.bincount(self.ids, minlength=self.n_types)
        model = Word2Vec(
            sg=sg, vector_size=self.width, window=WINDOW, min_count=1, workers=1, seed=0
        )
        # All words, also of a part: a small vocabulary would stay in the cache.
        model.build_vocab_from_freq({str(i): int(c) for i, c in enumerate(counts) if c})
        return lambda: model.train(sentences, total_examples=len(sentences), epochs=1)

    def cooccurrence(self, n: int) -> Run:
        from scipy.sparse import coo_array

        ids, offsets = self.part(n)
        sentence = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
        shape = (self.n_types, self.n_types)

        def run() -> Any:
            pairs = []
            for k in range(1, WINDOW + 1):
                together = sentence[k:] == sentence[:-k]
                pairs.append((ids[k:][together], ids[:-k][together]))
            rows, columns = (np.concatenate(side) for side in zip(*pairs, strict=True))
            left = coo_array((np.ones(len(rows), np.float32), (rows, columns)), shape=shape).tocsr()
            return left + left.T

        return run


# Results: exact sums of the words met, shape=(U, 2, S, C + 2) --------------------------------


def _rows(result: Any) -> Floats:
    sums, met = result
    return sums[met]


def _hashed_rows(result: Any) -> Floats:
    places, sums, met, n_columns = result
    rows = np.zeros((len(met), 2, sums.shape[1], n_columns + 2), np.float32)
    for key, place in places.items():
        word, rest = divmod(key, 2 * (n_columns + 2))
        side, column = divmod(rest, n_columns + 2)
        rows[np.searchsorted(met, word), side, :, column] = sums[place]
    return rows
