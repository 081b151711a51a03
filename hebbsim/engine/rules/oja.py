"""Oja's subspace rule; with one unit, Oja's principal-component neuron."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.memory import copy_values
from hebbsim.engine.rules._ops import add_scaled, fill_post
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    residual = np.empty(weights.shape[1], np.float32)
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        fill_post(weights, h, table[tokens[t]], clamped, y)
        copy_values(h, residual)
        for i in range(len(weights)):
            add_scaled(residual, -y[i], weights[i])
        for i in range(len(weights)):
            add_scaled(weights[i], eta * y[i], residual)


RULE = Rule(
    name="oja",
    source=(
        "Oja, E. (1989). Neural networks, principal components, and subspaces. International "
        "Journal of Neural Systems 1(1), 61-68. One unit: Oja, E. (1982). Journal of "
        "Mathematical Biology 15, 267-273."
    ),
    equation="ΔW = η y (h − Wᵀy)ᵀ",
    learn=learn,
    posts=("output", "token"),
)
