"""SoftHebb: soft winner-take-all by the posterior probability of each unit given the input.

The prior of a unit, its share of all inputs, is learned too. The paper updates its logarithm b by
Δb = η e⁻ᵇ (y − eᵇ); here eᵇ itself is updated, which is equal to first order in η, keeps the sum
of all priors at one, and is stable where a prior is small.

If responses hardly differ between units, one unit may end up with all of the prior. To avoid
this, centre inputs and scale them to length one, raise `inverse_temperature`, or set `prior` to 0,
which keeps all priors equal (as in Journé, A., Rodriguez, H. G., Guo, Q. & Moraitis, T. (2023).
Hebbian deep learning without feedback. ICLR).
"""

import numpy as np

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._ops import respond, share_out
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units = len(weights)
    inverse_temperature = parameters[0]
    prior = state
    rate = min(eta * parameters[1], np.float32(1))
    response = np.empty(n_units, np.float32)
    for t in range(len(pre)):
        h = pre[t]
        y = post[t]
        respond(weights, h, response)
        for i in range(n_units):
            y[i] = inverse_temperature * response[i] + np.log(prior[i])
        share_out(y)
        for i in range(n_units):
            prior[i] += rate * (y[i] - prior[i])
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
    equation=(
        "ΔWᵢ = η yᵢ (h − uᵢ Wᵢ),  u = W h,  yᵢ ∝ pᵢ exp(inverse_temperature uᵢ),  "
        "Δpᵢ = prior η (yᵢ − pᵢ)"
    ),
    learn=learn,
    parameters={"inverse_temperature": 1.0, "prior": 1.0},
    start=lambda n_inputs, n_units: np.full(n_units, 1 / n_units, dtype=np.float32),
)
