"""The context of every token of a sentence: left and right traces of codes."""

from hebbsim.engine._jit import njit


@njit
def sentence_contexts(rows, keep, alpha, out):
    """Fill `out`, shape=(L, 2, S, C + 1), with left and right traces, excluding the token itself.

    `rows`, shape=(L, C), are the codes of the tokens, each of sum one; `keep` is 1 - 1/tau and
    `alpha` 1/tau, shape=(S,). The sentence boundary has a code of its own, the last column. Traces
    start as if they had absorbed it for ever, so that every trace sums to one.
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
    """`sentence_contexts` of several sentences, which end at `ends`, int64."""
    first = 0
    for last in ends:
        sentence_contexts(rows[first:last], keep, alpha, out[first:last])
        first = last
