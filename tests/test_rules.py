"""The checks that every learning rule must pass, and what each rule is known to learn.

A new rule needs an oracle in ``naive.py``; all else is found.
"""

import itertools

import hypothesis.strategies as st
import naive
import numpy as np
import pytest
from hypothesis import given, settings

from hebbsim.engine.rules import builtin_names, get_rule
from hebbsim.errors import BadInputError

VARIANTS = [
    (name, post, kernel)
    for name in builtin_names()
    for post in get_rule(name).posts
    for kernel in (["learn", "learn_blocks"] if get_rule(name).learn_blocks else ["learn"])
]


def variants(wanted):
    """Rules of which something is true, with each post and kernel."""
    return pytest.mark.parametrize(
        ("name", "post", "kernel"), [one for one in VARIANTS if wanted(get_rule(one[0]))]
    )


each_variant = variants(lambda rule: True)
each_with_an_oracle = variants(lambda rule: rule.name in naive.RULES)
each_rule = pytest.mark.parametrize("name", builtin_names())


def learn(name, weights, state, pre, event, post="output", eta=0.05, kernel="learn", **parameters):
    """Run a kernel on copies; new weights, new state, post."""
    event = np.float32(event)
    rule = get_rule(name)
    weights, state = np.array(weights, np.float32), np.array(state, np.float32)
    out = np.full((len(pre), len(weights)), np.nan, dtype=np.float32)
    values = np.array(list(rule.resolve(parameters).values()), dtype=np.float32)
    getattr(rule, kernel)(
        weights, state, np.float32(pre), np.arange(len(pre), dtype=np.int32), event,
        post == "token", np.float32(eta), values, out,
    )  # fmt: skip
    return weights, state, out


def setting(kind, post, seed=0):
    """Weights (4, 8), pre (T, 8) and event (T, 4) of one kind."""
    rng = np.random.default_rng(seed)
    length = {"one token": 1, "empty": 0}.get(kind, 30)
    weights = 0.3 * rng.standard_normal((4, 8))
    pre, event = 0.5 * rng.standard_normal((length, 8)), rng.standard_normal((length, 4))
    if kind == "constant":
        pre[:], event[:] = 0.5, 0.25
    elif kind == "repeated":
        pre[:], event[:] = pre[:1], event[:1]
    elif kind == "zero":
        pre[:], event[:] = 0, 0
    elif kind == "literal":
        weights = np.eye(4, 8)
        pre, event = np.eye(8)[[0, 3, 7]], np.eye(4)[[1, 1, 2]]
    # Values that float32 holds, so that the oracle starts from the same ones.
    return np.float32(weights), np.float32(pre), np.float32(event)


# The public suite --------------------------------------------------------------------------


@each_rule
def test_a_rule_says_who_it_is(name):
    rule = get_rule(name)
    assert rule.name == name
    assert rule.equation.startswith("ΔW")
    assert any(f"({year})" in rule.source for year in range(1940, 2030))
    assert rule.equation in str(rule)
    assert rule.posts
    for parameter in rule.parameters:
        assert parameter in rule.equation  # what it does stands in the equation


@pytest.mark.parametrize(
    "kind", ["random", "constant", "repeated", "zero", "literal", "one token", "empty"]
)
@each_with_an_oracle
def test_kernel_equals_its_oracle(name, post, kernel, kind):
    weights, pre, event = setting(kind, post)
    rule = get_rule(name)
    start = rule.start(8, 4)
    found = learn(name, weights, start, pre, event, post, kernel=kernel)
    expected = naive.learn(
        name, weights, start, pre, event, post == "token", 0.05, rule.resolve(None)
    )
    for mine, oracle in zip(found, expected, strict=True):
        assert mine.shape == oracle.shape
        np.testing.assert_allclose(mine, oracle, rtol=2e-4, atol=2e-5)


@each_with_an_oracle
def test_other_parameters_reach_the_kernel(name, post, kernel):
    rule = get_rule(name)
    weights, pre, event = setting("random", post)
    start = rule.start(8, 4)
    others = {
        key: 1.5 if key.startswith("tau") else 0.5 if value < 1 else 1.5 * value
        for key, value in rule.parameters.items()
    }
    found = learn(name, weights, start, pre, event, post, kernel=kernel, **others)
    expected = naive.learn(name, weights, start, pre, event, post == "token", 0.05, others)
    for mine, oracle in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, oracle, rtol=2e-4, atol=2e-5)
    defaults = rule.resolve(None)
    plain = learn(name, weights, start, pre, event, post, kernel=kernel, **defaults)
    for key in others:  # each one matters, beside the others or beside the defaults
        without = learn(
            name, weights, start, pre, event, post, kernel=kernel,
            **{**others, key: defaults[key]},
        )  # fmt: skip
        alone = learn(
            name, weights, start, pre, event, post, kernel=kernel, **{**defaults, key: others[key]}
        )
        assert _differ(found, without) or _differ(plain, alone)


def _differ(a, b):
    return any(x.tobytes() != y.tobytes() for x, y in zip(a, b, strict=True))


@each_variant
def test_weights_change_with_eta_and_only_with_eta(name, post, kernel):
    weights, pre, event = setting("random", post)
    start = get_rule(name).start(8, 4)
    moved, state, _ = learn(name, weights, start, pre, event, post, eta=0.05, kernel=kernel)
    assert not np.array_equal(moved, weights)
    still, same, out = learn(name, moved, state, pre, event, post, eta=0, kernel=kernel)
    # Nothing is learned, in the state no more than in the weights, and the units answer.
    assert (still.tobytes(), same.tobytes()) == (moved.tobytes(), state.tobytes())
    assert np.isfinite(out).all() and out.any()


@variants(lambda rule: rule.name in naive.RULES and not rule.recurrent)
def test_inputs_and_targets_may_have_any_width(name, post, kernel):
    rule = get_rule(name)
    rng = np.random.default_rng(3)
    weights, pre = np.float32(0.3 * rng.standard_normal((4, 7))), rng.standard_normal((30, 7))
    pre, event = np.float32(pre), np.float32(rng.standard_normal((30, 4 if rule.tied(post) else 3)))
    start = rule.start(7, 4)
    rule.check_sizes(post, 7, 4, event.shape[1])
    found = learn(name, weights, start, pre, event, post, 0.02, kernel)
    expected = naive.learn(
        name, weights, start, pre, event, post == "token", 0.02, rule.resolve(None)
    )
    for mine, oracle in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, oracle, rtol=2e-4, atol=2e-5)


@each_variant
def test_small_changes_are_in_proportion_to_eta(name, post, kernel):
    weights, pre, event = setting("random", post)
    start = get_rule(name).start(8, 4)
    # Not the first token alone: running means start from it, and it is no news to them.
    once, twice = (
        learn(name, weights, start, pre[:3], event[:3], post, eta, kernel)[0] - weights
        for eta in (0.001, 0.002)
    )
    assert np.abs(once).max() > 1e-4
    np.testing.assert_allclose(twice, 2 * once, rtol=0.03, atol=1e-6)


@each_variant
def test_results_do_not_depend_on_the_length_of_chunks(name, post, kernel):
    weights, pre, event = setting("random", post, seed=1)
    whole = learn(name, weights, get_rule(name).start(8, 4), pre, event, post, kernel=kernel)
    for cuts in ([0, 1, 2, 17, 30], list(range(31))):
        w, state, outs = weights, get_rule(name).start(8, 4), []
        for a, b in itertools.pairwise(cuts):
            w, state, out = learn(name, w, state, pre[a:b], event[a:b], post, kernel=kernel)
            outs.append(out)
        for found, expected in zip((w, state, np.concatenate(outs)), whole, strict=True):
            if kernel == "learn":
                assert found.tobytes() == expected.tobytes()
            else:
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_taking_blocks_of_tokens_equals_the_recurrence(data):
    name = data.draw(st.sampled_from(["delta", "hebb"]))  # bounds are those of linear rules
    n_units, n_inputs, n_types, n_tokens = (
        data.draw(st.integers(low, high)) for low, high in ((1, 13), (1, 40), (1, 6), (0, 70))
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    weights = np.float32(rng.standard_normal((n_units, n_inputs)))
    # Contexts that repeat are where the tokens of a block change one another the most. They
    # have length one, so that a rule at these rates forgets its errors, or (Hebb's) lets them
    # grow with the weights: how far, the same steps on the identity tell.
    tokens = rng.integers(0, n_types, n_tokens)
    contexts = rng.standard_normal((n_types, n_inputs))
    pre = np.float32(contexts / np.linalg.norm(contexts, axis=1, keepdims=True))[tokens]
    event = np.float32(rng.standard_normal((n_types, n_units)))[tokens]
    eta = data.draw(st.sampled_from([0.0, 0.01, 0.3 if name == "delta" else 0.03]))
    found = learn(name, weights, [], pre, event, eta=eta, kernel="learn_blocks")
    expected = naive.learn(name, weights, [], pre, event, False, np.float32(eta), {})
    nothing = np.zeros((n_tokens, n_inputs))
    steps, _, _ = naive.learn(name, np.eye(n_inputs), [], pre, nothing, False, np.float32(eta), {})
    growth = max(1, np.linalg.norm(steps, 2))
    # A step rounds a sum over inputs and some products of it, in float32.
    rounding = (n_tokens + 1) * (n_inputs + 8) * 2.0**-24
    size = max(np.linalg.norm(part, axis=-1).max(initial=1) for part in (*expected, event))
    for mine, oracle in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, oracle, rtol=0, atol=growth * rounding * size)


# One step in two dimensions, by hand: W = [[1, 0], [0, 2]], h = (1, 2), x = (3, -1),
# eta = 0.1. Without a teacher y = W h = (1, 4). Parameters stand beside the rule.
BY_HAND = {
    # y h' = [[1, 2], [4, 8]]
    "hebb": ({}, [[1.1, 0.2], [0.4, 2.8]]),
    # h - W'y = (1, 2) - (1, 8) = (0, -6)
    "oja": ({}, [[1.0, -0.6], [0.0, -0.4]]),
    # unit 0 leaves (1, 2) - (1, 0) = (0, 2), unit 1 of that (0, 2) - (0, 8) = (0, -6)
    "sanger": ({}, [[1.0, 0.2], [0.0, -0.4]]),
    # the first of its kind is the mean: nothing deviates from it
    "covariance": ({}, [[1.0, 0.0], [0.0, 2.0]]),
    # the threshold is y^2 at first: y (y - y^2) h' = [[0, 0], [-48, -96]]
    "bcm": ({}, [[1.0, 0.0], [-4.8, -7.6]]),
    # y (h - w) = 1 (0, 2) and 4 (1, 0)
    "instar": ({}, [[1.0, 0.2], [0.4, 2.0]]),
    # x - W h = (2, -5)
    "delta": ({}, [[1.2, 0.4], [-0.5, 1.0]]),
    # x h' - h x' / 2 = [[3, 6], [-1, -2]] - [[1.5, -.5], [3, -1]]
    "stdp": ({"a_minus": 0.5}, [[1.15, 0.65], [-0.4, 1.9]]),
    # distances 4 and 1: unit 1 moves by (1, 0) / 10
    "competitive": ({}, [[1.0, 0.0], [0.1, 2.0]]),
    # inverse_temperature 0 shares equally: (h - u w) / 2 = (0, 2) / 2 and (1, -6) / 2
    "soft_competitive": ({"inverse_temperature": 0}, [[1.0, 0.1], [0.05, 1.7]]),
    # the mean is h, so that nothing is left over of it: the first component loses a tenth
    "ccipca": ({}, [[0.9, 0.0], [0.0, 2.0]]),
    # the power is (1, 4): h by it (1, 1/2), 1 + h times that 3; x - y = (2, -5) thirds
    "nlms": ({}, [[1 + 0.2 / 3, 0.1 / 3], [-0.5 / 3, 2 - 0.25 / 3]]),
    # softmax(1, 4) = (s, 1 - s), s = 1 / (1 + e^3) = .0474259, and the target (1, 0)
    "softmax": ({}, [[1.0317525, 0.0158762], [-0.0317525, 1.9841238]]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_sign_and_direction_by_hand(name):
    parameters, expected = BY_HAND[name]
    rule = get_rule(name)
    found, _, _ = learn(
        name, [[1, 0], [0, 2]], rule.start(2, 2), [[1, 2]], [[3, -1]], rule.posts[0], 0.1,
        **parameters,
    )  # fmt: skip
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


# What each rule is known for ---------------------------------------------------------------


def gaussian(n_tokens, scales, mean=0.0):
    rng = np.random.default_rng(0)
    return np.asarray(mean) + scales * rng.standard_normal((n_tokens, len(scales)))


def unit_rows(weights):
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


@pytest.fixture
def small():
    return 0.1 * np.random.default_rng(5).standard_normal((2, 4))


def test_hebb_grows_along_the_main_direction(small):
    h = gaussian(300, [0.2, 1.0, 0.2, 0.2])
    weights, _, _ = learn("hebb", small[:1], [], h, h, eta=0.05)
    assert np.linalg.norm(weights) > 10
    assert abs(unit_rows(weights)[0, 1]) > 0.99


def test_oja_finds_the_principal_subspace_and_keeps_its_length(small):
    h = gaussian(4000, [0.2, 1.0, 0.8, 0.2])
    weights, _, _ = learn("oja", small, [], h, h, eta=0.01)
    np.testing.assert_allclose(weights @ weights.T, np.eye(2), atol=0.08)
    assert np.abs(weights[:, [0, 3]]).max() < 0.08


def test_sanger_finds_components_in_order(small):
    h = gaussian(9000, [0.2, 1.0, 0.6, 0.2])
    weights, _, _ = learn("sanger", small, [], h, h, eta=0.005)
    np.testing.assert_allclose(np.abs(weights), [[0, 1, 0, 0], [0, 0, 1, 0]], atol=0.1)


def test_covariance_ignores_what_is_always_there(small):
    h = gaussian(3000, [0.1, 1.0, 0.1, 0.1], mean=[5, 0, 0, 0])
    by_hebb, _, _ = learn("hebb", small[:1], [], h[:200], h, eta=0.001)
    weights, _, _ = learn("covariance", small[:1], np.zeros(6), h, h, eta=0.001, tau_mean=50)
    assert abs(unit_rows(by_hebb)[0, 0]) > 0.9
    assert abs(unit_rows(weights)[0, 1]) > 0.99


def test_bcm_becomes_selective():
    rng = np.random.default_rng(3)
    patterns = np.array([[1.0, 0.3], [0.3, 1.0]])
    h = patterns[rng.integers(0, 2, 8000)]
    weights, state, _ = learn("bcm", [[0.5, 0.4], [-1, -1]], [0, 0, 0], h, h, eta=0.003)
    strong, weak = sorted(patterns @ weights[0], reverse=True)
    # Fixed point of two patterns at equal odds: threshold and strong response are 2.
    assert strong == pytest.approx(2, abs=0.3)
    assert weak == pytest.approx(0, abs=0.2)
    assert state[:2] == pytest.approx([2, 0], abs=0.4)
    assert weights[1].tolist() == [-1, -1]  # no response below zero, and none is learned from


@pytest.mark.parametrize(("name", "tau"), [("bcm", "tau_threshold"), ("covariance", "tau_mean")])
def test_running_means_start_from_what_comes_first(name, tau):
    h = np.array([[1.0, 3.0], [3.0, 1.0], [8.0, 2.0]])
    start = get_rule(name).start(2, 1)
    weights, first, _ = learn(name, [[1, 1]], start, h[:1], h, eta=1e-6, **{tau: 2})
    _, then, _ = learn(name, weights, first, h[1:2], h, eta=1e-6, **{tau: 2})
    _, last, _ = learn(name, weights, then, h[2:], h, eta=1e-6, **{tau: 2})
    # y is 4, 4 and 10: the mean of the first two, from then on half of what is new.
    expected = {
        "bcm": [[16, 1], [16, 2], [58, 2]],
        "covariance": [[1, 3, 4, 1], [2, 2, 4, 2], [5, 2, 7, 2]],
    }
    np.testing.assert_allclose([first, then, last], expected[name], rtol=1e-3)


def test_instar_takes_on_the_mean_of_what_excites_it():
    h = gaussian(3000, [0.1, 0.1], mean=[1.0, 0.5])
    weights, _, _ = learn("instar", [[0.3, 0.3], [-5.0, -5.0]], [], h, h, eta=0.01)
    np.testing.assert_allclose(weights[0], [1.0, 0.5], atol=0.06)
    assert weights[1].tolist() == [-5, -5]  # never active, never moved


def test_delta_learns_a_linear_map(small):
    truth = np.array([[1.0, -2.0, 0.0, 0.5], [0.3, 0.0, 1.0, -1.0]])
    h = gaussian(2000, [1.0, 1.0, 1.0, 1.0])
    weights, _, _ = learn("delta", small, [], h, h @ truth.T, eta=0.05)
    np.testing.assert_allclose(weights, truth, atol=1e-4)


def test_stdp_strengthens_what_came_before():
    # Token 0, then token 1, at one timescale: 0 drives 1 and is not driven by it.
    pre, event = [[0, 0], [1, 0]], [[1, 0], [0, 1]]
    weights, _, _ = learn("stdp", np.zeros((2, 2)), [], pre, event, "token", 1.0)
    assert weights.tolist() == [[0, -1], [1, 0]]


def test_conscience_employs_units_that_would_never_win():
    h = gaussian(4000, [0.3, 0.3])
    start = np.array([[0.0, 0.0], [1.5, 1.5], [-1.5, 1.5]])
    shares = {}
    for conscience in (0, 10):
        _, _, y = learn(
            "competitive", start, np.full(3, 1 / 3), h, h, eta=0.05,
            conscience=conscience, rate=0.001,
        )  # fmt: skip
        shares[conscience] = y[-1000:].mean(axis=0)
    assert shares[0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(shares[10], 1 / 3, atol=0.1)


def test_competitive_finds_the_centres():
    rng = np.random.default_rng(0)
    centres = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 3.0]])
    h = centres[rng.integers(0, 3, 3000)] + 0.1 * rng.standard_normal((3000, 2))
    start = 0.1 * rng.standard_normal((3, 2))
    weights, _, y = learn(
        "competitive", start, np.full(3, 1 / 3), h, h, eta=0.02, conscience=10, rate=0.01
    )
    distance = np.linalg.norm(weights[:, None] - centres, axis=2)
    assert distance.min(axis=0).max() < 0.25
    assert set(np.unique(y)) == {0, 1} and (y.sum(axis=1) == 1).all()


def test_soft_competitive_keeps_length_and_shares():
    rng = np.random.default_rng(0)
    directions = np.array([[1.0, 0.0], [0.0, 1.0]])
    h = directions[rng.integers(0, 2, 4000)] + 0.05 * rng.standard_normal((4000, 2))
    start = np.array([[0.8, 0.6], [0.6, 0.8]])
    weights, _, y = learn(
        "soft_competitive", start, [0.5, 0.5], h, h, eta=0.02, inverse_temperature=8
    )
    np.testing.assert_allclose(np.linalg.norm(weights, axis=1), 1, atol=0.1)
    assert (unit_rows(weights) * directions).sum(axis=1).min() > 0.98
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


def test_soft_competitive_survives_large_responses():
    _, _, y = learn("soft_competitive", 100 * np.eye(2), [0.5, 0.5], [[3.0, 1.0]], [[0, 0]], eta=0)
    assert y.tolist() == [[1, 0]]


def test_soft_competitive_learns_how_much_each_unit_is_to_expect():
    rng = np.random.default_rng(0)
    h = np.eye(2)[(rng.random(4000) < 0.2).astype(int)]
    _, prior, _ = learn(
        "soft_competitive", np.eye(2), [0.5, 0.5], h, h, eta=0.002, inverse_temperature=8
    )
    np.testing.assert_allclose(prior, [0.8, 0.2], atol=0.04)
    # Where the responses are equal the prior decides.
    _, _, y = learn("soft_competitive", np.eye(2), prior, [[1.0, 1.0]], [[0, 0]], eta=0)
    np.testing.assert_allclose(y[0], prior, rtol=1e-5)


def test_the_share_of_wins_is_that_of_the_closest_unit_not_of_the_winner():
    # Unit 0 is the closest of both, and its conscience lets unit 1 win.
    weights, share, y = learn(
        "competitive", [[0, 0], [1, 0]], [0.9, 0.1], [[0.4, 0]], [[0, 0]], eta=0.5, conscience=1,
        rate=0.5,
    )  # fmt: skip
    assert y.tolist() == [[0, 1]]
    np.testing.assert_allclose(share, [0.95, 0.05], rtol=1e-6)
    np.testing.assert_allclose(weights, [[0, 0], [0.7, 0]], rtol=1e-6)


def test_ccipca_finds_components_in_order_and_their_variance():
    h = gaussian(4000, [0.2, 1.0, 0.6, 0.2], mean=[5, 0, 0, 3])
    start = np.random.default_rng(5).standard_normal((2, 4))  # and what it began with is gone
    weights, state, y = learn("ccipca", start, np.zeros(5), h, h, eta=1)
    np.testing.assert_allclose(np.abs(weights), [[0, 1, 0, 0], [0, 0, 0.36, 0]], atol=0.06)
    np.testing.assert_allclose(state[:4], h.mean(axis=0), rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.abs(y[-99:, 0]), np.abs(h[-99:, 1]), atol=0.4)


@pytest.mark.parametrize("name", ["ccipca", "kmeans"])
@pytest.mark.parametrize("width", [20, 372])
def test_the_bits_do_not_depend_on_where_arrays_lie(name, width):
    rule = get_rule(name)
    source = np.random.default_rng(0)
    h, start = np.float32(source.random((60, width))), np.float32(source.random((8, width)))
    parameters = np.array(list(rule.resolve({}).values()), np.float32)

    def placed(array, n):
        lying = np.empty(array.size + 16, np.float32)[n : n + array.size].reshape(array.shape)
        lying[:] = array
        return lying

    found = set()
    for n in range(16):
        weights, state = placed(start, n), placed(np.float32(rule.start(width, 8)), n)
        out = placed(np.zeros((60, 8)), n)
        rule.learn(
            weights, state, placed(h, n), np.arange(60, dtype=np.int32), out, False,
            np.float32(1), parameters, out,
        )  # fmt: skip
        found.add(weights.tobytes() + state.tobytes())
    assert len(found) == 1


def test_nlms_learns_faint_inputs_as_soon_as_loud_ones():
    truth, offset = np.array([[1.0, -200.0, 0.5], [0.3, 100.0, -1.0]]), np.array([0.5, -2.0])
    h = gaussian(1500, [1.0, 0.02, 2.0])
    x = h @ truth.T + offset
    weights, state, y = learn("nlms", np.zeros((2, 3)), np.zeros(6), h, x, eta=0.2)
    np.testing.assert_allclose(weights, truth, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(state[:2], offset, atol=1e-2)
    np.testing.assert_allclose(y[-50:], x[-50:], atol=0.05)
    np.testing.assert_allclose(state[2:5], (h**2)[-1000:].mean(axis=0), rtol=0.15)
    by_delta, _, _ = learn("delta", np.zeros((2, 3)), [], h, x - offset, eta=0.2)
    assert abs(by_delta[0, 1] + 200) > 100


@pytest.mark.parametrize("name", ["nlms", "softmax"])
def test_the_power_of_an_input_starts_from_its_first_values(name):
    h = [[2.0, 0.0, 1.0], [4.0, 1.0, 1.0]]
    state = get_rule(name).start(3, 2)
    _, state, _ = learn(name, np.zeros((2, 3)), state, h, np.eye(2))
    assert state[2:].tolist() == [10, 0.5, 1, 2]


def test_softmax_predicts_how_likely_each_category_is_in_each_context():
    rng = np.random.default_rng(0)
    odds = np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9]])
    context = rng.integers(0, 2, 6000)
    drawn = np.array([rng.choice(3, p=odds[c]) for c in context])
    # Targets are shares, whatever they add up to.
    h, x = np.eye(2)[context], 5 * np.eye(3)[drawn] - 0.1
    _, _, y = learn("softmax", np.zeros((3, 2)), np.zeros(6), h, x, eta=0.1)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)
    for c in (0, 1):
        np.testing.assert_allclose(y[-500:][context[-500:] == c].mean(axis=0), odds[c], atol=0.05)
    still = np.zeros((3, 2))
    weights, _, _ = learn("softmax", still, np.zeros(6), h[:5], -np.ones((5, 3)))
    assert not weights.any()  # nothing to predict


# The registry ------------------------------------------------------------------------------


def test_every_rule_has_an_oracle():
    for name in builtin_names():
        assert name in naive.RULES, (
            f"hebbsim/engine/rules/{name}.py has no oracle: write one token of it in float64, "
            f"`@rule def {name}(W, state, h, x, clamped, eta, p)`, in tests/naive.py"
        )
    assert set(naive.RULES) == set(builtin_names())


@pytest.mark.parametrize(
    ("name", "words"),
    [("ojas", "did you mean oja"), ("", "choose bcm"), ("_ops", "unknown"), (None, "unknown")],
)
def test_unknown_rules_are_refused(name, words):
    with pytest.raises(BadInputError, match=words):
        get_rule(name)


@pytest.mark.parametrize(
    ("name", "post", "sizes", "words"),
    [
        ("delta", "token", (8, 4, 4), "rule delta cannot take post='token': choose output"),
        ("delta", "output", (8, 4, 5), "one unit per dimension of the token's vector, 5, not 4"),
        ("hebb", "token", (8, 4, 5), "one unit per dimension of the token's vector, 5, not 4"),
        ("stdp", "token", (7, 4, 4), "7 inputs are no multiple of their 4 dimensions"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(name, post, sizes, words):
    with pytest.raises(BadInputError, match=words):
        get_rule(name).check_sizes(post, *sizes)
    get_rule("hebb").check_sizes("output", 7, 4, 5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"tau": 3}, "has no parameter 'tau': it has tau_threshold"),
        ({"tau_threshold": 0.5}, "at least 1"),
        ({"tau_threshold": np.nan}, "at least 1"),
        ({"tau_threshold": "long"}, "'long'"),
    ],
)
def test_unusable_parameters_are_refused(given, words):
    with pytest.raises(BadInputError, match=words):
        get_rule("bcm").resolve(given)
    with pytest.raises(BadInputError, match="at least 0"):
        get_rule("competitive").resolve({"rate": -1})
