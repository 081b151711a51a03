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
# returns new weights, new state and post.


def _post(W, h, x, clamped):
    return x.copy() if clamped else W @ h


def hebb(W, state, h, x, clamped, eta, p):
    y = _post(W, h, x, clamped)
    return W + eta * np.outer(y, h), state, y


def oja(W, state, h, x, clamped, eta, p):
    y = _post(W, h, x, clamped)
    return W + eta * np.outer(y, h - W.T @ y), state, y


def sanger(W, state, h, x, clamped, eta, p):
    y = W @ h
    return W + eta * (np.outer(y, h) - np.tril(np.outer(y, y)) @ W), state, y


def covariance(W, state, h, x, clamped, eta, p):
    mean_h, mean_y = state[: len(h)], state[len(h) :]
    y = _post(W, h, x, clamped)
    new = W + eta * np.outer(y - mean_y, h - mean_h)
    return new, state + (np.concatenate([h, y]) - state) / p["tau_mean"], y


def bcm(W, theta, h, x, clamped, eta, p):
    y = W @ h
    new = W + eta * np.outer(y * (y - theta), h)
    return new, theta + (y**2 - theta) / p["tau_threshold"], y


def instar(W, state, h, x, clamped, eta, p):
    y = np.maximum(_post(W, h, x, clamped), 0)
    return W + eta * y[:, None] * (h - W), state, y


def delta(W, state, h, x, clamped, eta, p):
    y = W @ h
    return W + eta * np.outer(x - y, h), state, y


def stdp(W, state, h, x, clamped, eta, p):
    new = W.copy()
    for s in range(len(h) // len(x)):
        block = slice(s * len(x), (s + 1) * len(x))
        change = p["a_plus"] * np.outer(x, h[block]) - p["a_minus"] * np.outer(h[block], x)
        new[:, block] += eta * change
    return new, state, x.copy()


def competitive(W, share, h, x, clamped, eta, p):
    distance = ((h - W) ** 2).sum(axis=1)
    closest = np.eye(len(W))[np.argmin(distance)]
    y = np.eye(len(W))[np.argmin(distance - p["conscience"] * (1 / len(W) - share))]
    return W + eta * y[:, None] * (h - W), share + p["rate"] * (closest - share), y


def soft_competitive(W, state, h, x, clamped, eta, p):
    u = W @ h
    y = np.exp(p["sharpness"] * u) / np.exp(p["sharpness"] * u).sum()
    return W + eta * y[:, None] * (h - u[:, None] * W), state, y


RULES = {
    rule.__name__: rule
    for rule in (
        hebb, oja, sanger, covariance, bcm, instar, delta, stdp, competitive, soft_competitive,
    )
}  # fmt: skip


def learn(name, weights, state, pre, event, clamped, eta, parameters):
    """A rule over a stretch of tokens; new weights, new state, post of every token."""
    W = np.asarray(weights, dtype=np.float64)
    state = np.asarray(state, dtype=np.float64)
    post = []
    for h, x in zip(np.float64(pre), np.float64(event), strict=True):
        W, state, y = RULES[name](W, state, h, x, clamped, eta, parameters)
        post.append(y)
    return W, state, np.reshape(post, (len(pre), len(W)))
