"""Trace-based spike-timing-dependent plasticity: pre-before-post strengthens a connection."""

from hebbsim.engine._jit import njit
from hebbsim.engine.rules._rule import Rule


@njit
def learn(weights, state, pre, tokens, table, clamped, eta, parameters, post):
    # Pre and post are the same D units, so the rows of `pre` are the post-traces, too:
    # block s of the inputs is the trace of all units at timescale s.
    n_units, n_inputs = weights.shape
    potentiation = eta * parameters[0]
    depression = eta * parameters[1]
    for i in range(n_units):
        for t in range(len(pre)):
            x = table[tokens[t]]
            post[t, i] = x[i]
            up = potentiation * x[i]
            for block in range(0, n_inputs - n_units + 1, n_units):
                h = pre[t, block : block + n_units]
                w = weights[i, block : block + n_units]
                down = depression * h[i]
                for j in range(n_units):
                    w[j] += up * h[j] - down * x[j]


RULE = Rule(
    name="stdp",
    source=(
        "Morrison, A., Diesmann, M. & Gerstner, W. (2008). Phenomenological models of synaptic "
        "plasticity based on spike timing. Biological Cybernetics 98, 459-478, section 4.1."
    ),
    equation="ΔWₛ = η (a_plus x hₛᵀ − a_minus hₛ xᵀ) at each timescale s",
    learn=learn,
    posts=("token",),
    eta=0.003,
    predictive=True,
    recurrent=True,
    parameters={"a_plus": 1.0, "a_minus": 1.0},
)
