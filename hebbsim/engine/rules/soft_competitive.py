"""Soft winner-take-all: units share each input by the softmax of their responses."""

from __future__ import annotations

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import respond, share_out
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units = len(weights)
    sharpness = parameters[0]
    response = np.empty(n_units, np.float32)
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        respond(weights, h, response)
        for i in range(n_units):
            y[i] = sharpness * response[i]
        share_out(y)
        for i in range(n_units):
            w = weights[i]
            step = eta * y[i]
            u = response[i]
            for j in range(len(h)):
                w[j] += step * (h[j] - u * w[j])


RULE = Rule(
    name="soft_competitive",
    source=(
        "Moraitis, T., Toichkin, D., Journé, A., Chua, Y. & Guo, Q. (2022). SoftHebb: Bayesian "
        "inference in unsupervised Hebbian soft winner-take-all networks. Neuromorphic Computing "
        "and Engineering 2, 044017."
    ),
    equation="ΔWᵢ = η yᵢ (h − uᵢ Wᵢ),  u = W h,  y = softmax(sharpness u)",
    learn=learn,
    parameters={"sharpness": 1.0},
)
