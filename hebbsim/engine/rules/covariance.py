"""The covariance rule: deviations from running means instead of activities."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import add_scaled, count, fill_post
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units, n_inputs = weights.shape
    mean_h = state[:n_inputs]
    mean_y = state[n_inputs : n_inputs + n_units]
    seen = state[n_inputs + n_units :]
    centred = np.empty(n_inputs, np.float32)
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        fill_post(weights, h, table[tokens[t]], clamped, y)
        if eta > 0:
            step = count(seen, parameters[0])
            for j in range(n_inputs):
                mean_h[j] += step * (h[j] - mean_h[j])
                centred[j] = h[j] - mean_h[j]
            for i in range(n_units):
                mean_y[i] += step * (y[i] - mean_y[i])
                add_scaled(weights[i], eta * (y[i] - mean_y[i]), centred)


RULE = Rule(
    name="covariance",
    source=(
        "Sejnowski, T. J. (1977). Storing covariance with nonlinearly interacting neurons. "
        "Journal of Mathematical Biology 4, 303-321."
    ),
    equation="ΔW = η (y − ⟨y⟩)(h − ⟨h⟩)ᵀ,  Δ⟨·⟩ = (· − ⟨·⟩) / min(t, tau_mean)",
    learn=learn,
    posts=("output", "token"),
    eta=0.0001,  # positive feedback: weights grow without bound at any rate
    parameters={"tau_mean": 1000.0},
    start=lambda n_inputs, n_units: np.zeros(n_inputs + n_units + 1, dtype=np.float32),
)
