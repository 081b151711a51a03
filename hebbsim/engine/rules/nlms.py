"""Normalized least mean squares with a gain per input: frequent and rare inputs learn alike."""

import numpy as np

from hebbsim.engine._jit import njit, specialised
from hebbsim.engine.rules._normalised import in_blocks, in_order
from hebbsim.engine.rules._rule import Rule


@njit
def as_it_is(y):
    """Linear activation."""


@njit
def miss(x, y, error):
    for i in range(len(y)):
        error[i] = x[i] - y[i]
    return True


learn = specialised(in_order, activate=as_it_is, miss=miss)
learn_blocks = specialised(in_blocks, activate=as_it_is, miss=miss)


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
    learn_blocks=learn_blocks,
    predictive=True,
    parameters={"tau_power": 1000.0, "floor": 1e-4},
    start=lambda n_inputs, n_units: np.zeros(n_units + n_inputs + 1, dtype=np.float32),
)
