"""Plain Hebbian learning."""

from __future__ import annotations

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import add_scaled, fill_post
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, event, clamped, eta, parameters, post):
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        fill_post(weights, h, event[t], clamped, y)
        for i in range(len(weights)):
            add_scaled(weights[i], eta * y[i], h)


RULE = Rule(
    name="hebb",
    source="Hebb, D. O. (1949). The Organization of Behavior. Wiley, chapter 4.",
    equation="ΔW = η y hᵀ",
    learn=learn,
    posts=("output", "token"),
)
