"""One slow, obvious function per kernel, in float64. The package never imports this."""

import itertools

import numpy as np


def traces(
    x, offsets=None, timescales=(2, 8, 32), *, backward=False, startup="zero", include_current=True
):
    """Traces as explicit weighted sums over what went by, shape=(T, S, D)."""
    x = np.asarray(x, dtype=np.float64)
    bounds = sorted({0, len(x), *(() if offsets is None else np.asarray(offsets).tolist())})
    out = np.zeros((len(x), len(timescales), x.shape[1]))
    for a, b in itertools.pairwise(bounds):
        order = list(range(a, b))[::-1] if backward else list(range(a, b))
        for n, t in enumerate(order):
            history = order[: n + 1] if include_current else order[:n]
            for s, tau in enumerate(timescales):
                alpha = 1 / tau
                total = 0.0
                for age, u in enumerate(history[::-1]):
                    weight = alpha * (1 - alpha) ** age
                    if startup == "first" and u == order[0]:
                        weight = (1 - alpha) ** age
                    out[t, s] += weight * x[u]
                    total += weight
                if startup == "debias" and history:
                    out[t, s] /= total
    return out


# Learning rules: one token. Each takes weights (m, n), state, pre h (n,), the token's
# vector x (D,), whether post is clamped to it, eta and the parameters by name, and
# returns new weights, new state and post. It has the name of the rule that it is the oracle of.

RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


def _post(W, h, x, clamped):
    return x.copy() if clamped else W @ h


@rule
def hebb(W, state, h, x, clamped, eta, p):
    y = _post(W, h, x, clamped)
    return W + eta * np.outer(y, h), state, y


@rule
def oja(W, state, h, x, clamped, eta, p):
    y = _post(W, h, x, clamped)
    return W + eta * np.outer(y, h - W.T @ y), state, y


@rule
def sanger(W, state, h, x, clamped, eta, p):
    y = W @ h
    return W + eta * (np.outer(y, h) - np.tril(np.outer(y, y)) @ W), state, y


@rule
def covariance(W, state, h, x, clamped, eta, p):
    means, seen = state[:-1], state[-1]
    y = _post(W, h, x, clamped)
    if eta > 0:
        seen = min(seen + 1, p["tau_mean"])
        means = means + (np.concatenate([h, y]) - means) / seen
        W = W + eta * np.outer(y - means[len(h) :], h - means[: len(h)])
    return W, np.append(means, seen), y


@rule
def bcm(W, state, h, x, clamped, eta, p):
    theta, seen = state[:-1], state[-1]
    y = np.maximum(W @ h, 0)
    if eta > 0:
        seen = min(seen + 1, p["tau_threshold"])
        theta = theta + (y**2 - theta) / seen
    return W + eta * np.outer(y * (y - theta), h), np.append(theta, seen), y


@rule
def instar(W, state, h, x, clamped, eta, p):
    y = np.maximum(_post(W, h, x, clamped), 0)
    return W + eta * y[:, None] * (h - W), state, y


@rule
def delta(W, state, h, x, clamped, eta, p):
    y = W @ h
    return W + eta * np.outer(x - y, h), state, y


@rule
def stdp(W, state, h, x, clamped, eta, p):
    new = W.copy()
    for s in range(len(h) // len(x)):
        block = slice(s * len(x), (s + 1) * len(x))
        change = p["a_plus"] * np.outer(x, h[block]) - p["a_minus"] * np.outer(h[block], x)
        new[:, block] += eta * change
    return new, state, x.copy()


@rule
def competitive(W, share, h, x, clamped, eta, p):
    distance = ((h - W) ** 2).sum(axis=1)
    if eta > 0:
        share = share + p["rate"] * (np.eye(len(W))[np.argmin(distance)] - share)
    y = np.eye(len(W))[np.argmin(distance - p["conscience"] * (1 / len(W) - share))]
    return W + eta * y[:, None] * (h - W), share, y


@rule
def soft_competitive(W, prior, h, x, clamped, eta, p):
    u = W @ h
    y = prior * np.exp(p["inverse_temperature"] * u)
    y = y / y.sum()
    return W + eta * y[:, None] * (h - u[:, None] * W), prior + p["prior"] * eta * (y - prior), y


@rule
def ccipca(W, state, h, x, clamped, eta, p):
    W, mean, seen, y = W.copy(), state[:-1], state[-1], np.zeros(len(W))
    if eta > 0:
        seen = min(seen + 1, 2**20)
        mean = mean + (h - mean) / seen
    late = seen > 2 * p["amnesia"]
    step = min(1, eta * ((1 + p["amnesia"]) / seen if late else 1 / max(seen, 1)))
    u = h - mean
    for i in range(len(W)):
        if not W[i].any():
            W[i] = u if eta > 0 else 0
            break
        y[i] = u @ W[i] / np.linalg.norm(W[i])
        if eta > 0 and i < seen:
            W[i] += step * (y[i] * u - W[i])
        u = u - (u @ W[i]) / max(W[i] @ W[i], 1e-300) * W[i]
    return W, np.append(mean, seen), y


def _along(h, power, seen, p):
    """Power of the inputs and tokens seen, with h among them; h by its power, and 1 + its size."""
    seen = np.minimum(seen + 1, p["tau_power"])
    power = power + (h**2 - power) / seen
    along = h / np.maximum(power, p["floor"])
    return power, seen, along, 1 + h @ along


def _learn_by_error(W, state, h, y, target, eta, p):
    """What both normalized rules learn from an answer y and its target."""
    b, power, seen = np.split(state, [len(W), len(state) - 1])
    if eta > 0:
        power, seen, along, size = _along(h, power, seen, p)
        change = eta * (target - y) / size
        W, b = W + np.outer(change, along), b + change
    return W, np.concatenate([b, power, seen]), y


@rule
def nlms(W, state, h, x, clamped, eta, p):
    return _learn_by_error(W, state, h, W @ h + state[: len(W)], x, eta, p)


@rule
def kmeans(W, state, h, x, clamped, eta, p):
    m = len(W)
    share, wins, spread, seen = state[:m], state[m : 2 * m], state[2 * m], state[2 * m + 1]
    distance = ((h - W) ** 2).sum(axis=1)
    pull = p["conscience"] / (1 + seen / p["tau_conscience"]) * spread * m * share
    y = np.eye(m)[np.argmin(distance + pull if eta > 0 else distance)]
    if eta == 0:
        return W, state, y
    wins = np.minimum(wins + y, 2**20)
    step = np.maximum((1 + p["amnesia"]) / (wins + p["amnesia"]), 1 / p["tau_memory"])
    new = W + (eta * step * y)[:, None] * (h - W)
    share = share + (y - share) / (20 * m)
    seen = seen + 1
    spread = spread + max(1 / seen, 0.001) * (distance @ y - spread)
    return new, np.concatenate([share, wins, [spread, seen]]), y


@rule
def softmax(W, state, h, x, clamped, eta, p):
    y = np.exp(W @ h + state[: len(W)])
    y = y / y.sum()
    share = np.maximum(x, 0) / np.maximum(x, 0).sum() if (x > 0).any() else y
    return _learn_by_error(W, state, h, y, share, eta, p)


def learn(name, weights, state, pre, event, clamped, eta, parameters):
    """A rule over a chunk of tokens; new weights, new state, post of every token."""
    W = np.asarray(weights, dtype=np.float64)
    state = np.asarray(state, dtype=np.float64)
    post = []
    # An array of one number stays one: np.float64(array) of numpy 1.26 gives the number.
    for h, x in zip(np.asarray(pre, float), np.asarray(event, float), strict=True):
        W, state, y = RULES[name](W, state, h, x, clamped, eta, parameters)
        post.append(y)
    return W, state, np.reshape(post, (len(pre), len(W)))


# The zero-label learner's kernels.


def nearest(x, prototypes):
    return [int(np.argmin(((row - prototypes) ** 2).sum(axis=1))) for row in x]
