"""The delta rule: predict the current token's vector from its context."""

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._linear import in_blocks, in_order
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    in_order(weights, pre, tokens, table, True, eta, post)


@njit
def learn_blocks(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    in_blocks(weights, pre, tokens, table, True, eta, post)


RULE = Rule(
    name="delta",
    source=(
        "Widrow, B. & Hoff, M. E. (1960). Adaptive switching circuits. IRE WESCON Convention "
        "Record 4, 96-104."
    ),
    equation="ΔW = η (x − y) hᵀ,  y = W h",
    learn=learn,
    learn_blocks=learn_blocks,
    predictive=True,
)
