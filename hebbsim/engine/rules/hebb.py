"""Plain Hebbian learning."""

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._linear import in_blocks, in_order
from hebbsim.engine.rules._ops import add_scaled
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    if clamped:
        _learn_clamped(weights, pre, tokens, table, eta, post)
    else:  # eta y h = -eta (0 - y) h
        in_order(weights, pre, tokens, table, False, -eta, post)


@njit
def learn_blocks(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    if clamped:
        _learn_clamped(weights, pre, tokens, table, eta, post)
    else:
        in_blocks(weights, pre, tokens, table, False, -eta, post)


@njit
def _learn_clamped(weights, pre, tokens, table, eta, post):
    for i in range(len(weights)):
        w = weights[i]
        for t in range(len(pre)):
            y = table[tokens[t], i]
            post[t, i] = y
            add_scaled(w, eta * y, pre[t])


RULE = Rule(
    name="hebb",
    source="Hebb, D. O. (1949). The Organization of Behavior. Wiley, chapter 4.",
    equation="ΔW = η y hᵀ",
    learn=learn,
    learn_blocks=learn_blocks,
    posts=("output", "token"),
    eta=0.0001,  # positive feedback: weights grow without bound at any rate
)
