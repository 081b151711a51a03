"""Softmax regression: predict a distribution, such as a code of categories, from the context."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.products import multiply
from hebbsim.engine.rules._ops import add_scaled, count, normalise, respond, share_out
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units, n_inputs = weights.shape
    bias = state[:n_units]
    power = state[n_units : n_units + n_inputs]
    seen = state[n_units + n_inputs :]
    along = np.empty(n_inputs, np.float32)
    if eta == 0:  # many at a time, as the weights may not fit in the cache
        multiply(pre, weights, post)
        for t in range(len(pre)):
            add_scaled(post[t], np.float32(1), bias)
            share_out(post[t])
        return
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        respond(weights, h, y)
        add_scaled(y, np.float32(1), bias)
        share_out(y)
        step = count(seen, parameters[0])
        rate = eta / normalise(h, power, step, parameters[1], along)
        x = table[tokens[t]]
        total = np.float32(0)
        for i in range(n_units):
            total += max(x[i], np.float32(0))
        if total > 0:  # else nothing is to be predicted
            for i in range(n_units):
                change = rate * (max(x[i], np.float32(0)) / total - y[i])
                add_scaled(weights[i], change, along)
                bias[i] += change


RULE = Rule(
    name="softmax",
    source=(
        "Bridle, J. S. (1990). Probabilistic interpretation of feedforward classification "
        "network outputs. Neurocomputing, NATO ASI Series F 68, 227-236; normalised as nlms is. "
        "The target is the positive part of the token's vector, divided by its sum."
    ),
    equation=(
        "ΔW = η (x₊/Σx₊ − y)(g⊙h)ᵀ / (1 + hᵀ(g⊙h)),  Δb = η (x₊/Σx₊ − y) / (1 + hᵀ(g⊙h)),  "
        "y = softmax(W h + b),  gⱼ = 1 / max(⟨hⱼ²⟩, floor),  "
        "Δ⟨·⟩ = (· − ⟨·⟩) / min(t, tau_power)"
    ),
    learn=learn,
    eta=0.003,
    predictive=True,
    parameters={"tau_power": 1000.0, "floor": 1e-4},
    start=lambda n_inputs, n_units: np.zeros(n_units + n_inputs + 1, dtype=np.float32),
)
