"""Rules that are linear in the weights: ``W += gain (x − y) hᵀ`` with ``y = W h``.

:func:`in_order` processes token by token: bit-identical, however a stream is cut.
:func:`in_blocks` processes four tokens and four units at a time. It computes the responses to the
four tokens with the old weights, corrects each for the updates by the earlier ones,

    y_k = W h_k + Σ_{l<k} gain (x_l − y_l) h_l·h_k,

and adds the four updates at once, which is exact up to rounding. Eight loads serve sixteen
multiply-adds, and weights are stored once for four tokens. This is the chunked form
of the delta rule (Yang, S., Wang, B., Zhang, Y., Shen, Y. & Kim, Y. (2024). Parallelizing
linear transformers with the delta rule over sequence length. NeurIPS 37, section 3) with a
chunk that fits into registers.
"""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply_rows
from hebbsim.engine.rules._ops import add_scaled, dot


@njit
def in_order(weights, pre, tokens, table, targeted, gain, post):
    """Learn token by token; x is the token's vector, or 0 if not `targeted`."""
    for i in range(len(weights)):
        _learn_unit(weights, i, pre, tokens, table, targeted, gain, post)


@njit
def in_blocks(weights, pre, tokens, table, targeted, gain, post):
    """Learn four tokens and four units at a time; the remainder is learned in order."""
    n_units = len(weights) // 4 * 4
    n_tokens = len(pre) // 4 * 4
    product = np.empty((n_tokens, 4), np.float32)
    for t in range(n_tokens):
        for k in range(t // 4 * 4, t):
            product[t, k % 4] = dot(pre[k], pre[t])
    for i in range(0, n_units, 4):
        for t in range(0, n_tokens, 4):
            multiply_rows(pre, t, weights, i, post)
            a = _correct(i, t, product, tokens, table, targeted, gain, post)
            b = _correct(i + 1, t, product, tokens, table, targeted, gain, post)
            c = _correct(i + 2, t, product, tokens, table, targeted, gain, post)
            d = _correct(i + 3, t, product, tokens, table, targeted, gain, post)
            _add4(weights, i, pre, t, a, b, c, d)
    for i in range(n_units, len(weights)):
        _learn_unit(weights, i, pre[:n_tokens], tokens, table, targeted, gain, post)
    in_order(weights, pre[n_tokens:], tokens[n_tokens:], table, targeted, gain, post[n_tokens:])


@njit
def _learn_unit(weights, i, pre, tokens, table, targeted, gain, post):
    # Units are independent: with units outside, the weights of one stay in the L1 cache.
    w = weights[i]
    x = np.float32(0)
    for t in range(len(pre)):
        h = pre[t]
        y = dot(w, h)
        post[t, i] = y
        if targeted:
            x = table[tokens[t], i]
        add_scaled(w, gain * (x - y), h)


@njit
def _correct(i, t, product, tokens, table, targeted, gain, post):
    """Correct the responses of unit i to tokens t to t + 3 in `post`; return the four steps."""
    x0 = x1 = x2 = x3 = np.float32(0)
    if targeted:
        x0 = table[tokens[t], i]
        x1 = table[tokens[t + 1], i]
        x2 = table[tokens[t + 2], i]
        x3 = table[tokens[t + 3], i]
    y0 = post[t, i]
    c0 = gain * (x0 - y0)
    y1 = post[t + 1, i] + c0 * product[t + 1, 0]
    c1 = gain * (x1 - y1)
    y2 = post[t + 2, i] + c0 * product[t + 2, 0] + c1 * product[t + 2, 1]
    c2 = gain * (x2 - y2)
    y3 = post[t + 3, i] + c0 * product[t + 3, 0] + c1 * product[t + 3, 1] + c2 * product[t + 3, 2]
    c3 = gain * (x3 - y3)
    post[t + 1, i], post[t + 2, i], post[t + 3, i] = y1, y2, y3
    return c0, c1, c2, c3


# Arguments are whole arrays and indices, not rows: a row is seven words on the stack, and
# passing eight rows takes as long as the work itself.


@njit
def _add4(weights, i, pre, t, a, b, c, d):
    """Add to units i to i + 3 their four multiples of the inputs t to t + 3."""
    wa, wb, wc, wd = weights[i], weights[i + 1], weights[i + 2], weights[i + 3]
    h0, h1, h2, h3 = pre[t], pre[t + 1], pre[t + 2], pre[t + 3]
    for j in range(weights.shape[1]):
        p, q, r, s = h0[j], h1[j], h2[j], h3[j]
        wa[j] += a[0] * p + a[1] * q + a[2] * r + a[3] * s
        wb[j] += b[0] * p + b[1] * q + b[2] * r + b[3] * s
        wc[j] += c[0] * p + c[1] * q + c[2] * r + c[3] * s
        wd[j] += d[0] * p + d[1] * q + d[2] * r + d[3] * s
