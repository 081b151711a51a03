"""What stands around every token of a sentence: left and right traces of codes."""

from __future__ import annotations

from hebbsim.engine._jit import njit

__all__ = ["contexts_of_sentences", "sentence_contexts"]


@njit
def sentence_contexts(rows, keep, alpha, out):
    """Left and right traces at every token of one sentence, the token itself left out.

    The boundary has a code of its own, the last column. Traces begin full of it, as if it had
    gone on for ever, so that what a trace holds adds up to one at every token.

    Parameters
    ----------
    rows : ndarray of float32, shape=(L, C)
        Codes of the tokens; their numbers add up to one.
    keep, alpha : ndarray of float32, shape=(S,)
        1 - 1/tau and 1/tau.
    out : ndarray of float32, shape=(L, 2, S, C + 1)
        Filled: left and right, by timescale.
    """
    n_tokens, width = rows.shape
    for side in range(2):
        for i in range(n_tokens):
            t = i if side == 0 else n_tokens - 1 - i
            before = t - 1 if side == 0 else t + 1
            for s in range(len(keep)):
                k, a = keep[s], alpha[s]
                if i == 0:
                    for c in range(width):
                        out[t, side, s, c] = 0
                    out[t, side, s, width] = 1
                else:
                    for c in range(width):
                        out[t, side, s, c] = k * out[before, side, s, c] + a * rows[before, c]
                    out[t, side, s, width] = k * out[before, side, s, width]


@njit
def contexts_of_sentences(rows, ends, keep, alpha, out):
    """The same of several sentences, which end at `ends`, an ndarray of int64."""
    first = 0
    for last in ends:
        sentence_contexts(rows[first:last], keep, alpha, out[first:last])
        first = last
