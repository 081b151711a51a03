"""Softmax regression: predict a distribution over categories from the context."""

import numpy as np

from hebbsim.engine._jit import njit, specialised
from hebbsim.engine.rules._normalised import in_blocks, in_order
from hebbsim.engine.rules._ops import share_out
from hebbsim.engine.rules._rule import Rule


@njit
def miss(x, y, error):
    total = np.float32(0)
    for i in range(len(y)):
        total += max(x[i], np.float32(0))
    if not total > 0:
        return False  # no target
    for i in range(len(y)):
        error[i] = max(x[i], np.float32(0)) / total - y[i]
    return True


learn = specialised(in_order, activate=share_out, miss=miss)
learn_blocks = specialised(in_blocks, activate=share_out, miss=miss)


RULE = Rule(
    name="softmax",
    source=(
        "Bridle, J. S. (1990). Probabilistic interpretation of feedforward classification "
        "network outputs. Neurocomputing, NATO ASI Series F 68, 227-236; normalized as nlms is. "
        "The target is the positive part of the token's vector, divided by its sum."
    ),
    equation=(
        "ΔW = η (x₊/Σx₊ − y)(g⊙h)ᵀ / (1 + hᵀ(g⊙h)),  Δb = η (x₊/Σx₊ − y) / (1 + hᵀ(g⊙h)),  "
        "y = softmax(W h + b),  gⱼ = 1 / max(⟨hⱼ²⟩, floor),  "
        "Δ⟨·⟩ = (· − ⟨·⟩) / min(t, tau_power)"
    ),
    learn=learn,
    learn_blocks=learn_blocks,
    eta=0.003,
    predictive=True,
    parameters={"tau_power": 1000.0, "floor": 1e-4},
    start=lambda n_inputs, n_units: np.zeros(n_units + n_inputs + 1, dtype=np.float32),
)
