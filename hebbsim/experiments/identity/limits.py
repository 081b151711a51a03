"""Measures two limits: deeper processing of a state, and the expansion of one trace.

Deeper processing. States of short, noisy streams of four types, whose exact posterior can be
computed by enumerating all pasts, pass through layers: successive cancellation (the codes found so
far and the residual) or random tanh layers. By the data processing inequality, no layer holds more
bits about a token than the state, but a linear probe may find more of them.

Expansion. All pasts of one trace of one-hot tokens are enumerated
(`hebbsim.probes.identity.expansion`).
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hebbsim.probes import identity as probes
from hebbsim.probes.identity.decoders import Cancellation
from hebbsim.probes.identity.states import Floats, Ints
from hebbsim.runs.results import Score

_TYPES, _DIM, _TOKENS, _SNR = 4, 8, 6, 15.0
_TRAINING, _STATES = 4000, 1600
#: Number of layers that the states pass through.
DEPTH = _TOKENS
#: 1 - 1/phi, at which two pasts of three tokens lead to the same state.
GOLDEN = (3 - 5**0.5) / 2
ALPHAS = (0.6, 0.5, 0.49, 0.45, 0.4, GOLDEN, 0.35, 0.3, 0.2)
_LONGEST = 8


def processing_scores(corpus: str, taus: Floats, seed: int) -> Iterator[Score]:
    """Bits about all past tokens that a linear probe finds in each layer, and the exact bits."""
    score = partial(Score, corpus, "processing", role=None, seed=seed, unit="bits")
    rng = np.random.default_rng([seed, 7])
    codes = probes.make_codes(_TYPES, _DIM, rng)
    tokens = rng.integers(_TYPES, size=(_TRAINING + _STATES, _TOKENS))
    whole = probes.make_states(
        codes, tokens, taus, probes.Condition(snr=_SNR), n_last=1, n_lags=_TOKENS, rng=rng
    )
    prior = np.full(_TYPES, 1 / _TYPES)
    channel = probes.Channel(codes, taus, whole.noise, prior, n_past=_TOKENS)
    train, test = _cut(whole.values), _cut(whole.tokens)
    decoder = probes.get_decoder("likelihood")(channel)
    exact = _bits(decoder.decode(train[1], _TOKENS), test[1], channel)
    yield score("exact", "", "total_bits", value=float(exact.sum()))
    for kind, layers in {
        "cancellation": _cancelled(channel, whole.values),
        "tanh": _random_layers(whole.values, rng),
    }.items():
        for depth, layer in enumerate(layers):
            learnt, asked = _cut(layer[:, None])
            # The probe does not know the codes, only the number of types.
            probe = probes.get_decoder("discriminant")(
                probes.Channel(np.eye(_TYPES), np.ones(1), np.zeros(1), prior)
            )
            probe.fit(probes.States(learnt, test[0], np.zeros(1)))
            bits = _bits(probe.decode(asked, _TOKENS), test[1], channel)
            words = f"layers={kind} depth={depth}"
            yield score("linear", words, "total_bits", value=float(bits.sum()))
            yield score("linear", words, "excess", value=float((bits - exact).max()))


def _cut(values: NDArray) -> tuple[NDArray, NDArray]:
    return values[:_TRAINING], values[_TRAINING:]


def _bits(scores: Iterator[Floats], tokens: Ints, channel: probes.Channel) -> Floats:
    return np.array(
        [probes.read(s, tokens[:, lag], channel.log_prior).bits for lag, s in enumerate(scores)]
    )


def _cancelled(channel: probes.Channel, states: Floats) -> Iterator[Floats]:
    """States, then the codes found so far with what is left of the traces, shape=(N, M)."""
    yield states.reshape(len(states), -1)
    found: list[Floats] = []
    for _, chosen, rest in Cancellation(channel).steps(states, DEPTH):
        found.append(channel.codes[chosen])
        yield np.concatenate([*found, rest.reshape(len(states), -1)], axis=1)


def _random_layers(states: Floats, rng: np.random.Generator) -> Iterator[Floats]:
    """States, then random tanh layers of the same width, with inputs of variance one."""
    layer = states.reshape(len(states), -1)
    yield layer
    for _ in range(DEPTH):
        layer = (layer - layer.mean(axis=0)) / layer.std(axis=0)
        weights = np.linalg.qr(rng.standard_normal((layer.shape[1],) * 2))[0]
        layer = np.tanh(1.5 * layer @ weights)
        yield layer


def expansion_scores(corpus: str) -> Iterator[Score]:
    """Longest past that greedy decoding always recovers, measured and in closed form."""
    for alpha in ALPHAS:
        for model, metric, value, unit in (
            ("cancellation", "exact_past", _measured_past(alpha), "tokens"),
            ("bound", "exact_past", min(probes.exact_past(alpha), _LONGEST), "tokens"),
            ("state", "smallest_distance", probes.smallest_distance(alpha, 3, 6), "1"),
        ):
            words = f"alpha={alpha:.4g}"
            yield Score(corpus, "expansion", model, words, metric, None, 0, value, unit)


def _measured_past(alpha: float) -> int:
    """Try every past of up to eight tokens of three types."""
    for n in range(1, _LONGEST + 1):
        sequences = probes.pasts(3, n)
        gains = alpha * (1 - alpha) ** np.arange(n)
        codes = np.eye(3)
        rest = np.einsum("k,qkv->qv", gains, codes[sequences])
        for lag in range(n):
            right = np.take_along_axis(rest, sequences[:, lag : lag + 1], axis=1)
            others = np.where(codes[sequences[:, lag]] > 0, -np.inf, rest).max(axis=1)
            # Two types that tie in exact arithmetic cannot be distinguished.
            if (right[:, 0] - others <= 1e-12).any():
                return n - 1
            rest = rest - gains[lag] * codes[sequences[:, lag]]
    return _LONGEST
