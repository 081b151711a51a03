"""Information about a past token in bits: as decoded, and upper bounds."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from hebbsim.probes.identity.decoders import Channel
from hebbsim.probes.identity.states import Floats, Ints
from hebbsim.probes.metrics import entropy

#: Range of the natural logarithm of the inverse temperature.
_RANGE = (-16.0, 4.0)


@dataclass(frozen=True)
class Reading:
    """Performance of one decoder at one lag.

    Attributes
    ----------
    accuracy : float
        Share of states whose most likely type is correct.
    bits : float
        Entropy minus calibrated log-loss, in bits per token: an estimated lower bound on the
        mutual information, at most `entropy`.
    entropy : float
        Mean of ``-log2 prior`` over the same tokens.

    Examples
    --------
    >>> Reading(accuracy=0.5, bits=1.2, entropy=2.0).bits
    1.2
    """

    accuracy: float
    bits: float
    entropy: float


def read(scores: Floats, tokens: Ints, log_prior: Floats) -> Reading:
    """Accuracy and bits of log-likelihoods, calibrated on the first half of the states.

    Two parameters are calibrated: an inverse temperature of the log-likelihoods (Guo et al. 2017),
    and the share of states in which the decoder fails and the prior applies. Without the latter,
    a confident decoder with rare errors would get few bits. Accuracy and bits are measured on the
    second half.

    Parameters
    ----------
    scores : ndarray of float64, shape=(N, V)
        Log-likelihoods, up to a constant for each state.
    tokens : ndarray of int, shape=(N,)
        N is at least 2.
    log_prior : ndarray of float64, shape=(V,) or (N, V)
        Natural log probabilities. With one row per state, bits are those beyond what a language
        model predicts of that token.

    Examples
    --------
    >>> scores = np.array([[0.0, -9.0], [-9.0, 0.0]] * 50)
    >>> reading = read(scores, np.array([0, 1] * 50), np.log([0.5, 0.5]))
    >>> round(reading.accuracy, 2), round(reading.bits, 2), reading.entropy
    (1.0, 0.99, 1.0)
    """
    # Shifted so that exponentials do not overflow and their sum is not 0; then single precision
    # suffices and takes half the time.
    scores = (scores - scores.max(axis=1, keepdims=True)).astype(np.float32)
    half = len(scores) // 2
    of_each = log_prior.ndim == 2
    beta, share = _calibrated(
        scores[:half], tokens[:half], log_prior[:half] if of_each else log_prior
    )
    scores, tokens = scores[half:], tokens[half:]
    log_prior = log_prior[half:] if of_each else log_prior
    right = np.argmax(log_prior + beta * scores, axis=1) == tokens
    surprise = log_prior[np.arange(len(tokens)), tokens] if of_each else log_prior[tokens]
    entropy = float(-surprise.mean() / np.log(2))
    bits = float(np.log2(share + (1 - share) * _ratios(scores, tokens, log_prior, beta)).mean())
    # The minimum only removes rounding errors.
    return Reading(float(right.mean()), min(bits, entropy), entropy)


def _calibrated(scores: Floats, tokens: Ints, log_prior: Floats) -> tuple[float, float]:
    """Inverse temperature and share of the prior (half a state or more) that maximize the bits."""
    shares = np.geomspace(1 / (2 * len(tokens)), 1, 24)

    def bits(log_beta: float) -> Floats:
        ratios = _ratios(scores, tokens, log_prior, float(np.exp(log_beta)))
        return np.log2(shares + (1 - shares) * ratios[:, None]).mean(axis=0)

    found = minimize_scalar(
        lambda x: -bits(x).max(), bounds=_RANGE, method="bounded", options={"xatol": 0.05}
    )
    return float(np.exp(found.x)), float(shares[np.argmax(bits(found.x))])


def _ratios(scores: Floats, tokens: Ints, log_prior: Floats, beta: float) -> Floats:
    """Posterior divided by prior of the correct types, shape=(N,)."""
    likelihoods = np.exp(np.float32(beta) * scores)
    prior = np.exp(log_prior).astype(np.float32)
    evidence = likelihoods @ prior if prior.ndim == 1 else (likelihoods * prior).sum(axis=1)
    right = likelihoods[np.arange(len(tokens)), tokens]
    return np.divide(right, evidence, dtype=np.float64)


def lag_bounds(channel: Channel, n_lags: int, most: float | None = None) -> Floats:
    """Upper bound of the bits that a state holds about the token at each lag, shape=(K,).

    All other tokens are assumed to be known, which can only increase the information if tokens
    are independent. This leaves a Gaussian channel with S parallel outputs in each dimension. An
    input with covariance C carries at most ``1/2 log2 det(1 + C sum_s g_s**2 / noise_s**2)`` bits
    (Cover & Thomas 2006, section 9.5), and at most `most` bits (default: the entropy of the
    prior). The bound holds for additive Gaussian noise and independent tokens; for rounding it is
    an estimate.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = channel.gains(n_lags) ** 2 / channel.noise**2
    ratio = np.where(channel.gains(n_lags) == 0, 0.0, ratio).sum(axis=1)
    variances = _variances(channel)
    capacity = np.log2(1 + ratio[:, None] * variances).sum(axis=1) / 2
    return np.minimum(capacity, entropy(channel.prior) if most is None else most)


def total_bound(channel: Channel) -> float:
    """Upper bound of the bits that a state holds about all its past tokens together.

    ``1/2 log2 det(1 + C (x) G)`` with the noise-weighted Gram matrix G of the gains (Telatar
    1999, section 3.1). For independent tokens, it also bounds the sum over single lags.
    """
    scaled = channel.past / channel.noise
    strengths = np.linalg.svd(scaled, compute_uv=False) ** 2
    return float(np.log2(1 + np.outer(_variances(channel), strengths)).sum() / 2)


def _variances(channel: Channel) -> Floats:
    """Variances of the codes along their principal axes, shape=(D,)."""
    deviations = (channel.codes - channel.mean) * np.sqrt(channel.prior)[:, None]
    return np.asarray(np.linalg.svd(deviations, compute_uv=False) ** 2, dtype=np.float64)


def ngram_information(tokens: Ints, held_out: Ints, prior: Floats, order: int = 2) -> float:
    """Bits about a token that an n-gram model infers from the next ``order - 1`` tokens.

    These bits about lag k follow from smaller lags, without any trace. Counts come from `tokens`,
    the weights of shorter contexts from the first half of `held_out`; bits are measured on its
    second half.

    Parameters
    ----------
    tokens, held_out : ndarray of int, shape=(T,)
    prior : ndarray of float64, shape=(V,)
    order : int
        2 for a bigram model.

    Examples
    --------
    >>> stream = np.arange(1000) % 4
    >>> round(ngram_information(stream, stream, np.full(4, 0.25)), 2)
    2.0
    >>> stream = np.array([0, 0, 1, 1] * 500)  # one next token is not informative, two are
    >>> [abs(round(ngram_information(stream, stream, np.full(2, 0.5), n), 1)) for n in (2, 3)]
    [0.0, 1.0]
    """
    n_asked = len(held_out) - order + 1
    if len(tokens) < order or n_asked < 2:
        return 0.0
    base = prior[held_out]
    found = base
    n_types = len(prior)
    context = np.zeros(len(tokens) + len(held_out), dtype=np.int64)
    for n in range(2, order + 1):
        # The context of token i is tokens i + 1 to i + n - 1, as one number.
        following = np.concatenate([_later(tokens, n - 1), _later(held_out, n - 1)])
        context = np.unique(context * (n_types + 1) + following, return_inverse=True)[1].ravel()
        here = np.concatenate([tokens, held_out]).astype(np.int64)
        pair = np.unique(context * n_types + here, return_inverse=True)[1].ravel()
        counted = slice(0, len(tokens) - n + 1)  # the last tokens have no complete context
        contexts = np.bincount(context[counted], minlength=context.max() + 1)
        pairs = np.bincount(pair[counted], minlength=pair.max() + 1)
        asked = slice(len(tokens), None)
        seen, of_context = pairs[pair[asked]], contexts[context[asked]]
        half = n_asked // 2
        strength = _best_strength(seen[:half], of_context[:half], found[:half])
        found = (seen + strength * found) / (of_context + strength)
    scored = slice(n_asked // 2, n_asked)
    return float(np.log2(found[scored] / base[scored]).mean())


def _later(tokens: Ints, n: int) -> Ints:
    """The token n positions later, plus 1; 0 past the end."""
    return np.concatenate([tokens[n:] + 1, np.zeros(min(n, len(tokens)), dtype=np.int64)])


def _best_strength(seen: Ints, of_context: Ints, shorter: Floats) -> float:
    """Maximum-likelihood weight of the shorter context, in observations."""
    strengths = np.geomspace(0.01, 1e6, 33)
    return max(
        strengths, key=lambda s: float(np.log((seen + s * shorter) / (of_context + s)).mean())
    )


def successor_model(tokens: Ints, held_out: Ints, prior: Floats) -> Floats:
    """Natural log of P(type | next token) of a bigram model, shape=(V, V), one row per next token.

    Counts come from `tokens`, the weight of the prior from `held_out`.

    Examples
    --------
    >>> model = successor_model(np.arange(400) % 4, np.arange(40) % 4, np.full(4, 0.25))
    >>> int(model[3].argmax())  # 2 comes before 3
    2
    """
    n_types = len(prior)
    counts = np.bincount(
        tokens[1:].astype(np.int64) * n_types + tokens[:-1], minlength=n_types**2
    ).reshape(n_types, n_types)
    contexts = counts.sum(axis=1)
    after, before = held_out[1:], held_out[:-1]
    strength = 1.0
    if len(after):
        strength = _best_strength(counts[after, before], contexts[after], prior[before])
    return np.log((counts + strength * prior) / (contexts + strength)[:, None])
