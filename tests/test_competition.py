"""Competition, components and prediction: oracles, cases by hand, what they converge to."""

import naive
import numpy as np
import pytest

from hebbsim.engine.competition import compete, nearest
from hebbsim.engine.components import CCIPCA, learn_components

rng = np.random.default_rng(0)
INPUTS = {
    "random": rng.standard_normal((40, 5)),
    "literal": np.array([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.5]]),
    "repeated": np.full((12, 3), 1.5),
    "one row": np.array([[0.3, -0.7, 2.0]]),
    "empty": np.empty((0, 3)),
}


def f32(*arrays):
    copies = tuple(np.array(array, dtype=np.float32) for array in arrays)
    return copies[0] if len(copies) == 1 else copies


def visits(x, times=4):
    n = len(x)
    return np.random.default_rng(2).integers(0, max(n, 1), times * n).astype(np.int64)


# Competition ------------------------------------------------------------------------------


class State:
    """Everything the competition remembers."""

    def __init__(self, prototypes, wins=None, share=None, spread=0.0):
        self.prototypes = f32(prototypes)
        n = len(self.prototypes)
        self.squares = (self.prototypes**2).sum(axis=1)
        self.wins = np.ones(n) if wins is None else np.array(wins, dtype=np.float64)
        self.share = np.full(n, 1 / n, dtype=np.float32) if share is None else f32(share)
        self.spread = np.full(1, spread, dtype=np.float32)

    def run(self, x, order, conscience=0.0, memory=1e9):
        compete(
            f32(x), np.array(order, dtype=np.int64), np.float32(conscience), float(memory),
            self.prototypes, self.squares, self.wins, self.share, self.spread,
        )  # fmt: skip
        return self


@pytest.mark.parametrize("memory", [1e9, 3.0])
@pytest.mark.parametrize("conscience", [0.0, 3.0])
@pytest.mark.parametrize("case", INPUTS)
def test_competition_equals_its_oracle(case, conscience, memory):
    x = f32(INPUTS[case])
    start = State(rng.standard_normal((4, x.shape[1])), [1, 3, 1, 2], [0.4, 0.3, 0.2, 0.1], 0.8)
    before = start.prototypes, start.wins, start.share
    p, wins, share, spread = naive.compete(x, visits(x), conscience, memory, *before, 0.8)
    found = start.run(x, visits(x), conscience, memory)
    np.testing.assert_array_equal(found.wins, wins)
    np.testing.assert_allclose(found.prototypes, p, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.share, share, rtol=1e-4)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-4)


@pytest.mark.parametrize("n_prototypes", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("n", [1, 3, 15, 16, 17, 50])
def test_competition_equals_its_oracle_whatever_the_sizes(n, n_prototypes):
    source = np.random.default_rng(n)
    x = f32(source.standard_normal((n, 21)))
    start = State(source.standard_normal((n_prototypes, 21)), spread=30.0)
    before = start.prototypes, start.wins, start.share
    p, wins, share, spread = naive.compete(x, visits(x), 1.0, 1e9, *before, 30.0)
    found = start.run(x, visits(x), 1.0)
    np.testing.assert_array_equal(found.wins, wins)
    np.testing.assert_allclose(found.prototypes, p, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.share, share, rtol=1e-4)
    np.testing.assert_allclose(found.spread, spread, rtol=1e-4)


@pytest.mark.parametrize("cuts", [(1, 2, 3), (16, 32), (7, 7, 40), range(1, 60)])
def test_a_stream_of_inputs_may_be_cut_anywhere(cuts):
    x = f32(np.random.default_rng(6).standard_normal((60, 9)))
    whole, parts = State(x[:5]).run(x, range(60), 3.0), State(x[:5])
    for part in np.split(np.arange(60), list(cuts)):
        parts.run(x, part, 3.0)
    for name, value in vars(whole).items():
        np.testing.assert_allclose(getattr(parts, name), value, rtol=1e-4, atol=1e-5)


def test_the_winner_moves_towards_the_input_by_hand():
    found = State([[0.0, 0.0], [4.0, 0.0]]).run([[1.0, 1.0]], [0])
    assert found.prototypes.tolist() == [[0.5, 0.5], [4.0, 0.0]]  # its second win: half way
    assert found.squares.tolist() == [0.5, 16.0]
    assert found.wins.tolist() == [2, 1]
    np.testing.assert_allclose(found.share, [0.5 + 0.5 / 40, 0.5 - 0.5 / 40])
    np.testing.assert_allclose(found.spread, [0.001 * 2])


def test_the_loser_by_distance_wins_by_conscience():
    # Squared distances 1 and 4; 1 + c spread (2 share - 1) is 1 + 2 * 1 > 4 - 2 * 1.
    state = State([[0.0, 0.0], [3.0, 0.0]], share=[1.0, 0.0], spread=1.0)
    assert state.run([[1.0, 0.0]], [0], conscience=2.0).wins.tolist() == [1, 2]
    state = State([[0.0, 0.0], [3.0, 0.0]], share=[1.0, 0.0], spread=1.0)
    assert state.run([[1.0, 0.0]], [0], conscience=1.0).wins.tolist() == [2, 1]


def test_without_inputs_nothing_moves():
    state = State(rng.standard_normal((3, 2))).run(INPUTS["literal"], [])
    before = State(state.prototypes)
    for name in vars(state):
        np.testing.assert_array_equal(getattr(state, name), getattr(before, name))


def test_squares_are_kept_up_to_date():
    x = rng.standard_normal((500, 6)) * 3
    state = State(x[:20]).run(x, visits(x), conscience=2.0)
    assert not np.allclose(state.prototypes, x[:20], atol=0.1)
    np.testing.assert_allclose(state.squares, (state.prototypes**2).sum(axis=1), rtol=1e-5)


def test_a_prototype_is_the_mean_of_what_it_won_and_of_its_start():
    x = rng.standard_normal((50, 3))
    state = State(np.zeros((1, 3))).run(x, range(50))
    np.testing.assert_allclose(state.prototypes[0], x.sum(axis=0) / 51, rtol=1e-4, atol=1e-6)


def test_memory_bounds_the_step_from_below():
    state = State([[0.0]], wins=[1e6]).run([[1.0]], [0], memory=4.0)
    assert state.prototypes[0, 0] == 0.25


def test_wins_are_counted_beyond_the_whole_numbers_of_float32():
    state = State([[0.0]], wins=[2.0**24 - 1]).run([[1.0]], [0, 0, 0])
    assert state.wins.tolist() == [2**24 + 2]
    # Up to there, counts after `forget` are rounded as they always were.
    fraction = np.float32(11.3)
    found = State([[0.0]], wins=[fraction]).run([[1.0]], [0] * 8).wins
    for _ in range(8):
        fraction += np.float32(1)
    assert found.tolist() == [fraction]


def test_components_of_a_long_stream_still_move():
    x = f32(np.random.default_rng(5).standard_normal((500, 4)) * [3, 1, 1, 1])
    learner = CCIPCA(2, 4)
    learner.learn(x, np.arange(500))
    learner.seen[:] = 2**40
    before, shifted = learner.mean.copy(), x + 50
    learner.learn(np.ascontiguousarray(shifted), np.arange(500))
    np.testing.assert_allclose(learner.mean - before, 50 * 500 / 2**20, rtol=0.05)
    assert learner.seen.tolist() == [2**40 + 500]


def test_conscience_evens_out_the_shares():
    x = np.random.default_rng(3).exponential(size=(8000, 2)) ** 2  # dense near 0, a long tail
    shares = []
    for conscience in (0.0, 1.0, 10.0):
        state = State(x[:10]).run(x, range(8000), conscience)
        shares.append(state.share.max())
        assert state.share.sum() == pytest.approx(1, abs=1e-3)
    assert shares[0] > 1.5 * shares[1]
    assert 1.15 / 10 > shares[2] > 1 / 10


def test_conscience_wakes_prototypes_that_never_win():
    x = np.random.default_rng(3).uniform(-1, 1, (6000, 2))
    start = [[0.0, 0.0], [2.1, 0.0], [0.0, 2.1]]
    assert State(start).run(x, range(6000)).wins.tolist() == [6001, 1, 1]
    fair = State(start).run(x, range(6000), conscience=3.0)
    assert fair.share.min() > 0.5 / 3
    assert np.abs(fair.prototypes).max() < 1  # drawn in among the inputs


@pytest.mark.parametrize("case", INPUTS)
def test_nearest_equals_its_oracle(case):
    x = f32(INPUTS[case])
    prototypes = f32(rng.standard_normal((7, x.shape[1])))
    out = np.full(len(x), -9, dtype=np.int32)
    nearest(x, prototypes, (prototypes**2).sum(axis=1), out)
    assert out.tolist() == naive.nearest(x, prototypes)


def test_the_first_of_two_equally_close_prototypes_wins():
    prototypes = f32([[9, 9], [1, 0], [-1, 0], [1, 0]])
    out = np.empty(3, dtype=np.int32)
    squares = (prototypes**2).sum(axis=1)
    nearest(f32([[0, 0], [0, 5], [2, 0]]), prototypes, squares, out)
    assert out.tolist() == [1, 1, 1]
    assert State(prototypes).run([[0, 0]], [0]).wins.tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("width", [1, 7, 16, 50, 129])
def test_of_equal_prototypes_the_first_wins_wherever_it_stands(width):
    x = f32(np.random.default_rng(8).integers(-9, 10, (35, width)))  # sums without rounding
    for n_prototypes in range(1, 10):
        prototypes = f32(np.tile(x[3], (n_prototypes, 1)))
        out = np.full(len(x), -9, dtype=np.int32)
        nearest(x, prototypes, (prototypes**2).sum(axis=1), out)
        assert not out.any()
        # Each input is where they stand: nothing moves, and they stay equal.
        wins = State(prototypes).run(x, [3] * 35).wins
        assert wins.tolist() == [36] + [1] * (n_prototypes - 1)


def test_the_nearest_of_many():
    x = f32(np.random.default_rng(9).standard_normal((103, 40)))
    for n_prototypes in (1, 2, 3, 6, 31):
        prototypes = x[:n_prototypes] + np.float32(0.1)
        squares, out = (prototypes**2).sum(axis=1), np.empty(len(x), dtype=np.int32)
        nearest(x, prototypes, squares, out)
        assert out.tolist() == naive.nearest(x, prototypes)
        alone = np.empty(1, dtype=np.int32)
        for n in range(len(x)):  # where an input stands in the call changes nothing
            nearest(x[n : n + 1], prototypes, squares, alone)
            assert alone[0] == out[n]


# Prototypes -------------------------------------------------------------------------------


# Components -------------------------------------------------------------------------------


@pytest.mark.parametrize("amnesia", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("case", INPUTS)
def test_components_equal_their_oracle(case, amnesia):
    x = f32(INPUTS[case])
    width = x.shape[1]
    mean, vectors = np.zeros(width, dtype=np.float32), np.zeros((2, width), dtype=np.float32)
    seen = np.zeros(1, dtype=np.int64)
    expected = naive.components(x, visits(x), amnesia, mean, vectors, 0)
    learn_components(x, visits(x), np.float32(amnesia), mean, vectors, seen)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-4, atol=1e-5)
    # Where nothing is left over, rounding decides which way a component starts.
    signs = np.where((vectors * expected[1]).sum(axis=1) < 0, -1, 1)[:, None]
    np.testing.assert_allclose(vectors, signs * expected[1], rtol=1e-3, atol=1e-4)
    assert seen[0] == expected[2] == 4 * len(x)


@pytest.mark.parametrize("n_components", [1, 4, 9])
@pytest.mark.parametrize("width", [9, 64, 150])
def test_components_equal_their_oracle_whatever_the_sizes(width, n_components):
    x = f32(np.random.default_rng(width).standard_normal((60, width)) * 2.0 ** -np.arange(width))
    learner = CCIPCA(n_components, width)
    mean, vectors, _ = naive.components(x, range(60), 2.0, learner.mean, learner.components, 0)
    learner.learn(x, np.arange(60))
    np.testing.assert_allclose(learner.mean, mean, rtol=1e-4, atol=1e-6)
    scale = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(learner.components / scale, vectors / scale, atol=1e-3)


def test_three_inputs_by_hand():
    learner = CCIPCA(2, 2, amnesia=0.0)
    x = f32([[1, 0], [-1, 0], [0, 3]])
    learner.learn(x, np.arange(2))  # the first is the mean, the second starts a component
    assert learner.components.tolist() == [[-1, 0], [0, 0]]
    learner.learn(x, np.array([2]))  # (0, 2) from the mean: nothing along the first, all is left
    np.testing.assert_allclose(learner.components, [[-2 / 3, 0], [0, 2]], rtol=1e-6)
    np.testing.assert_allclose(learner.mean, [0, 1], atol=1e-7)
    np.testing.assert_allclose(learner.project(f32([[5, 4]])), [[-5, 3]], rtol=1e-6)


def test_known_principal_directions_are_found():
    source = np.random.default_rng(4)
    axes = np.linalg.qr(source.standard_normal((6, 6)))[0]
    deviation = np.array([4.0, 2.5, 1.5, 0.3, 0.2, 0.1])
    x = f32(source.standard_normal((5000, 6)) * deviation @ axes.T + [3, -2, 0, 1, 0, 5])
    learner = CCIPCA(3, 6)
    learner.learn(x, np.arange(len(x)))
    lengths = np.linalg.norm(learner.components, axis=1)
    cosines = np.abs(learner.components @ axes[:, :3]) / lengths[:, None]
    np.testing.assert_allclose(cosines, np.eye(3), atol=0.1)
    assert cosines.diagonal().min() > 0.99
    np.testing.assert_allclose(lengths, deviation[:3] ** 2, rtol=0.2)  # the eigenvalues
    np.testing.assert_allclose(learner.mean, x.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(learner.project(x).std(axis=0), deviation[:3], rtol=0.1)


@pytest.mark.parametrize("width", [5, 64, 303])
def test_components_do_not_depend_on_how_the_stream_is_cut(width):
    x = f32(np.random.default_rng(7).standard_normal((40, width)))
    whole, parts = CCIPCA(3, width), CCIPCA(3, width)
    whole.learn(x, np.arange(40))
    for a, b in ((0, 1), (1, 1), (1, 17), (17, 40)):
        parts.learn(x, np.arange(a, b))
    assert np.array_equal(whole.components, parts.components)
    assert np.array_equal(whole.mean, parts.mean)


def test_never_more_components_than_dimensions():
    learner = CCIPCA(50, 4)
    learner.learn(f32(rng.standard_normal((100, 4))), np.arange(100))
    assert learner.project(np.zeros((2, 4), dtype=np.float32)).shape == (2, 4)


def test_inputs_that_are_all_equal_have_no_direction():
    learner = CCIPCA(2, 3)
    learner.learn(f32(INPUTS["repeated"]), visits(INPUTS["repeated"]))
    assert not learner.components.any()
    assert not learner.project(f32(INPUTS["repeated"])).any()


@pytest.mark.parametrize("width", [20, 372])
def test_the_bits_do_not_depend_on_where_arrays_lie(width):
    x = f32(np.random.default_rng(0).random((60, width)))
    source, found, held = np.random.default_rng(1), set(), []
    for n in range(150):
        # Memory taken and given back, so that work space lies elsewhere each time.
        spare = [np.empty(size) for size in source.integers(1, 150_000, source.integers(1, 20))]
        del spare
        learner, state = CCIPCA(8, width), State(x[:7])
        learner.learn(x, visits(x, 1))
        state.run(x, visits(x, 1), 3.0)
        found.add(learner.components.tobytes() + state.prototypes.tobytes())
        if n % 3 == 0:
            held.append((learner, state))
    assert len(found) == 1


# Prediction -------------------------------------------------------------------------------
