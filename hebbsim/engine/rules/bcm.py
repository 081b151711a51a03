"""Bienenstock, Cooper and Munro: a threshold that slides with the unit's own activity."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import add_scaled, dot
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    rate = np.float32(1) / parameters[0]
    for i in range(len(weights)):
        w = weights[i]
        threshold = state[i]
        for t in range(len(pre)):
            h = pre[t]
            y = dot(w, h)
            post[t, i] = y
            add_scaled(w, eta * y * (y - threshold), h)
            threshold += rate * (y * y - threshold)
        state[i] = threshold


RULE = Rule(
    name="bcm",
    source=(
        "Bienenstock, E. L., Cooper, L. N. & Munro, P. W. (1982). Journal of Neuroscience 2(1), "
        "32-48; threshold as in Intrator, N. & Cooper, L. N. (1992). Neural Networks 5(1), 3-17."
    ),
    equation="ΔWᵢ = η yᵢ (yᵢ − θᵢ) h,  Δθᵢ = (yᵢ² − θᵢ) / tau_threshold",
    learn=learn,
    eta=0.001,  # at 0.01 the threshold slides too slowly for bursts
    parameters={"tau_threshold": 100.0},
    start=lambda n_inputs, n_units: np.zeros(n_units, dtype=np.float32),
)
