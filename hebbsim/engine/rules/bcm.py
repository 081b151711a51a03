"""The BCM rule: a modification threshold that slides with the unit's activity."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import add_scaled, count, dot
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units = len(weights)
    seen = state[n_units:]
    steps = np.zeros(len(pre), np.float32)
    if eta > 0:
        for t in range(len(pre)):
            steps[t] = count(seen, parameters[0])
    for i in range(n_units):
        w = weights[i]
        threshold = state[i]
        for t in range(len(pre)):
            h = pre[t]
            y = max(dot(w, h), np.float32(0))  # a firing rate
            post[t, i] = y
            threshold += steps[t] * (y * y - threshold)
            add_scaled(w, eta * y * (y - threshold), h)
        state[i] = threshold


RULE = Rule(
    name="bcm",
    source=(
        "Bienenstock, E. L., Cooper, L. N. & Munro, P. W. (1982). Journal of Neuroscience 2(1), "
        "32-48; threshold as in Intrator, N. & Cooper, L. N. (1992). Neural Networks 5(1), 3-17."
    ),
    equation=(
        "ΔWᵢ = η yᵢ (yᵢ − θᵢ) h,  yᵢ = max(0, Wᵢ h),  Δθᵢ = (yᵢ² − θᵢ) / min(t, tau_threshold)"
    ),
    learn=learn,
    # At the fixed point the mean response is one, which takes large weights for small inputs:
    # a larger rate reaches it within a corpus.
    eta=0.001,
    parameters={"tau_threshold": 100.0},
    start=lambda n_inputs, n_units: np.zeros(n_units + 1, dtype=np.float32),
)
