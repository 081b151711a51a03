"""Hebbian signatures of words: for every word, the sum of the traces around it, over a stream.

The rule is ``S[w] += h``: post is the one-hot code of the word, pre the trace of its context,
eta = 1. `WordSignatures` keeps a column for each of the commonest context words; with
`RandomSignatures` every context word has a random code, so that the width is the same for
any vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbsim.engine._jit import njit
from hebbsim.engine.contexts import sum_word_contexts
from hebbsim.engine.prefetch import prefetch
from hebbsim.engine.timescales import check_timescales
from hebbsim.engine.traces import check_offsets, check_tokens, decays
from hebbsim.errors import BadInputError

__all__ = ["RandomSignatures", "WordSignatures", "sum_random_contexts"]

#: Occurrences of a word after which its sums in float32 begin anew, so that what is added stays
#: large beside them.
LONGEST_SUM = 2**16
#: Tokens after which this is looked at, where a sentence ends.
BLOCK = 2**20

_Form = TypeVar("_Form", bound="_Signatures")


class _Signatures:
    """What both forms share: rows for words, a count of each, a stream of sentences."""

    #: Since the last time that they began anew, shape=(V, sides, S, width).
    _recent: NDArray[np.float32]

    def __init__(self, n_types: int, timescales: str | Iterable[float]) -> None:
        if n_types < 1:
            raise BadInputError(f"n_types is {n_types}: give at least 1")
        self.n_types = n_types
        self.timescales = check_timescales(timescales)
        self.keep, self.alpha = decays(self.timescales)
        self.counts = np.zeros(n_types, dtype=np.int64)
        self._begun = np.zeros(n_types, dtype=np.int64)  # counts when `_recent` began
        self._earlier: dict[int, NDArray[np.float64]] = {}  # sums before that, by word
        self._n_unseen = 0  # tokens since that was last looked at

    def learn(self: _Form, tokens: ArrayLike, offsets: ArrayLike | None = None) -> _Form:
        """Add a chunk of text: the same bits however a stream is cut between sentences.

        Parameters
        ----------
        tokens : array_like of int, shape=(T,)
        offsets : array_like of int, optional
            Where sentences begin and end; without, all tokens are one sentence.

        Raises
        ------
        BadInputError
            A token or an offset is out of range; nothing is added then.
        """
        ids = check_tokens(tokens, self.n_types)
        inner = check_offsets(offsets, len(ids))
        bounds = np.unique(np.concatenate([[0], inner, [len(ids)]])).astype(np.int64)
        first = 0
        while first < len(bounds) - 1:
            start = bounds[first]
            # To the end of the sentence that fills up the tokens between two looks.
            full = start + BLOCK - self._n_unseen
            last = min(int(np.searchsorted(bounds, full)), len(bounds) - 1)
            part = ids[start : bounds[last]]
            self._add(part, bounds[first : last + 1] - start)
            self.counts += np.bincount(part, minlength=self.n_types)
            self._n_unseen += len(part)
            if self._n_unseen >= BLOCK:
                self._begin_anew()
            first = last
        return self

    def _add(self, ids: NDArray[np.int32], bounds: NDArray[np.int64]) -> None:
        """Add sentences that are not empty to `_recent`."""
        raise NotImplementedError

    def _begin_anew(self) -> None:
        """Move the sums of words that occurred often since the last time to `_earlier`."""
        self._n_unseen = 0
        for word in np.flatnonzero(self.counts - self._begun >= LONGEST_SUM).tolist():
            self._earlier[word] = self._earlier.get(word, 0.0) + self._recent[word].astype(float)
            self._recent[word] = 0
            self._begun[word] = self.counts[word]

    def _rows(self, words: NDArray[np.integer]) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self._recent[words]
        for place in np.flatnonzero(np.isin(words, list(self._earlier))):
            rows[place] += self._earlier[int(words[place])]
        return rows

    @property
    def sums(self) -> NDArray[np.float32]:
        """Sum of the contexts of every word; a copy once a word is very frequent."""
        return self._rows(np.arange(self.n_types)) if self._earlier else self._recent

    def means(self, words: ArrayLike | None = None) -> NDArray[np.float32]:
        """Mean context of every word, or of some; zero for a word that has not occurred.

        Returns
        -------
        ndarray of float32, shape=(V, 2, S, width), or of `sums`
        """
        chosen = np.arange(self.n_types) if words is None else check_tokens(words, self.n_types)
        rows = self._rows(chosen)
        counts = np.maximum(self.counts[chosen], 1).astype(np.float32)
        rows /= counts.reshape(-1, *[1] * (rows.ndim - 1))
        return rows


class WordSignatures(_Signatures):
    """Exact signatures: a column for each of the commonest context words.

    Parameters
    ----------
    n_types : int
        V, words with a row; tokens are below it, the commonest words first.
    n_words : int, default=500
        C: context words with a column of their own. The others share column C, the
        sentence boundary has column C + 1.
    timescales : iterable of float, or str, default=(2, 8, 32)
        In tokens; see `check_timescales`.

    Attributes
    ----------
    sums : ndarray of float32, shape=(V, 2, S, C + 2)
        By word, side (left, right), timescale, column. All the memory there is but for
        eight bytes a token of the longest chunk, up to a million tokens, and sums in float64
        of words that occurred 65,536 times and more.
    counts : ndarray of int64, shape=(V,)
        Occurrences of every word.

    Examples
    --------
    >>> signatures = WordSignatures(n_types=3, n_words=3, timescales=2)
    >>> signatures.learn([0, 1, 2]).sums[2, 0, 0]  # left: 1, 0, the boundary
    array([0.25 , 0.5  , 0.   , 0.   , 0.125], dtype=float32)
    """

    def __init__(
        self, n_types: int, n_words: int = 500, timescales: str | Iterable[float] = (2, 8, 32)
    ) -> None:
        super().__init__(n_types, timescales)
        if n_words < 0:
            raise BadInputError(f"n_words is {n_words}: give 0 or more")
        self.n_words = n_words
        shape = (n_types, 2, len(self.timescales), n_words + 2)
        self._recent = np.zeros(shape, dtype=np.float32)

    def _add(self, ids: NDArray[np.int32], bounds: NDArray[np.int64]) -> None:
        longest = int(np.diff(bounds).max(initial=0))
        slowest = float(self.timescales.max())
        # Further back a trace has faded to less than float32 tells from nothing.
        reach = 1 if slowest == 1 else math.ceil(-24 * math.log(2) / math.log1p(-1 / slowest))
        lags = np.arange(min(reach, longest + 1))
        alpha = 1 / self.timescales[:, None]
        weights = (alpha * (1 - alpha) ** lags).astype(np.float32)
        sum_word_contexts(ids, bounds, self.n_words, weights, self._recent)


class RandomSignatures(_Signatures):
    """Signatures over random codes of the context words: one width for any vocabulary.

    A code holds sqrt(3 / width) times -1, 0 or 1 with chances 1/6, 2/3, 1/6, so that
    products of signatures are, up to noise that falls as 1 / sqrt(width), those of the exact
    ones. Source: Achlioptas (2003), "Database-friendly random projections", J. Comput. Syst.
    Sci. 66, theorem 1.1.

    Parameters
    ----------
    n_types : int
        V; tokens are below it.
    width : int, default=256
    timescales : iterable of float, or str, default=(2, 8, 32)
        In tokens; see `check_timescales`.
    sides : {1, 2}, default=2
        Left contexts alone, or left and right.
    random_state : int, default=0
        Of the codes.

    Attributes
    ----------
    codes : ndarray of int8, shape=(V + 1, width)
        Signs of the codes; the last is the sentence boundary's.
    sums : ndarray of float32, shape=(V, sides, S, width)
        By word, side (left, right), timescale. With the codes, and sums in float64 of words
        that occurred 65,536 times and more, all the memory there is.
    counts : ndarray of int64, shape=(V,)
        Occurrences of every word.

    Examples
    --------
    >>> signatures = RandomSignatures(n_types=4, width=4096, timescales=2)
    >>> _ = signatures.learn([0, 1, 2, 0, 3, 2], offsets=[0, 3, 6])
    >>> left = signatures.means()[:, 0, 0]
    >>> bool(left[1] @ left[3] > 0.3), bool(abs(left[1] @ left[2]) < 0.2)
    (True, True)
    """

    def __init__(
        self,
        n_types: int,
        width: int = 256,
        timescales: str | Iterable[float] = (2, 8, 32),
        sides: int = 2,
        random_state: int = 0,
    ) -> None:
        super().__init__(n_types, timescales)
        if width < 1:
            raise BadInputError(f"width is {width}: give at least 1")
        if sides not in (1, 2):
            raise BadInputError(f"sides is {sides!r}: give 1 (left) or 2 (left and right)")
        rng = np.random.default_rng(random_state)
        faces = np.array([-1, 0, 0, 0, 0, 1], dtype=np.int8)
        self.codes = faces[rng.integers(0, 6, (n_types + 1, width), dtype=np.int8)]
        self.scale = np.float32(math.sqrt(3 / width))
        self._recent = np.zeros((n_types, sides, len(self.timescales), width), dtype=np.float32)

    def _add(self, ids: NDArray[np.int32], bounds: NDArray[np.int64]) -> None:
        _, _, n_scales, width = self._recent.shape
        trace = np.empty((n_scales, width), dtype=np.float32)
        code = np.empty(width, dtype=np.float32)
        sum_random_contexts(
            ids, bounds, self.codes, self.scale, self.keep, self.alpha, trace, code, self._recent
        )


@njit
def sum_random_contexts(ids, offsets, codes, scale, keep, alpha, trace, code, sums):
    """Add to every word the traces of the codes around it.

    Words follow each other all over the memory: rows are fetched four tokens ahead.

    Parameters
    ----------
    ids : ndarray of int32, shape=(T,)
        Below V.
    offsets : ndarray of int64, shape=(N + 1,)
        From 0 to T.
    codes : ndarray of int8, shape=(V + 1, D)
        The last is the boundary's.
    scale : float32
        Of the codes.
    keep, alpha : ndarray of float32, shape=(S,)
    trace : ndarray of float32, shape=(S, D)
        Work space.
    code : ndarray of float32, shape=(D,)
        Work space.
    sums : ndarray of float32, shape=(V, sides, S, D)
        Added to.
    """
    n_sides, n_scales, width = sums.shape[1:]
    for n in range(len(offsets) - 1):
        start, stop = offsets[n], offsets[n + 1]
        for side in range(n_sides):
            for s in range(n_scales):
                for c in range(width):
                    trace[s, c] = alpha[s] * scale * codes[len(codes) - 1, c]
            for i in range(start, stop):
                word = ids[i if side == 0 else start + stop - 1 - i]
                ahead = i + 4 if side == 0 else start + stop - 1 - i - 4
                coming = ids[ahead] if start <= ahead < len(ids) else word
                prefetch(codes, coming * width, width)
                for c in range(width):
                    code[c] = scale * codes[word, c]
                for s in range(n_scales):
                    # A scale at a time: all at once, requests would wait for one another.
                    prefetch(sums, ((coming * n_sides + side) * n_scales + s) * width, width)
                    k, a = keep[s], alpha[s]
                    for c in range(width):
                        h = trace[s, c]
                        sums[word, side, s, c] += h
                        trace[s, c] = k * h + a * code[c]
