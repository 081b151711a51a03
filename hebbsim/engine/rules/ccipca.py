"""Candid incremental principal components: Sanger's rule with a step that needs no tuning.

The learning rate is a factor of that step, 1 in the paper. A weight has the direction of its
component, and its eigenvalue for length. Weights may start anywhere: the first inputs replace
them. ⟨h⟩ is the mean of all inputs so far, and t their number.
"""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.components import MOST_SEEN, learn_input
from hebbsim.engine.rules._ops import dot
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_inputs = weights.shape[1]
    mean = state[:n_inputs]
    seen = state[n_inputs:]
    squares = np.empty(len(weights), np.float32)
    residual = np.empty(n_inputs, np.float32)
    for t in range(len(pre)):
        if eta > 0:
            seen[0] = min(seen[0] + 1, MOST_SEEN)
        n = max(1, np.int64(seen[0]))
        # Not those that the input before left: a chunk and its tokens one by one then round alike.
        for i in range(len(weights)):
            squares[i] = dot(weights[i], weights[i])
        learn_input(pre, t, n, eta, parameters[0], mean, weights, squares, residual, post[t])


RULE = Rule(
    name="ccipca",
    source=(
        "Weng, J., Zhang, Y. & Hwang, W.-S. (2003). Candid covariance-free incremental principal "
        "component analysis. IEEE Transactions on Pattern Analysis and Machine Intelligence "
        "25(8), 1034-1040, equations 10 and 11."
    ),
    equation=(
        "ΔWᵢ = η (1 + amnesia)/t (yᵢ uᵢ − Wᵢ),  yᵢ = uᵢ·Wᵢ/|Wᵢ|,  "
        "uᵢ₊₁ = uᵢ − (uᵢ·Wᵢ) Wᵢ/|Wᵢ|²,  u₀ = h − ⟨h⟩"
    ),
    learn=learn,
    eta=1.0,
    parameters={"amnesia": 2.0},
    start=lambda n_inputs, n_units: np.zeros(n_inputs + 1, dtype=np.float32),
)
