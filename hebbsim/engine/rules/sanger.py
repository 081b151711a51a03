"""Sanger's generalized Hebbian algorithm: principal components in order."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.memory import copy_values
from hebbsim.engine.rules._ops import add_scaled, respond
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    residual = np.empty(weights.shape[1], np.float32)
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        respond(weights, h, y)
        copy_values(h, residual)
        for i in range(len(weights)):
            # The input less the reconstruction by units 0..i, by their old weights.
            add_scaled(residual, -y[i], weights[i])
            add_scaled(weights[i], eta * y[i], residual)


RULE = Rule(
    name="sanger",
    source=(
        "Sanger, T. D. (1989). Optimal unsupervised learning in a single-layer linear "
        "feedforward neural network. Neural Networks 2(6), 459-473, equation 3."
    ),
    equation="ΔWᵢ = η yᵢ (h − Σₖ≤ᵢ yₖ Wₖ)",
    learn=learn,
)
