"""Candid covariance-free incremental PCA: Sanger's rule with a step that needs no tuning.

The learning rate is a factor of that step, 1 in the paper. The weights of a unit have the
direction of its component and its eigenvalue for length. Their initial values do not matter: the
first inputs replace them. ⟨h⟩ is the mean of all inputs so far, and t their number.
"""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import dot
from hebbsim.engine.rules._rule import Rule

#: Largest count of inputs: a step below one over this would be lost in the rounding of float32,
#: and the components would no longer change.
MOST_SEEN = 1 << 20


def _take_in(vectors, i, residual, w, dot, squares):
    unit = vectors.dtype.type
    vectors[i] = (unit(1) - w) * vectors[i] + w * dot / squares[i] ** unit(0.5) * residual
    return vectors[i] @ vectors[i], vectors[i] @ residual


@njit(plain=_take_in)
def take_in(vectors, i, residual, w, dot, squares):
    """v_i <- (1 - w) v_i + w dot / |v_i| u; return its square and its product with u."""
    unit = vectors.dtype.type
    fade = unit(1) - w
    pull = w * dot / squares[i] ** unit(0.5)
    for d in range(len(residual)):
        vectors[i, d] = fade * vectors[i, d] + pull * residual[d]
    square = unit(0)
    dot = unit(0)
    for d in range(len(residual)):
        square += vectors[i, d] * vectors[i, d]
        dot += vectors[i, d] * residual[d]
    return square, dot


def _leave_over(vectors, i, residual, out):
    residual -= out * vectors[i]
    return vectors[i + 1] @ residual


@njit(plain=_leave_over)
def leave_over(vectors, i, residual, out):
    """u <- u - out v_i; return v_{i+1} . u."""
    for d in range(len(residual)):
        residual[d] -= out * vectors[i, d]
    dot = vectors.dtype.type(0)
    for d in range(len(residual)):
        dot += vectors[i + 1, d] * residual[d]
    return dot


@njit
def learn_input(x, row, n, rate, amnesia, mean, vectors, squares, residual, response):
    """Learn one row of `x`, the n-th input, and fill `response` with u_i . v_i / |v_i|.

    `rate` is a factor of the step; with 0, only `response` changes. `mean`, `vectors` and `squares`
    are updated in place after the response; `residual` is scratch memory.
    """
    n_components = len(vectors)
    unit = vectors.dtype.type
    learning = rate > 0
    step = (1.0 + amnesia) / n if n > 2 * amnesia else 1.0 / n
    w = unit(min(1.0, rate * step))
    if learning:
        share = unit(1.0 / n)
        for d in range(len(mean)):
            mean[d] += share * (x[row, d] - mean[d])
    for d in range(len(mean)):
        residual[d] = x[row, d] - mean[d]
    for i in range(n_components):
        response[i] = 0
    dot = unit(0)
    for d in range(len(residual)):
        dot += vectors[0, d] * residual[d]
    for i in range(n_components):
        square = squares[i]
        if square > 0:
            response[i] = dot / square ** unit(0.5)
            if learning and i < n:
                square, dot = take_in(vectors, i, residual, w, dot, squares)
                squares[i] = square
        elif not learning:
            break
        else:  # its first input
            for d in range(len(residual)):
                vectors[i, d] = residual[d]
            for d in range(len(residual)):
                square += residual[d] * residual[d]
            squares[i] = square
            break
        if i + 1 == n_components:
            break
        out = dot / square if square > 0 else unit(0)
        dot = leave_over(vectors, i, residual, out)


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
        # Recomputed for every input, so that the rounding does not depend on chunks.
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
