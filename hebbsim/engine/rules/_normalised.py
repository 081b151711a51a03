"""Predictive rules whose step is normalized by the power of every input.

``W += rate e (g⊙h)ᵀ`` and ``b += rate e``, where e is the prediction error and the prediction is
``W h + b``, or a function `activate` of it. As in `_linear`, :func:`in_order` processes token by
token and :func:`in_blocks` four tokens at a time, whose responses it corrects for the updates by
the earlier ones,

    W h_k + Σ_{l<k} rate_l e_l (g_l⊙h_l)·h_k.
"""

from typing import Any

import numpy as np

from hebbsim.engine.products import add_products, multiply
from hebbsim.engine.rules._ops import add_scaled, count, dot, normalise, respond

activate: Any = None  # of the rule, see `specialised`
miss: Any = None  # fills the error; False if the token's vector gives no target


def in_order(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    """Learn token by token."""
    n_units, n_inputs = weights.shape
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    along = np.empty(n_inputs, np.float32)
    error = np.empty(n_units, np.float32)
    for t in range(len(pre)):
        y = post[t]
        respond(weights, pre[t], y)
        add_scaled(y, np.float32(1), bias)
        activate(y)
        if eta > 0:
            step = count(seen, parameters[0])
            rate = eta / normalise(pre[t], power, step, parameters[1], along)
            if miss(table[tokens[t]], y, error):
                for i in range(n_units):
                    add_scaled(weights[i], rate * error[i], along)
                add_scaled(bias, rate, error)


def in_blocks(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    """Learn four tokens at a time; equal to `in_order` up to rounding."""
    n_units, n_inputs = weights.shape
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    along = np.empty((4, n_inputs), np.float32)
    changes = np.empty((4, n_units), np.float32)
    for first in range(0, len(pre), 4):
        n = min(4, len(pre) - first)
        if n == 1:
            respond(weights, pre[first], post[first])
        else:
            multiply(pre[first : first + n], weights, post[first : first + n])
        for k in range(n):
            h, y = pre[first + k], post[first + k]
            if eta > 0:
                for before in range(k):
                    add_scaled(y, dot(along[before], h), changes[before])
            add_scaled(y, np.float32(1), bias)
            activate(y)
            if eta > 0:
                step = count(seen, parameters[0])
                rate = eta / normalise(h, power, step, parameters[1], along[k])
                if not miss(table[tokens[first + k]], y, changes[k]):
                    changes[k, :] = 0
                for i in range(n_units):
                    changes[k, i] *= rate
                add_scaled(bias, np.float32(1), changes[k])
        if eta > 0:
            add_products(changes[:n], along[:n], weights)
