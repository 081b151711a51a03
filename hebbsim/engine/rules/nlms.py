"""The normalised delta rule, with a gain for every input: common and rare ones learn alike."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply
from hebbsim.engine.rules._ops import add_scaled, count, dot, normalise
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units, n_inputs = weights.shape
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    if eta == 0:
        multiply(pre, weights, post)
        for t in range(len(pre)):
            add_scaled(post[t], np.float32(1), bias)
        return
    # The power hangs on the inputs alone: what every token changes, but for the error of each
    # unit, is computed once, and the weights of a unit stay in the cache.
    along = np.empty(pre.shape, np.float32)
    rates = np.empty(len(pre), np.float32)
    for t in range(len(pre)):
        step = count(seen, parameters[0])
        rates[t] = eta / normalise(pre[t], power, step, parameters[1], along[t])
    for i in range(n_units):
        w = weights[i]
        b = bias[i]
        for t in range(len(pre)):
            y = dot(w, pre[t]) + b
            post[t, i] = y
            change = rates[t] * (table[tokens[t], i] - y)
            add_scaled(w, change, along[t])
            b += change
        bias[i] = b


RULE = Rule(
    name="nlms",
    source=(
        "Nagumo, J. & Noda, A. (1967). A learning method for system identification. IEEE "
        "Transactions on Automatic Control 12(3), 282-287; here every input is divided by its "
        "own power, too."
    ),
    equation=(
        "ΔW = η (x − y)(g⊙h)ᵀ / (1 + hᵀ(g⊙h)),  Δb = η (x − y) / (1 + hᵀ(g⊙h)),  y = W h + b,  "
        "gⱼ = 1 / max(⟨hⱼ²⟩, floor),  Δ⟨·⟩ = (· − ⟨·⟩) / min(t, tau_power)"
    ),
    learn=learn,
    predictive=True,
    parameters={"tau_power": 1000.0, "floor": 1e-4},
    start=lambda n_inputs, n_units: np.zeros(n_units + n_inputs + 1, dtype=np.float32),
)
