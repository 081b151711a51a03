"""Contexts of tokens and of word types: left and right traces, read out or summed by type.

The Hebbian step behind a type's signature is ``S[w] += h``: post is the one-hot code of the
word, pre the trace of its context, eta = 1. Divided by the word's count it is the mean
context of the word (Redington, Chater & Finch 1998 for counts in place of traces).

Sides are left (the trace of what came before, in this sentence) and right (the same
recurrence run backwards from the sentence's end). Both start at the boundary: a code of its
own that stands just outside the sentence.
"""

from __future__ import annotations

from hebbsim.engine._jit import njit

__all__ = ["code_contexts", "sum_code_contexts", "sum_word_contexts"]


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
    """
    n_scales, reach = weights.shape
    for n in range(len(offsets) - 1):
        start, stop = offsets[n], offsets[n + 1]
        for t in range(start, stop):
            word = ids[t]
            if word < 0 or word >= len(sums):
                continue
            for side in range(2):
                step = -1 if side == 0 else 1
                for k in range(reach):
                    at = t + step * (k + 1)
                    if at < start - 1 or at > stop:
                        break
                    if at < start or at == stop:
                        column = n_words + 1
                    elif 0 <= ids[at] < n_words:
                        column = ids[at]
                    else:
                        column = n_words
                    for s in range(n_scales):
                        sums[word, side, s, column] += weights[s, k]


@njit
def _sweep(ids, start, stop, backward, codes, keep, alpha, trace, out):
    """One side of one sentence: out[t] is the trace before token t is absorbed."""
    n_scales, width = trace.shape
    for s in range(n_scales):
        for c in range(width):
            trace[s, c] = 0
        trace[s, width - 1] = alpha[s]  # the boundary, absorbed by an empty trace
    for i in range(stop - start):
        t = stop - 1 - i if backward else start + i
        code = codes[ids[t]]
        for s in range(n_scales):
            h = trace[s]
            o = out[t - start, s]
            for c in range(width):
                o[c] = h[c]
            for c in range(width):
                h[c] = keep[s] * h[c]
            for c in range(width - 1):
                h[c] += alpha[s] * code[c]


@njit
def code_contexts(ids, offsets, codes, keep, alpha, trace, out):
    """Left and right traces of codes at every token.

    Parameters
    ----------
    ids : ndarray of int32, shape=(T,)
        Rows of `codes`.
    offsets : ndarray of int64, shape=(N + 1,)
        From 0 to T.
    codes : ndarray of float32, shape=(V, C)
    keep, alpha : ndarray of float32, shape=(S,)
        1 - 1/tau and 1/tau.
    trace : ndarray of float32, shape=(S, C + 1)
        Work space.
    out : ndarray of float32, shape=(2, T, S, C + 1)
        Filled; the last column is the trace of the sentence boundary.
    """
    for n in range(len(offsets) - 1):
        start, stop = offsets[n], offsets[n + 1]
        _sweep(ids, start, stop, False, codes, keep, alpha, trace, out[0, start:stop])
        _sweep(ids, start, stop, True, codes, keep, alpha, trace, out[1, start:stop])


@njit
def sum_code_contexts(ids, offsets, codes, keep, alpha, trace, row, sums):
    """Add to every word the traces of the codes around it.

    As `code_contexts`, with `row` of shape=(longest sentence, S, C + 1) as further work
    space and `sums` of shape=(V, 2, S, C + 1) added to. Words from V on have no row.
    """
    n_scales, width = trace.shape
    for n in range(len(offsets) - 1):
        start, stop = offsets[n], offsets[n + 1]
        for side in range(2):
            _sweep(ids, start, stop, side == 1, codes, keep, alpha, trace, row)
            for t in range(start, stop):
                if ids[t] < len(sums):
                    for s in range(n_scales):
                        total = sums[ids[t], side, s]
                        h = row[t - start, s]
                        for c in range(width):
                            total[c] += h[c]
