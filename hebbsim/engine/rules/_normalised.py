"""Rules that predict, and whose step is divided by the power of every input.

``W += rate (x − y) (g⊙h)ᵀ`` and ``b += rate (x − y)``, where y is ``W h + b`` or its softmax. In
two orders, as in `_linear`: token by token, and four tokens at a time, first what they would
answer with the old weights, then, in their order, what the earlier of them have changed in that,

    W h_k + Σ_{l<k} rate_l (x_l − y_l) (g_l⊙h_l)·h_k,

and at last the four changes together. That is exact but for rounding.
"""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import add_products, multiply
from hebbsim.engine.rules._ops import add_scaled, count, dot, normalise, respond, share_out


@njit
def answer(weights, bias, pre, softmax, post):
    """What units answer to every token; nothing is learned."""
    multiply(pre, weights, post)
    for t in range(len(pre)):
        for i in range(len(bias)):
            post[t, i] += bias[i]
        if softmax:
            share_out(post[t])


@njit
def error(x, softmax, y, out):
    """out: what a token's vector differs by from the answer y; False if it says nothing."""
    total = np.float32(0)
    for i in range(len(y)):
        total += max(x[i], np.float32(0))
    if softmax and not total > 0:
        return False
    for i in range(len(y)):
        out[i] = (max(x[i], np.float32(0)) / total if softmax else x[i]) - y[i]
    return True


@njit
def in_order(weights, state, pre, tokens, table, softmax, eta, parameters, post):
    """Learn a chunk token by token."""
    n_units, n_inputs = weights.shape
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    along = np.empty(n_inputs, np.float32)
    change = np.empty(n_units, np.float32)
    if eta == 0:
        answer(weights, bias, pre, softmax, post)
        return
    for t in range(len(pre)):
        y = post[t]
        respond(weights, pre[t], y)
        for i in range(n_units):
            y[i] += bias[i]
        if softmax:
            share_out(y)
        step = count(seen, parameters[0])
        rate = eta / normalise(pre[t], power, step, parameters[1], along)
        if error(table[tokens[t]], softmax, y, change):
            for i in range(n_units):
                add_scaled(weights[i], rate * change[i], along)
                bias[i] += rate * change[i]


@njit
def in_blocks(weights, state, pre, tokens, table, softmax, eta, parameters, post):
    """The same, four tokens at a time; one or two that are left over go in order."""
    n_units, n_inputs = weights.shape
    n_tokens = len(pre) // 4 * 4
    if len(pre) - n_tokens == 3:
        n_tokens = len(pre)
    if eta == 0:
        n_tokens = 0
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    along = np.empty((4, n_inputs), np.float32)
    changes = np.empty((4, n_units), np.float32)
    for first in range(0, n_tokens, 4):
        n = min(4, n_tokens - first)
        multiply(pre[first : first + n], weights, post[first : first + n])
        for k in range(n):
            t = first + k
            y = post[t]
            for before in range(k):
                product = dot(along[before], pre[t])
                for i in range(n_units):
                    y[i] += product * changes[before, i]
            for i in range(n_units):
                y[i] += bias[i]
                changes[k, i] = 0
            if softmax:
                share_out(y)
            step = count(seen, parameters[0])
            rate = eta / normalise(pre[t], power, step, parameters[1], along[k])
            if error(table[tokens[t]], softmax, y, changes[k]):
                for i in range(n_units):
                    changes[k, i] *= rate
                    bias[i] += changes[k, i]
        add_products(changes[:n], along[:n], weights)
    rest = pre[n_tokens:], tokens[n_tokens:]
    in_order(weights, state, *rest, table, softmax, eta, parameters, post[n_tokens:])
