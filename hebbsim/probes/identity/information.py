"""Bits about a past token: what a decoder finds, and what no decoder can exceed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from hebbsim.probes.identity.decoders import Channel

#: Range of the natural logarithm of a temperature's inverse.
_RANGE = (-16.0, 4.0)


@dataclass(frozen=True)
class Reading:
    """How well one decoder reads one lag.

    Attributes
    ----------
    accuracy : float
        Share of states whose likeliest type is right.
    bits : float
        Entropy less calibrated log-loss, in bits a token; a lower estimate of the mutual
        information, which no calibration can push above `entropy`.
    entropy : float
        Mean of ``-log2 prior`` of the same tokens.

    Examples
    --------
    >>> Reading(accuracy=0.5, bits=1.2, entropy=2.0).bits
    1.2
    """

    accuracy: float
    bits: float
    entropy: float


def read(
    scores: NDArray[np.float64],
    tokens: NDArray[np.integer],
    log_prior: NDArray[np.float64],
) -> Reading:
    """Accuracy and bits of log-likelihoods, calibrated on the first half of the states.

    Two numbers are calibrated for all types: an inverse temperature of the log-likelihoods
    (Guo et al. 2017), and the share of states in which nothing was read, where the prior
    holds; without it, a decoder that is sure of itself and seldom wrong would count as one
    that knows little. Accuracy and bits are those of the second half.

    Parameters
    ----------
    scores : ndarray of float64, shape=(N, V)
        Log-likelihoods up to a constant of each state.
    tokens : ndarray of int, shape=(N,)
        N is at least 2.
    log_prior : ndarray of float64, shape=(V,)
        Natural logarithms that sum to 1 as probabilities.

    Examples
    --------
    >>> scores = np.array([[0.0, -9.0], [-9.0, 0.0]] * 50)
    >>> reading = read(scores, np.array([0, 1] * 50), np.log([0.5, 0.5]))
    >>> round(reading.accuracy, 2), round(reading.bits, 2), reading.entropy
    (1.0, 0.99, 1.0)
    """
    # With the best type of each state at 0 no exponential overflows, and their sum is not 0.
    # Single precision suffices then, at half the time.
    scores = (scores - scores.max(axis=1, keepdims=True)).astype(np.float32)
    half = len(scores) // 2
    beta, share = _calibrated(scores[:half], tokens[:half], log_prior)
    scores, tokens = scores[half:], tokens[half:]
    right = np.argmax(log_prior + beta * scores, axis=1) == tokens
    entropy = float(-log_prior[tokens].mean() / np.log(2))
    bits = float(np.log2(share + (1 - share) * _ratios(scores, tokens, log_prior, beta)).mean())
    # The minimum is true already but for rounding.
    return Reading(float(right.mean()), min(bits, entropy), entropy)


def _calibrated(
    scores: NDArray[np.floating], tokens: NDArray[np.integer], log_prior: NDArray[np.float64]
) -> tuple[float, float]:
    """Inverse temperature and share of the prior with the most bits.

    The largest log-likelihood of every state is 0. The share is half a state at least: so
    many states cannot tell it from 0.
    """
    shares = np.geomspace(1 / (2 * len(tokens)), 1, 24)

    def bits(log_beta: float) -> NDArray[np.float64]:
        ratios = _ratios(scores, tokens, log_prior, float(np.exp(log_beta)))
        return np.log2(shares + (1 - shares) * ratios[:, None]).mean(axis=0)

    found = minimize_scalar(
        lambda log_beta: -bits(log_beta).max(),
        bounds=_RANGE,
        method="bounded",
        options={"xatol": 0.05},
    )
    return float(np.exp(found.x)), float(shares[np.argmax(bits(found.x))])


def _ratios(
    scores: NDArray[np.floating],
    tokens: NDArray[np.integer],
    log_prior: NDArray[np.float64],
    beta: float,
) -> NDArray[np.float64]:
    """Posterior over prior of the right types, shape=(N,)."""
    likelihoods = np.exp(np.float32(beta) * scores)
    evidence = likelihoods @ np.exp(log_prior).astype(np.float32)
    ratios: NDArray[np.float64] = np.divide(
        likelihoods[np.arange(len(tokens)), tokens], evidence, dtype=np.float64
    )
    return ratios


def entropy(prior: NDArray[np.float64]) -> float:
    """Entropy of a distribution in bits.

    Examples
    --------
    >>> entropy(np.array([0.5, 0.25, 0.25]))
    1.5
    """
    positive = prior[prior > 0]
    return float(-(positive * np.log2(positive)).sum())


def lag_bounds(channel: Channel, n_lags: int, most: float | None = None) -> NDArray[np.floating]:
    """Most bits that a state can hold about the token at each lag, shape=(K,).

    All other tokens are given away, which for independent tokens can only help; what is
    left is one Gaussian channel of S parallel outputs in each dimension, and no input of
    its covariance C carries more than ``1/2 log2 det(1 + C sum_s g_s**2 / noise_s**2)``
    (Cover & Thomas 2006, section 9.5), nor more than `most` bits, without it the
    entropy of the prior. It holds for additive Gaussian noise and independent tokens; for
    rounding it is an estimate.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = channel.gains(n_lags) ** 2 / channel.noise**2
    ratio = np.where(channel.gains(n_lags) == 0, 0.0, ratio).sum(axis=1)
    variances = _variances(channel)
    capacity = np.log2(1 + ratio[:, None] * variances).sum(axis=1) / 2
    return np.minimum(capacity, entropy(channel.prior) if most is None else most)


def total_bound(channel: Channel) -> float:
    """Most bits that a state can hold about all its past tokens together.

    ``1/2 log2 det(1 + C (x) G)`` with G the noise-weighted Gram matrix of the gains (Telatar
    1999, section 3.1). For independent tokens, bits about single lags cannot sum to more.
    """
    scaled = channel.past / channel.noise
    strengths = np.linalg.svd(scaled, compute_uv=False) ** 2
    return float(np.log2(1 + np.outer(_variances(channel), strengths)).sum() / 2)


def _variances(channel: Channel) -> NDArray[np.floating]:
    """Variances of the codes along their principal axes, shape=(D,)."""
    deviations = (channel.codes - channel.mean) * np.sqrt(channel.prior)[:, None]
    return np.linalg.svd(deviations, compute_uv=False) ** 2


def bigram_information(
    tokens: NDArray[np.integer], held_out: NDArray[np.integer], prior: NDArray[np.float64]
) -> float:
    """Bits about a token that its successor gives, by an interpolated bigram model.

    This much of lag k is known from lag k - 1 without any trace. Counts come from `tokens`,
    the weight of the prior from the first half of `held_out`, the bits from its second half.

    Parameters
    ----------
    tokens, held_out : ndarray of int, shape=(T,)
    prior : ndarray of float64, shape=(V,)

    Examples
    --------
    >>> stream = np.arange(1000) % 4
    >>> round(bigram_information(stream, stream, np.full(4, 0.25)), 2)
    2.0
    """
    n_types = len(prior)
    pairs, counts = np.unique(tokens[1:] * n_types + tokens[:-1], return_counts=True)
    following = np.bincount(tokens[1:], minlength=n_types)
    asked = held_out[1:] * n_types + held_out[:-1]
    if len(pairs) == 0 or len(asked) < 2:
        return 0.0
    place = np.minimum(np.searchsorted(pairs, asked), len(pairs) - 1)
    seen = np.where(pairs[place] == asked, counts[place], 0)
    context, base = following[held_out[1:]], prior[held_out[:-1]]
    half = len(asked) // 2
    strengths = np.geomspace(0.01, 1e6, 33)

    def gains(part: slice, strength: float) -> float:
        smoothed = (seen[part] + strength * base[part]) / (context[part] + strength)
        return float(np.log2(smoothed / base[part]).mean())

    best = max(strengths, key=lambda strength: gains(slice(half), strength))
    return gains(slice(half, None), best)
