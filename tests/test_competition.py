"""The closest prototype equals its oracle, wherever prototypes and inputs stand."""

import naive
import numpy as np
import pytest

from hebbsim.engine.competition import nearest

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


@pytest.mark.parametrize("width", [1, 7, 16, 50, 129])
def test_of_equal_prototypes_the_first_wins_wherever_it_stands(width):
    x = f32(np.random.default_rng(8).integers(-9, 10, (35, width)))  # sums without rounding
    for n_prototypes in range(1, 10):
        prototypes = f32(np.tile(x[3], (n_prototypes, 1)))
        out = np.full(len(x), -9, dtype=np.int32)
        nearest(x, prototypes, (prototypes**2).sum(axis=1), out)
        assert not out.any()


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
