"""One slow, obvious function for each recurrence of `hebbsim.lm`; never imported by it."""

import numpy as np


def traces(x, alphas, initial, segments):
    """h_s[t] = (1 - alpha_s) h_s[t-1] + alpha_s x[t], from zero in every further document."""
    n_batch, n_tokens, dim = x.shape
    found = np.zeros((n_batch, n_tokens, len(alphas), dim))
    for b in range(n_batch):
        for s, alpha in enumerate(alphas):
            h = initial[b, s].copy()
            for t in range(n_tokens):
                if t and segments[b, t] != segments[b, t - 1]:
                    h = np.zeros(dim)
                h = (1 - alpha) * h + alpha * x[b, t]
                found[b, t, s] = h
    return found


def fast_weights(q, k, v, beta, initial, segments):
    """S = S + beta (v - S k) k', read as S q; beta None: S = S + v k'."""
    n_batch, heads, n_tokens, _ = q.shape
    read = np.zeros_like(v)
    final = initial.copy()
    for b in range(n_batch):
        for h in range(heads):
            total = initial[b, h].copy()
            for t in range(n_tokens):
                if t and segments[b, t] != segments[b, t - 1]:
                    total = np.zeros_like(total)
                key, value = k[b, h, t], v[b, h, t]
                if beta is None:
                    total = total + np.outer(value, key)
                else:
                    total = total + beta[b, h, t] * np.outer(value - total @ key, key)
                read[b, h, t] = total @ q[b, h, t]
            final[b, h] = total
    return read, final


def top_k(row, k):
    """The k largest and what equals the least of them, zero elsewhere."""
    least = sorted(row)[-k]
    return np.array([value if value >= least else 0.0 for value in row])


def distances(tokens, end):
    """Tokens since the last occurrence in the document, 0 for none."""
    found = []
    for i, token in enumerate(tokens):
        since = 0
        for j in range(i - 1, -1, -1):
            if token == end or tokens[j + 1] == end:
                break
            if tokens[j] == token:
                since = i - j
                break
        found.append(since)
    return found
