"""Competitive learning with a conscience that handicaps frequent winners.

Two competitions, as in the paper: the closest unit increases its share; the unit that is closest
after a bias by its share wins and moves.
"""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units = len(weights)
    conscience = parameters[0]
    rate = parameters[1]
    share = state  # running estimate of how often each unit is the closest
    fair = np.float32(1) / np.float32(n_units)
    distance = np.empty(n_units, np.float32)
    for t in range(len(pre)):
        h = pre[t]
        for i in range(n_units):
            w = weights[i]
            total = np.float32(0)
            for j in range(len(h)):
                total += (h[j] - w[j]) * (h[j] - w[j])
            distance[i] = total
        if eta > 0:
            closest = np.argmin(distance)
            for i in range(n_units):
                share[i] -= rate * share[i]
            share[closest] += rate
        for i in range(n_units):
            distance[i] -= conscience * (fair - share[i])
        winner = np.argmin(distance)
        post[t, :] = 0
        post[t, winner] = 1
        w = weights[winner]
        for j in range(len(h)):
            w[j] += eta * (h[j] - w[j])


RULE = Rule(
    name="competitive",
    source=(
        "DeSieno, D. (1988). Adding a conscience to competitive learning. IEEE International "
        "Conference on Neural Networks, volume 1, 117-124."
    ),
    equation=(
        "ΔWᵢ = η yᵢ (h − Wᵢ),  yᵢ = [i = argmin ‖h − Wᵢ‖² − conscience (1/m − pᵢ)],  "
        "Δpᵢ = rate ([i = argmin ‖h − Wᵢ‖²] − pᵢ)"
    ),
    learn=learn,
    parameters={"conscience": 10.0, "rate": 0.0001},
    start=lambda n_inputs, n_units: np.full(n_units, 1 / n_units, dtype=np.float32),
)
