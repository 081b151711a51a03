"""The delta rule: predict the current token's vector from its context."""

from __future__ import annotations

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import add_scaled, respond
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, event, clamped, eta, parameters, post):
    for t in range(len(pre)):
        h = pre[t]
        x = event[t]
        prediction = post[t]
        respond(weights, h, prediction)
        for i in range(len(weights)):
            add_scaled(weights[i], eta * (x[i] - prediction[i]), h)


RULE = Rule(
    name="delta",
    source=(
        "Widrow, B. & Hoff, M. E. (1960). Adaptive switching circuits. IRE WESCON Convention "
        "Record 4, 96-104."
    ),
    equation="ΔW = η (x − y) hᵀ,  y = W h",
    learn=learn,
    predictive=True,
)
