"""Online k-means with a conscience: each unit is the mean of the inputs that it wins.

It differs from `competitive` in two ways. The step is one over the number of wins, so that no rate
need be chosen. The conscience is in units of the mean squared distance ⟨d²⟩ of the winners, so
that it does not depend on the scale of the inputs; it serves to spread the units and decays over
about `tau_conscience` tokens. With `amnesia` above 0 later wins have more weight, which discounts
those from before the inputs had been learned.
"""

import numpy as np
from numpy.typing import NDArray

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._rule import Rule


@njit
def four_distances(weights, i, h):
    """Squared distances of h from rows i to i + 3; past the end, the last row is repeated."""
    last = len(weights) - 1
    i1, i2, i3 = min(i + 1, last), min(i + 2, last), min(i + 3, last)
    s0 = s1 = s2 = s3 = np.float32(0)
    for j in range(len(h)):
        s0 += (h[j] - weights[i, j]) * (h[j] - weights[i, j])
        s1 += (h[j] - weights[i1, j]) * (h[j] - weights[i1, j])
        s2 += (h[j] - weights[i2, j]) * (h[j] - weights[i2, j])
        s3 += (h[j] - weights[i3, j]) * (h[j] - weights[i3, j])
    return s0, s1, s2, s3


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    n_units, n_inputs = weights.shape
    conscience, tau_conscience = parameters[0], parameters[1]
    amnesia, tau_memory = parameters[2], parameters[3]
    share, wins = state[:n_units], state[n_units : 2 * n_units]
    spread, seen = state[2 * n_units : 2 * n_units + 1], state[2 * n_units + 1 :]
    one = np.float32(1)
    rate = one / np.float32(20 * n_units)
    for t in range(len(pre)):
        h = pre[t]
        pull = np.float32(0)
        if eta > 0:
            pull = conscience * spread[0] * np.float32(n_units) / (one + seen[0] / tau_conscience)
            seen[0] = min(seen[0] + one, np.float32(1 << 24))
        winner = 0
        least = np.float32(np.inf)
        distance = np.float32(0)
        for first in range(0, n_units, 4):
            squares = four_distances(weights, first, h)
            for k in range(min(4, n_units - first)):
                score = squares[k] + pull * share[first + k]
                if score < least:
                    least, winner, distance = score, first + k, squares[k]
        post[t, :] = 0
        post[t, winner] = 1
        if eta > 0:
            for i in range(n_units):
                share[i] -= rate * share[i]
            share[winner] += rate
            wins[winner] = min(wins[winner] + one, np.float32(1 << 20))
            step = (one + amnesia) / (wins[winner] + amnesia)
            step = eta * max(step, one / tau_memory)
            w = weights[winner]
            for j in range(n_inputs):
                w[j] += step * (h[j] - w[j])
            spread[0] += max(one / seen[0], np.float32(0.001)) * (distance - spread[0])


def start(n_inputs: int, n_units: int) -> NDArray[np.float32]:
    """Equal shares, one win per unit (its initial position), no spread, no input."""
    state = np.ones(2 * n_units + 2, dtype=np.float32)
    state[:n_units] = 1 / n_units
    state[-2:] = 0
    return state


RULE = Rule(
    name="kmeans",
    source=(
        "MacQueen, J. (1967). Some methods for classification and analysis of multivariate "
        "observations. Fifth Berkeley Symposium on Mathematical Statistics and Probability 1, "
        "281-297; the conscience after DeSieno (1988), in units of the spread."
    ),
    equation=(
        "ΔWᵢ = η yᵢ (h − Wᵢ) max((1 + amnesia)/(nᵢ + amnesia), 1/tau_memory),  "
        "yᵢ = [i = argmin ‖h − Wᵢ‖² + c ⟨d²⟩ m pᵢ],  c = conscience/(1 + t/tau_conscience),  "
        "nᵢ wins of i,  pᵢ its share"
    ),
    learn=learn,
    eta=1.0,
    parameters={"conscience": 3.0, "tau_conscience": 1e6, "amnesia": 0.0, "tau_memory": 1e6},
    start=start,
)
