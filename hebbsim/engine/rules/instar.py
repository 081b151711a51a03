"""Grossberg's instar: the weights of active units move towards the input."""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import dot
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    for i in range(len(weights)):
        w = weights[i]
        for t in range(len(pre)):
            h = pre[t]
            y = table[tokens[t], i] if clamped else dot(w, h)
            # Activities are firing rates: a negative one would move weights away from h.
            if y < 0:
                y = np.float32(0)
            post[t, i] = y
            step = eta * y
            for j in range(len(h)):
                w[j] += step * (h[j] - w[j])


RULE = Rule(
    name="instar",
    source=(
        "Grossberg, S. (1976). Adaptive pattern classification and universal recoding: I. "
        "Biological Cybernetics 23, 121-134."
    ),
    equation="ΔWᵢ = η yᵢ (h − Wᵢ),  y = max(0, W h)",
    learn=learn,
    posts=("output", "token"),
)
