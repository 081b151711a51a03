"""Contexts of word types: left and right traces, summed by type.

The Hebbian step behind a type's signature is ``S[w] += h``: post is the one-hot code of the
word, pre the trace of its context, eta = 1. Divided by the word's count it is the mean
context of the word (Redington, Chater & Finch 1998 for counts in place of traces).

Sides are left (the trace of what came before, in this sentence) and right (the same
recurrence run backwards from the sentence's end). Both start at the boundary: a code of its
own that stands just outside the sentence.
"""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.prefetch import prefetch

__all__ = ["sum_word_contexts"]


@njit
def sum_word_contexts(ids, offsets, n_words, weights, sums):
    """Add to every word the traces of the words around it: one-hot, exact up to a reach.

    A one-hot trace holds alpha (1 - alpha)**k of the word k tokens back, so within a
    sentence it is a sum over few neighbours, whatever the size of the vocabulary.

    Parameters
    ----------
    ids : ndarray of int32, shape=(T,)
        Word types, the commonest first; -1 is a word without a row.
    offsets : ndarray of int64, shape=(N + 1,)
    n_words : int
        C: the types below it have a column of their own, the others share one, the
        sentence boundary has the last.
    weights : ndarray of float32, shape=(S, reach)
        alpha_s (1 - alpha_s)**k for k = 0 .. reach - 1.
    sums : ndarray of float32, shape=(V, 2, S, C + 2)
        Added to.

    Notes
    -----
    Words take their turn, about a million tokens at a time, so that a row is fetched once
    for all its occurrences. A row is added to in the order of the text: the same bits as
    token by token, however the text is cut at the ends of sentences. What the next
    occurrence adds to is fetched while this one is added, for the first eight of each word:
    the rest of a word's are mostly in the cache.
    """
    n_scales, reach = weights.shape
    n_rows = len(sums)
    n_sentences = len(offsets) - 1
    columns = np.empty(0, np.int32)
    places = np.empty(0, np.int32)
    near = np.empty(reach, np.int64)
    ends = np.empty(n_rows + 1, np.int64)
    first = 0
    while first < n_sentences:
        last = first + 1
        while last < n_sentences and offsets[last + 1] - offsets[first] <= 1 << 20:
            last += 1
        size = offsets[last] - offsets[first] + last - first + 1
        if size > len(columns):
            columns = np.empty(size, np.int32)
            places = np.empty(size, np.int32)
        _sort_by_word(ids, offsets[first : last + 1], n_words, columns, places, ends)
        start = 0
        ahead, begin = 0, 0  # the word of the next occurrence, and its first
        for word in range(n_rows):
            for i in range(start, ends[word]):
                while ahead < n_rows and ends[ahead] <= i + 1:
                    begin = ends[ahead]
                    ahead += 1
                if ahead < n_rows and i + 1 - begin < 8:
                    _fetch(columns, places[i + 1], ahead, reach, sums)
                for side in range(2):
                    step = -1 if side == 0 else 1
                    at = places[i]
                    n_near = 0
                    while n_near < reach:
                        at += step
                        near[n_near] = columns[at]
                        n_near += 1
                        if columns[at] == n_words + 1:
                            break
                    for s in range(n_scales):
                        for k in range(n_near):
                            sums[word, side, s, near[k]] += weights[s, k]
            start = ends[word]
        first = last


@njit
def _fetch(columns, place, word, reach, sums):
    """Ask for the sums that an occurrence of a word at this place adds to."""
    n_scales, width = sums.shape[2:]
    for side in range(2):
        row = (word * 2 + side) * n_scales
        step = -1 if side == 0 else 1
        at = place
        for _ in range(reach):
            at += step
            for s in range(n_scales):
                prefetch(sums, (row + s) * width + columns[at], 1)
            if columns[at] == width - 1:
                break


@njit
def _sort_by_word(ids, offsets, n_words, columns, places, ends):
    """Sentences as columns, a boundary on either side, and where each word stands in them.

    The places of a word are ``places[ends[word - 1] : ends[word]]``, in the order of the
    text, for every word below ``len(ends) - 1``.
    """
    n_rows = len(ends) - 1
    for word in range(n_rows + 1):
        ends[word] = 0
    columns[0] = n_words + 1
    at = 1
    for n in range(len(offsets) - 1):
        for t in range(offsets[n], offsets[n + 1]):
            word = ids[t]
            columns[at] = word if 0 <= word < n_words else n_words
            if 0 <= word < n_rows:
                ends[word + 1] += 1
            at += 1
        columns[at] = n_words + 1
        at += 1
    for word in range(n_rows):
        ends[word + 1] += ends[word]
    at = 1
    for n in range(len(offsets) - 1):
        for t in range(offsets[n], offsets[n + 1]):
            word = ids[t]
            if 0 <= word < n_rows:
                places[ends[word]] = at  # where it starts, until it has moved to the end
                ends[word] += 1
            at += 1
        at += 1
