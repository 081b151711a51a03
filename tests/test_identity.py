"""Decoders of past tokens from trace states, where the answer is known in closed form."""

import importlib.util
import itertools
import sys

import naive
import numpy as np
import pytest

from hebbsim.engine import dense_traces
from hebbsim.errors import BadInputError
from hebbsim.experiments.identity.config import IdentityConfig
from hebbsim.experiments.identity.run import run_identity
from hebbsim.experiments.identity.sentence import run_sentence
from hebbsim.probes.identity import (
    Channel,
    Condition,
    Decoder,
    States,
    decoder_names,
    entropy,
    exact_past,
    get_decoder,
    get_memory,
    lag_bounds,
    make_codes,
    make_states,
    memory_names,
    ngram_information,
    pasts,
    read,
    smallest_distance,
    successor_model,
    total_bound,
)
from hebbsim.probes.identity.states import round_bfloat16, round_int8, run_traces
from hebbsim.runs.rerun import rerun

CLOSED = ("nearest", "linear", "cancellation")


def setting(
    *,
    taus=(2, 10, 50),
    n_types=50,
    dim=32,
    n_lags=4,
    condition=None,
    streams=40,
    length=80,
    n_last=4,
    codes="random",
    seed=0,
):
    """States of uniform streams and the channel that they came through."""
    rng = np.random.default_rng(seed)
    taus = np.array(taus, dtype=float)
    table = make_codes(n_types, dim, rng, codes)
    tokens = rng.integers(n_types, size=(streams, length))
    states = make_states(
        table, tokens, taus, condition or Condition(), n_last=n_last, n_lags=n_lags, rng=rng
    )
    return states, Channel(table, taus, states.noise, np.full(n_types, 1 / n_types))


def decisions(name, states, channel, n_lags, train=None):
    """Likeliest types, shape=(N, K)."""
    decoder = get_decoder(name)(channel)
    if train is not None:
        decoder.fit(train)
    scores = list(decoder.decode(states.values, n_lags))
    assert all(np.isfinite(s).all() for s in scores)
    return np.stack([np.argmax(s + channel.log_prior, axis=1) for s in scores], axis=1)


def accuracies(name, states, channel, n_lags, train=None):
    found = decisions(name, states, channel, n_lags, train)
    return (found == states.tokens[:, :n_lags]).mean(axis=0)


# --- states ----------------------------------------------------------------------------------


def test_states_are_traces():
    rng = np.random.default_rng(0)
    codes = make_codes(7, 5, rng)
    tokens = rng.integers(7, size=(3, 12))
    taus = np.array([1.0, 2.0, 10.0])
    states = make_states(codes, tokens, taus, Condition(), n_last=2, n_lags=3, rng=rng)
    for i, stream in enumerate(tokens):
        expected = naive.traces(codes[stream], timescales=taus)[-2:]
        np.testing.assert_allclose(states.values[2 * i : 2 * i + 2], expected, atol=1e-15)
        np.testing.assert_array_equal(states.tokens[2 * i + 1], stream[:-4:-1])
        np.testing.assert_array_equal(states.tokens[2 * i], stream[-2:-5:-1])


def test_single_precision_is_that_of_the_engine():
    rng = np.random.default_rng(1)
    codes = make_codes(9, 4, rng)
    tokens = rng.integers(9, size=(1, 40))
    held = run_traces(codes, tokens, np.array([2.0, 8.0]), 40, dtype=np.float32)[0]
    engine = dense_traces(codes, timescales=(2, 8), tokens=tokens[0])
    assert held.dtype == np.float32
    np.testing.assert_allclose(held, engine, rtol=1e-5, atol=1e-8)


def test_bfloat16_is_the_nearest_number_ties_to_even():
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.standard_normal(500) * 10.0 ** rng.integers(-20, 20, 500), [0.0]])
    x = np.concatenate([x, [1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8]]).astype(np.float32)
    for value, rounded in zip(x.astype(float), round_bfloat16(x).astype(float), strict=True):
        if value == 0:
            assert rounded == 0
            continue
        unit = 2.0 ** (np.floor(np.log2(abs(value))) - 7)  # 8 significant bits
        assert rounded == np.rint(value / unit) * unit


def test_bfloat16_is_that_of_torch():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(3).standard_normal(1000).astype(np.float32)
    expected = torch.from_numpy(x).to(torch.bfloat16).to(torch.float32).numpy()
    np.testing.assert_array_equal(round_bfloat16(x), expected)


def test_int8_has_255_levels_and_saturates():
    x = np.linspace(-3, 3, 10_001)[None, None]
    rounded = round_int8(x, np.array([[2.0]]))
    assert len(np.unique(rounded)) == 255
    assert np.abs(rounded).max() == 2.0
    inside = np.abs(x) <= 2
    assert np.abs(rounded - x)[inside].max() <= 1 / 127 + 1e-12
    assert not round_int8(np.zeros((1, 1, 2)), np.zeros((1, 1))).any()


def test_rounding_at_every_step_is_coarser_than_at_the_readout():
    for precision in ("float32", "bfloat16", "int8"):
        step, _ = setting(condition=Condition(precision))
        once, _ = setting(condition=Condition(precision, rounding="readout"))
        assert (step.noise > once.noise).all()
        assert (once.noise > 0).all()


def test_noise_has_the_power_that_was_asked_for():
    clean, _ = setting(streams=200)
    noisy, _ = setting(streams=200, condition=Condition(snr=10))
    difference = np.sqrt(((noisy.values - clean.values) ** 2).mean(axis=(0, 2)))
    np.testing.assert_allclose(difference, noisy.noise, rtol=0.02)
    power = (clean.values**2).mean(axis=(0, 2))
    np.testing.assert_allclose(noisy.noise**2 / power, 0.1, rtol=1e-6)


def test_what_cannot_be_asked_for():
    with pytest.raises(BadInputError, match="unknown precision 'float16'"):
        Condition("float16")
    with pytest.raises(BadInputError, match="unknown rounding"):
        Condition(rounding="never")
    with pytest.raises(BadInputError, match="not finite"):
        Condition(snr=float("nan"))
    with pytest.raises(BadInputError, match="unknown codes"):
        make_codes(3, 3, np.random.default_rng(0), "hot")
    with pytest.raises(BadInputError, match="too short"):
        setting(length=5, n_lags=4)
    with pytest.raises(BadInputError, match="unknown decoder 'oracle'; known: nearest"):
        get_decoder("oracle")


# --- decoders in closed form -----------------------------------------------------------------


def test_one_hot_at_timescale_2_is_exact_until_the_format_ends():
    """x[t-k] is binary digit k + 1 of its component: alpha >= 1/2 loses no digit."""
    for condition, digits in ((Condition(), 53), (Condition("float32"), 24)):
        n_lags = digits + 8
        states, channel = setting(
            taus=(2,), n_types=6, codes="one-hot", n_lags=n_lags, length=120, condition=condition
        )
        right = accuracies("cancellation", states, channel, n_lags)
        assert (right[: digits - 3] == 1).all()
        assert (right[digits + 4 :] < 0.6).all()


def test_timescale_1_keeps_lag_0_alone():
    states, channel = setting(taus=(1,), streams=100)
    for name in ("nearest", "linear", "cancellation"):
        right = accuracies(name, states, channel, 4)
        assert right[0] == 1
        assert (right[1:] < 0.1).all()
    scores = list(get_decoder("cancellation")(channel).decode(states.values, 4))
    bits = [read(s, states.tokens[:, k], channel.log_prior).bits for k, s in enumerate(scores)]
    np.testing.assert_allclose(bits[0], np.log2(50), atol=0.01)
    np.testing.assert_allclose(bits[1:], 0, atol=0.05)
    assert lag_bounds(channel, 3)[1] == 0


def test_cancellation_finds_a_dozen_tokens_in_single_precision():
    states, channel = setting(
        n_types=1000, dim=64, n_lags=12, condition=Condition("float32"), length=220, streams=60
    )
    assert (accuracies("cancellation", states, channel, 12) >= 0.99).all()


@pytest.mark.parametrize(
    "taus, n_found", [((2, 10, 50), 1), (tuple(2 ** (i / 2) for i in range(2, 10)), 3)]
)
def test_linear_finds_about_half_as_many_lags_as_traces(taus, n_found):
    states, channel = setting(taus=taus, n_types=1000, dim=64, n_lags=8, length=150)
    right = accuracies("linear", states, channel, 8)
    found = int((right >= 0.5).sum())
    assert n_found <= found <= (len(taus) + 1) // 2 + 1


def test_weights_are_the_least_squares_of_the_data():
    states, channel = setting(
        streams=2000, length=300, n_types=3000, dim=8, condition=Condition(snr=15)
    )
    flat = states.values.transpose(0, 2, 1).reshape(-1, 3)
    for lag in range(3):
        target = channel.codes[states.tokens[:, lag]].ravel()
        learnt = np.linalg.lstsq(flat, target, rcond=None)[0]
        expected = channel.weights(lag)
        error = np.linalg.norm(learnt - expected) / np.linalg.norm(expected)
        assert error < 0.1


def test_likelihood_is_the_posterior_by_enumeration():
    """Short streams of a tiny alphabet in strong noise, against a sum over all streams."""
    rng = np.random.default_rng(4)
    n_types, depth = 3, 4
    codes = rng.standard_normal((n_types, 2))
    taus = np.array([1.5, 4.0])
    prior = np.array([0.5, 0.3, 0.2])
    noise = np.array([0.2, 0.1])
    channel = Channel(codes, taus, noise, prior, n_past=depth)  # no token before these
    gains = channel.gains(depth)
    states = rng.standard_normal((5, 2, 2))
    found = list(get_decoder("likelihood")(channel).decode(states, depth))
    for n, state in enumerate(states):
        joint = np.zeros((depth, n_types))
        for sequence in itertools.product(range(n_types), repeat=depth):
            mean = sum(gains[k][:, None] * codes[v] for k, v in enumerate(sequence))
            density = np.exp(-(((state - mean) / noise[:, None]) ** 2).sum() / 2)
            for k, v in enumerate(sequence):
                joint[k, v] += density * np.prod(prior[list(sequence)])
        for k in range(depth):
            posterior = np.exp(found[k][n] - found[k][n].max()) * prior
            np.testing.assert_allclose(
                posterior / posterior.sum(), joint[k] / joint[k].sum(), rtol=1e-6, atol=1e-12
            )


def test_maximum_likelihood_is_not_beaten():
    options = dict(n_types=4, dim=4, condition=Condition(snr=12), streams=300, n_lags=5)
    states, channel = setting(**options)
    best = np.mean(accuracies("likelihood", states, channel, 5))
    for name in ("nearest", "linear", "cancellation", "pursuit"):
        assert np.mean(accuracies(name, states, channel, 5)) <= best + 0.01


def test_too_large_an_alphabet_to_enumerate():
    states, channel = setting(n_types=20_000, dim=4, streams=2, n_last=1)
    with pytest.raises(BadInputError, match="20000 types are too many"):
        list(get_decoder("likelihood")(channel).decode(states.values, 2))


def test_pursuit_recovers_few_tokens():
    states, channel = setting(
        taus=(1.5, 3, 6, 12), n_types=20, dim=64, length=3, n_last=1, n_lags=3, streams=60
    )
    assert (accuracies("pursuit", states, channel, 3) >= 0.9).all()


@pytest.mark.parametrize("name", ["ridge", "discriminant", "softmax", "mlp"])
def test_trained_decoders_learn(name):
    if name == "mlp":
        pytest.importorskip("torch")
    options = dict(n_types=8, dim=12, n_lags=2)
    train, channel = setting(streams=200, **options)
    states, _ = setting(streams=80, **options)
    rng = np.random.default_rng(9)
    tokens = rng.integers(8, size=(80, 80))
    states = make_states(
        channel.codes, tokens, channel.timescales, Condition(), n_last=4, n_lags=2, rng=rng
    )
    right = accuracies(name, states, channel, 2, train)
    assert right[0] >= 0.9
    shuffled = States(train.values, rng.permutation(train.tokens), train.noise)
    assert accuracies(name, states, channel, 2, shuffled)[0] < 0.3


@pytest.mark.parametrize(
    "name",
    sorted(
        "nearest linear cancellation language beam pursuit likelihood ridge discriminant "
        "softmax mlp".split()
    ),
)
def test_every_decoder_takes_one_type_and_one_state(name):
    if name == "mlp":
        pytest.importorskip("torch")
    assert name in decoder_names()
    for n_types in (1, 3):
        train, channel = setting(n_types=n_types, dim=4, streams=6, n_lags=2, length=30)
        one = States(train.values[:1], train.tokens[:1], train.noise)
        found = decisions(name, one, channel, 2, train)
        assert found.shape == (1, 2)
        assert n_types > 1 or not found.any()


def test_decoding_changes_no_state_and_repeats():
    states, channel = setting()
    before = states.values.copy()
    for name in CLOSED:
        first = decisions(name, states, channel, 4)
        np.testing.assert_array_equal(first, decisions(name, states, channel, 4))
    np.testing.assert_array_equal(states.values, before)


def test_codes_of_unequal_length_are_told_apart():
    codes = np.array([[1.0], [2.0], [3.0]])
    channel = Channel(codes, np.array([1.0]), np.array([1e-3]), np.full(3, 1 / 3))
    for name in (*CLOSED, "likelihood"):
        scores = next(get_decoder(name)(channel).decode(codes[:, None], 1))
        assert scores.argmax(axis=1).tolist() == [0, 1, 2]


# --- information -----------------------------------------------------------------------------


def test_bits_never_exceed_entropy_nor_fall_below_nothing():
    rng = np.random.default_rng(5)
    prior = 1 / np.arange(1, 21)
    log_prior = np.log(prior / prior.sum())
    tokens = rng.choice(20, size=400, p=np.exp(log_prior))
    sure = np.where(np.arange(20) == tokens[:, None], 0.0, -1e6)
    for scores in (sure, rng.standard_normal((400, 20)) * 1e3, sure[::-1], np.zeros((400, 20))):
        reading = read(scores, tokens, log_prior)
        assert reading.bits <= reading.entropy
        assert reading.bits > -0.05
    certain = read(sure, tokens, log_prior)
    assert certain.bits == pytest.approx(certain.entropy, abs=0.01)


def test_bits_of_a_binary_symmetric_channel():
    """1 - H(p), whatever the scale of the log-likelihoods."""
    rng = np.random.default_rng(6)
    tokens = rng.integers(2, size=20_000)
    seen = tokens ^ (rng.random(20_000) < 0.11)
    scores = np.where(np.arange(2) == seen[:, None], 37.0, 5.0)
    reading = read(scores, tokens, np.log([0.5, 0.5]))
    assert reading.bits == pytest.approx(1 - entropy(np.array([0.11, 0.89])), abs=0.02)
    assert reading.accuracy == pytest.approx(0.89, abs=0.01)


def test_bits_of_an_erasure_channel_that_is_sure_of_itself():
    """A tenth of the readings are noise and look like the rest: about 0.9 log2 V bits stay."""
    rng = np.random.default_rng(8)
    n_types = 100
    tokens = rng.integers(n_types, size=20_000)
    seen = np.where(rng.random(20_000) < 0.1, rng.integers(n_types, size=20_000), tokens)
    scores = np.where(np.arange(n_types) == seen[:, None], 0.0, -1e4)
    right = 0.9 + 0.1 / n_types
    wrong = (1 - right) / (n_types - 1)
    known = np.log2(n_types) + right * np.log2(right) + (1 - right) * np.log2(wrong)
    reading = read(scores, tokens, np.log(np.full(n_types, 1 / n_types)))
    assert reading.bits == pytest.approx(known, abs=0.06)


@pytest.mark.parametrize("snr", [-10, 0, 10, 30])
def test_no_decoder_exceeds_the_gaussian_bounds(snr):
    states, channel = setting(
        n_types=30, dim=6, n_lags=8, streams=400, condition=Condition(snr=snr), length=200
    )
    bounds = lag_bounds(channel, 8)
    for name in CLOSED:
        scores = get_decoder(name)(channel).decode(states.values, 8)
        bits = [read(s, states.tokens[:, k], channel.log_prior).bits for k, s in enumerate(scores)]
        assert (bits <= bounds + 0.1).all()
        assert sum(bits) <= total_bound(channel) + 0.3


def test_bounds_of_one_trace_in_closed_form():
    prior = np.array([0.5, 0.5])
    channel = Channel(np.array([[1.0], [-1.0]]), np.array([2.0]), np.array([0.5]), prior)
    expected = [np.log2(1 + (0.5 ** (k + 1) / 0.5) ** 2) / 2 for k in range(5)]
    np.testing.assert_allclose(lag_bounds(channel, 5), expected)
    # All lags through one output: the sum of their powers, 1/3 over 1/4.
    assert total_bound(channel) == pytest.approx(np.log2(1 + 4 / 3) / 2)
    quiet = Channel(channel.codes, channel.timescales, np.array([1e-9]), prior)
    np.testing.assert_allclose(lag_bounds(quiet, 5), 1)


def test_bigram_information():
    rng = np.random.default_rng(7)
    uniform = np.full(4, 0.25)
    noise = rng.integers(4, size=20_000)
    assert abs(ngram_information(noise[:10_000], noise[10_000:], uniform)) < 0.01
    cycle = np.arange(400) % 4
    assert ngram_information(cycle, cycle, uniform) == pytest.approx(2, abs=0.01)
    assert ngram_information(cycle[:1], cycle, uniform) == 0
    unseen = cycle[::-1]
    assert ngram_information(cycle, unseen, uniform) == pytest.approx(0, abs=0.01)


def test_ngram_information_counts_contexts_of_every_length():
    """A token is the sum of the two after it, modulo 3: a bigram model knows nothing of it."""
    rng = np.random.default_rng(8)
    backwards = list(rng.integers(3, size=2))
    for _ in range(8000):
        noisy = rng.random() < 0.1
        backwards.append(rng.integers(3) if noisy else (backwards[-1] + backwards[-2]) % 3)
    tokens = np.array(backwards[::-1])
    uniform = np.full(3, 1 / 3)
    found = [ngram_information(tokens[:4000], tokens[4000:], uniform, n) for n in (2, 3, 4)]
    right = 0.9 + 0.1 / 3
    known = np.log2(3) - entropy(np.array([right, *[(1 - right) / 2] * 2]))
    assert found[0] == pytest.approx(0, abs=0.05)
    np.testing.assert_allclose(found[1:], known, atol=0.08)
    assert ngram_information(tokens[:3], tokens, uniform, 4) == 0


def test_successor_model_is_that_of_the_counts():
    tokens = np.array([0, 1, 2] * 200)
    model = np.exp(successor_model(tokens, tokens, np.full(3, 1 / 3)))
    np.testing.assert_allclose(model.sum(axis=1), 1)
    np.testing.assert_allclose(model, np.eye(3)[[2, 0, 1]], atol=0.01)  # 2 stands before 0


def test_bits_beyond_a_language_model():
    """Scores that say what the model knows already add nothing; those that say more do."""
    rng = np.random.default_rng(9)
    known = rng.integers(4, size=4000)  # a pair of types
    tokens = 2 * known + rng.integers(2, size=4000)
    log_prior = np.where(np.arange(8) // 2 == known[:, None], np.log(0.5), np.log(1e-9))
    log_prior -= np.log(np.exp(log_prior).sum(axis=1, keepdims=True))
    same = np.where(np.arange(8) // 2 == known[:, None], 0.0, -50.0)
    assert read(same, tokens, log_prior).bits == pytest.approx(0, abs=0.01)
    sure = np.where(np.arange(8) == tokens[:, None], 0.0, -50.0)
    assert read(sure, tokens, log_prior).bits == pytest.approx(1, abs=0.01)
    assert read(sure, tokens, np.log(np.full(8, 1 / 8))).bits == pytest.approx(3, abs=0.01)


# --- decoders that know more -----------------------------------------------------------------


def test_a_list_finds_what_one_past_cannot():
    """A trace of timescale 5: the best single decision is often wrong, the list is not."""
    options = dict(taus=(5,), n_types=200, dim=64, n_lags=8, condition=Condition("float32"))
    states, channel = setting(streams=10, length=60, **options)
    alone = accuracies("cancellation", states, channel, 8)
    listed = accuracies("beam", states, channel, 8)
    assert listed[:5].mean() >= 0.9
    assert listed[:5].mean() > alone[:5].mean() + 0.2


def test_a_wide_list_is_the_exact_posterior():
    """With every past in the list the shares are those of `likelihood`."""
    rng = np.random.default_rng(10)
    codes = rng.standard_normal((3, 2))
    noise = np.array([0.2, 0.1])
    prior = np.array([0.5, 0.3, 0.2])
    channel = Channel(codes, np.array([1.5, 4.0]), noise, prior, n_past=4)
    states = rng.standard_normal((5, 2, 2))
    beam = get_decoder("beam")(channel)
    beam.width = 3**4
    found = zip(
        beam.decode(states, 4), get_decoder("likelihood")(channel).decode(states, 4), strict=True
    )
    for lag, (listed, exact) in enumerate(found):
        shares = np.exp(listed + channel.log_prior)
        posterior = np.exp(exact - exact.max(axis=1, keepdims=True)) * prior
        posterior /= posterior.sum(axis=1, keepdims=True)
        if lag == 3:  # nothing was learned after the last lag was reached
            np.testing.assert_allclose(shares, posterior, rtol=1e-6, atol=1e-12)
        else:  # a fifth of the shares are those of the time when the lag was reached
            assert (shares >= 0.8 * posterior - 1e-9).all()


def test_a_language_model_helps_where_noise_hides_tokens():
    rng = np.random.default_rng(11)
    n_types, length = 30, 60
    transition = rng.dirichlet(np.full(n_types, 0.1), size=n_types)
    tokens = np.empty((150, length), dtype=np.int64)
    tokens[:, 0] = rng.integers(n_types, size=150)
    for t in range(1, length):
        for row in range(150):
            tokens[row, t] = rng.choice(n_types, p=transition[tokens[row, t - 1]])
    codes = make_codes(n_types, 8, rng)
    taus = np.array([2.0, 10.0])
    prior = np.bincount(tokens.ravel(), minlength=n_types) / tokens.size
    states = make_states(codes, tokens, taus, Condition(snr=12), n_last=2, n_lags=4, rng=rng)
    stream = tokens[:75].ravel()
    model = successor_model(stream, tokens[75:].ravel(), prior)
    channel = Channel(codes, taus, states.noise, prior, log_successor=model)
    plain = Channel(codes, taus, states.noise, prior)
    helped = accuracies("language", states, channel, 4)
    assert helped[0] == accuracies("cancellation", states, channel, 4)[0]
    assert helped[1:3].mean() > accuracies("cancellation", states, channel, 4)[1:3].mean() + 0.05
    np.testing.assert_array_equal(
        decisions("language", states, plain, 4), decisions("cancellation", states, plain, 4)
    )


def test_the_discriminant_is_that_of_scikit_learn():
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    states, channel = setting(n_types=10, dim=6, n_lags=2, streams=100)
    decoder = get_decoder("discriminant")(channel)
    decoder.ridge, decoder.shrinkage = 1e-9, 0.0
    decoder.fit(states)
    features = decoder._features(states.values)
    for lag, scores in enumerate(decoder.decode(states.values, 2)):
        other = LinearDiscriminantAnalysis(priors=channel.prior)
        other.fit(features, states.tokens[:, lag])
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(shares, other.predict_proba(features), atol=0.02)


# --- expansion in base 1 / (1 - alpha) ---------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.75, 0.5, 0.49, 0.45, 0.4, (3 - 5**0.5) / 2, 0.3])
def test_the_exact_past_is_that_of_all_pasts(alpha):
    """Every past of n tokens is decoded exactly, and some past of n + 1 is not."""
    longest = min(exact_past(alpha), 7)
    for n in {1, int(longest), int(longest) + 1}:
        sequences = pasts(3, n)
        gains = alpha * (1 - alpha) ** np.arange(n)
        states = np.einsum("k,qkv->qv", gains, np.eye(3)[sequences])[:, None]
        uniform = np.full(3, 1 / 3)
        channel = Channel(np.eye(3), np.array([1 / alpha]), np.zeros(1), uniform, n_past=n)
        scores = get_decoder("cancellation")(channel).decode(states, n)
        found = [np.argmax(of_lag, axis=1) for of_lag in scores]
        wrong = (np.stack(found, axis=1) != sequences).any(axis=1)
        if n <= longest or alpha >= 0.5:
            assert not wrong.any()
        elif abs(alpha - 0.382) > 0.01:  # there two types tie, and either may be named
            assert wrong.any()


def test_two_pasts_may_lead_to_one_state_below_one_half_and_not_above():
    golden = (3 - 5**0.5) / 2
    assert smallest_distance(golden, 2, 3) < 1e-12
    assert exact_past(golden) == 2
    for alpha in (0.5, 0.6, 0.9):
        assert exact_past(alpha) == np.inf
        assert smallest_distance(alpha, 3, 5) > 0
    with pytest.raises(BadInputError, match="alpha is 0"):
        exact_past(0)


# --- memories --------------------------------------------------------------------------------


@pytest.fixture
def sentences():
    rng = np.random.default_rng(12)
    return make_codes(9, 6, rng), np.array([2.0, 10.0, 50.0]), rng.integers(9, size=(4, 7))


def test_every_memory_has_the_size_of_the_traces_and_looks_back_only(sentences):
    codes, taus, tokens = sentences
    assert set(memory_names()) == {"traces", "window", "lmu", "fast-weights"}
    changed = tokens.copy()
    changed[:, 4:] = (changed[:, 4:] + 1) % 9
    for name in memory_names():
        one, other = (
            get_memory(name)(codes, taus, np.random.default_rng(0)).run(x)
            for x in (tokens, changed)
        )
        assert one.shape == (4, 7, 18)
        np.testing.assert_array_equal(one[:, :4], other[:, :4])
        assert (one[:, 4] != other[:, 4]).any(axis=1).all()
    with pytest.raises(BadInputError, match="unknown memory 'tape'"):
        get_memory("tape")


def test_a_window_holds_the_last_codes(sentences):
    codes, taus, tokens = sentences
    states = get_memory("window")(codes, taus, np.random.default_rng(0)).run(tokens)
    expected = codes[tokens[:, [5, 4, 3]]].reshape(4, -1)
    np.testing.assert_allclose(states[:, 5], expected, rtol=1e-6)
    assert not states[:, 0, 6:].any()


def test_the_legendre_memory_follows_its_equation(sentences):
    """Against small steps of ``theta dm/dt = A m + B u``."""
    codes, taus, tokens = sentences
    memory = get_memory("lmu")(codes, taus, np.random.default_rng(0))
    order, theta, steps = 3, memory.stretch * 3, 4000
    a = np.array(
        [[(2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1)) for j in range(3)] for i in range(3)]
    )
    b = np.array([(2 * i + 1) * (-1) ** i for i in range(3)])
    m = np.zeros((order, 6))
    for token in tokens[0]:
        for _ in range(steps):
            m = m + (a @ m + b[:, None] * codes[token]) / (theta * steps)
    np.testing.assert_allclose(memory.run(tokens)[0, -1].reshape(order, 6), m, atol=2e-3)


def test_fast_weights_give_back_what_was_just_bound(sentences):
    codes, taus, tokens = sentences
    memory = get_memory("fast-weights")(codes, taus, np.random.default_rng(0))
    n_values, n_keys = memory.shape()
    assert (n_values, n_keys) == (6, 3)
    found = memory.run(tokens)[:, -1].reshape(4, n_values, n_keys)
    values = memory.values
    # The delta rule leaves no error at the key of now, whatever was there before.
    np.testing.assert_allclose(found[:, :, 0], values[tokens[:, -1]], atol=1e-5)
    # All else is what was there, turned.
    np.testing.assert_allclose(memory.turn @ memory.turn.T, np.eye(n_keys), atol=1e-6)
    before = memory.run(tokens[:, :-1])[:, -1].reshape(4, n_values, n_keys) @ memory.turn
    error = values[tokens[:, -1]] - before[:, :, 0]
    before[:, :, 0] += error
    np.testing.assert_allclose(found, before, atol=1e-5)


MINE = """
import numpy as np
from hebbsim.probes.identity import Decoder

class Mine(Decoder):
    name = "NAME"

    def decode(self, states, n_lags):
        for _ in range(n_lags):
            yield np.zeros((len(states), len(self.channel.codes)))
"""


@pytest.fixture
def registry(monkeypatch):
    """Decoders of a test are gone after it."""
    monkeypatch.setattr(Decoder, "_registry", dict(Decoder._registry))


def test_a_decoder_in_a_file_of_its_own_registers_itself(tmp_path, monkeypatch, registry):
    (tmp_path / "in_a_file.py").write_text(MINE.replace("NAME", "in-a-file"))
    name = "hebbsim.probes.identity"
    spec = importlib.util.find_spec(name)
    spec.submodule_search_locations.append(str(tmp_path))  # as if the file were in the folder
    again = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, again)
    monkeypatch.setitem(sys.modules, f"{name}.in_a_file", None)
    del sys.modules[f"{name}.in_a_file"]
    spec.loader.exec_module(again)
    assert get_decoder("in-a-file").__module__ == f"{name}.in_a_file"


def test_a_file_outside_the_package_gives_its_decoders(tmp_path, registry):
    path = tmp_path / "mine.py"
    path.write_text(MINE.replace("NAME", "mine"))
    config = IdentityConfig.checked({"decoders": f"nearest,{path}"})
    assert config.decoders == ("nearest", "mine")
    assert IdentityConfig.checked({"decoders": str(path)}).decoders == ("mine",)  # once more
    results = run_identity(
        config.model_copy(
            update={"vocab_size": 5, "dim": 8, "lags": 2, "seeds": 1, "states": 32, "map_seeds": 0,
                    "precision": ("float32",), "noise": (), "structure": "none", "limits": False}
        )
    )  # fmt: skip
    assert results.select(model="mine", metric="accuracy")


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("sentence", [None, "the dog saw a cat ."])
def test_a_run_with_decoders_of_a_file_is_run_again(tmp_path, registry, monkeypatch, sentence):
    small = {"vocab_size": 5, "dim": 8, "lags": 2, "seeds": 1, "states": 32, "map_seeds": 0,
             "precision": "float32", "noise": "none", "structure": "none",
             "limits": False}  # fmt: skip
    if sentence:
        small |= {"stream": "builtin", "vocab_size": 30, "sentence": sentence}
    (tmp_path / "mine.py").write_text(MINE.replace("NAME", "mine"))
    monkeypatch.chdir(tmp_path)
    config = IdentityConfig.checked({"decoders": "mine.py,nearest", **small})
    (run_sentence if sentence else run_identity)(config, out=tmp_path / "run")
    # As in another process, begun in another folder.
    before, module = dict(Decoder._registry), f"hebbsim_file:{tmp_path / 'mine.py'}"
    del before["mine"], sys.modules[module]
    monkeypatch.setattr(Decoder, "_registry", before)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    found = rerun(tmp_path / "run")
    assert found.exact and found.changed == []
    # A file that was changed in between is told, and one that is gone named.
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# another line\n")
    (changed,) = rerun(tmp_path / "run").changed
    assert changed.startswith("input mine.py was ")
    (tmp_path / "mine.py").unlink()
    del before["mine"], sys.modules[module]
    with pytest.raises(BadInputError, match=r"--decoders: mine\.py: cannot be imported"):
        rerun(tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be imported (FileNotFoundError"),
        ("import nothing_like_it", "cannot be imported (ModuleNotFoundError"),
        ("raise SystemExit(0)", "cannot be imported (SystemExit"),
        ("x = 1", "defines no subclass of Decoder"),
        (MINE.replace("NAME", "ridge"), "has a decoder ridge: choose another name"),
    ],
)
def test_a_file_without_a_decoder_is_refused_in_one_line(tmp_path, registry, text, says):
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInputError) as error:
        IdentityConfig.checked({"decoders": str(path)})
    assert f"--decoders: {path}" in str(error.value) and says in str(error.value)
