"""Traces: closed forms, oracles, start-up, direction, and what is refused."""

import itertools

import hypothesis.strategies as st
import naive
import numpy as np
import pytest
from hypothesis import given, settings

from hebbsim.engine import check_timescales, dense_traces
from hebbsim.engine.memory import aligned_copy, aligned_empty, all_finite
from hebbsim.engine.threads import for_each_part
from hebbsim.engine.traces import chunk_traces, decays, last_traces
from hebbsim.errors import BadInputError

STARTUPS = ["zero", "first", "debias"]
TAUS = (1, 1.5, 2, 8, 50)

rng = np.random.default_rng(0)
INPUTS = {
    "random": (rng.standard_normal((23, 4)), [0, 5, 5, 6, 20, 23]),
    "constant": (np.full((9, 3), 2.5), [0, 4, 9]),
    "literal": (np.array([[1.0, -2.0], [0.0, 0.0], [3.0, 0.5]]), [0, 3]),
    "one token": (np.array([[0.7, -0.1]]), [0, 1]),
    "empty": (np.empty((0, 3)), [0, 0]),
    "no bounds": (rng.standard_normal((7, 2)), None),
    "bounds inside": (rng.standard_normal((7, 2)), [2, 5]),
}


@pytest.mark.parametrize("include_current", [True, False])
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("startup", STARTUPS)
@pytest.mark.parametrize("case", INPUTS)
def test_dense_traces_equal_the_sums_they_stand_for(case, startup, backward, include_current):
    x, offsets = INPUTS[case]
    options = {"backward": backward, "startup": startup, "include_current": include_current}
    found = dense_traces(x, offsets, TAUS, **options)
    assert found.dtype == np.float32
    np.testing.assert_allclose(
        found, naive.traces(x, offsets, TAUS, **options), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("tau", [1, 2, 10, 50])
def test_impulse_response_is_alpha_times_powers_of_one_minus_alpha(tau):
    impulse = np.zeros((60, 1))
    impulse[0] = 1
    alpha = 1 / tau
    k = np.arange(60)
    found = dense_traces(impulse, timescales=[tau])[:, 0, 0]
    np.testing.assert_allclose(found, alpha * (1 - alpha) ** k, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("startup", STARTUPS)
def test_tau_one_keeps_the_last_token_alone(startup):
    x = np.array([[1e8], [1.0], [-3.0]], dtype=np.float32)
    assert np.array_equal(dense_traces(x, timescales=[1], startup=startup)[:, 0], x)


def test_startups_on_a_constant_input():
    x = np.ones((50, 1))
    for tau in (2, 1000):
        grown = 1 - (1 - 1 / tau) ** np.arange(1, 51)
        np.testing.assert_allclose(dense_traces(x, timescales=[tau])[:, 0, 0], grown, rtol=1e-4)
        for startup in ("first", "debias"):
            found = dense_traces(x, timescales=[tau], startup=startup)
            np.testing.assert_allclose(found, 1, rtol=1e-5)


def test_a_trace_that_reaches_zero_does_not_start_again():
    # "first" must go by the tokens seen, not by the value of the trace.
    x = np.array([[0.0], [4.0]])
    assert dense_traces(x, timescales=[4], startup="first")[1, 0, 0] == 1


def test_directions_mirror_each_other():
    x = rng.standard_normal((11, 2)).astype(np.float32)
    ahead = dense_traces(x, [0, 4, 11], (2, 8))
    behind = dense_traces(x[::-1], [0, 7, 11], (2, 8), backward=True)
    assert np.array_equal(ahead, behind[::-1])


def test_sentences_do_not_see_each_other():
    x = rng.standard_normal((12, 2)).astype(np.float32)
    for backward in (False, True):
        together = dense_traces(x, [0, 5, 12], TAUS, backward=backward)
        assert np.array_equal(together[:5], dense_traces(x[:5], None, TAUS, backward=backward))
        assert np.array_equal(together[5:], dense_traces(x[5:], None, TAUS, backward=backward))


def test_tokens_point_into_a_table():
    table = rng.standard_normal((5, 3)).astype(np.float32)
    tokens = [4, 0, 0, 2]
    assert np.array_equal(
        dense_traces(table, [0, 2, 4], tokens=tokens), dense_traces(table[tokens], [0, 2, 4])
    )


@settings(max_examples=60)
@given(st.data())
def test_traces_do_not_depend_on_how_a_stream_is_cut(data):
    n = data.draw(st.integers(0, 30))
    cuts = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=6))})
    bounds = data.draw(st.lists(st.integers(0, n), max_size=4))
    startup = data.draw(st.integers(0, 2))
    seed = data.draw(st.integers(0, 2**16))
    table = np.random.default_rng(seed).standard_normal((7, 5)).astype(np.float32)
    tokens = np.random.default_rng(seed + 1).integers(0, 7, n).astype(np.int32)
    starts = np.zeros(n, dtype=np.bool_)
    starts[[b for b in bounds if b < n]] = True
    keep, alpha = decays((1, 2, 8))

    def run(cuts):
        traces, mass, seen = np.zeros((3, 5), np.float32), np.zeros(3, np.float32), np.zeros(1, int)
        contexts = [b""]
        for a, b in itertools.pairwise(cuts):
            rows = np.full((b - a + 2, 3, 5), np.nan, np.float32)
            rows[0] = traces
            chunk_traces(tokens[a:b], table, starts[a:b], keep, alpha, startup, mass, seen, rows)
            contexts.append(rows[: b - a].tobytes())
            traces = rows[b - a]
        return b"".join(contexts), traces.tobytes(), mass.tobytes(), seen.tobytes()

    assert run(cuts) == run([0, n])


@pytest.mark.parametrize("startup", STARTUPS)
@pytest.mark.parametrize("case", INPUTS)
def test_last_traces_are_the_last_row(case, startup):
    x, offsets = INPUTS[case]
    found = last_traces(x, offsets, TAUS, startup=startup)
    rows = dense_traces(x, offsets, TAUS, startup=startup)
    expected = rows[-1] if len(rows) else np.zeros_like(found)
    assert found.tobytes() == expected.tobytes()


def test_an_array_given_is_filled_and_returned():
    x = rng.standard_normal((6, 3))
    out = np.full((6, 2, 3), np.nan, dtype=np.float32)  # nothing of it may be read
    for options in ({}, {"backward": True}, {"include_current": False}):
        assert dense_traces(x, [0, 2, 6], [2, 8], out=out, **options) is out
        assert out.tobytes() == dense_traces(x, [0, 2, 6], [2, 8], **options).tobytes()
        out[:] = np.nan
    for bad in (out[:5], np.zeros((6, 2, 3)), out.transpose(0, 2, 1), out.tolist()):
        with pytest.raises(BadInputError, match=r"float32 array of shape \(6, 2, 3\)"):
            dense_traces(x, timescales=[2, 8], out=bad)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 1000])
def test_one_value_that_is_not_finite_is_found_anywhere(length):
    values = rng.uniform(-1, 1, length).astype(np.float32)
    values[: length // 2] *= 1e38
    assert all_finite(values)
    for place in {0, length // 2, length - 1} if length else ():
        for bad in (np.nan, np.inf, -np.inf):
            spoilt = values.copy()
            spoilt[place] = bad
            assert not all_finite(spoilt)


@pytest.mark.parametrize("shape", [(1,), (3, 5), (0, 4), (7, 2, 3)])
def test_aligned_arrays_start_at_a_cache_line(shape):
    for array in (aligned_empty(shape), aligned_copy(np.ones(shape, dtype=np.float32))):
        assert array.shape == shape and array.dtype == np.float32
        assert array.flags.c_contiguous and array.flags.writeable
        assert array.ctypes.data % 64 == 0 or array.size == 0
    assert (aligned_copy(np.ones(shape, dtype=np.float32)) == 1).all()


@pytest.mark.parametrize("given", ["2,8,32", " 2, 8 ,32", [2, 8, 32], (2.0, 8, 32)])
def test_timescales_in_several_spellings(given):
    assert check_timescales(given).tolist() == [2, 8, 32]


def test_one_timescale_as_a_number():
    assert check_timescales(4).tolist() == [4]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([0], "timescale 0 is below 1"),
        ([2, 0.5], "timescale 0.5 is below 1"),
        ([-3], "below 1"),
        ([float("nan")], "timescale nan is not finite"),
        ([float("inf")], "timescale inf is not finite"),
        ("2,nan", "timescale nan is not finite"),
        ([2, 8, 2.0], "timescale 2.0 is given twice"),
        ("2,eight", "timescale 'eight' is not a number"),
        ("2,,8", "timescale '' is not a number"),
        ([None], "timescale None is not a number"),
        ("", "no timescales"),
        ([], "no timescales"),
    ],
)
def test_unusable_timescales_are_refused_in_one_line(given, words):
    with pytest.raises(BadInputError, match=words) as caught:
        check_timescales(given)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInputError, match=words):
        dense_traces(np.eye(2), timescales=given)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([[1.0], [np.nan]],), "input vector 1 holds NaN or inf"),
        (([[np.inf], [0.0]],), "input vector 0 holds NaN or inf"),
        (([1.0, 2.0],), "shape"),
        (([[1.0, 2.0], [3.0]],), "rows of equal length"),
        (([["a"]],), "must be numbers"),
        (([[1.0], [2.0]], [0, 3]), "ascend within 0..2"),
        (([[1.0], [2.0]], [-1, 2]), "ascend within 0..2"),
        (([[1.0], [2.0]], [2, 1, 2]), "ascend within 0..2"),
        (([[1.0], [2.0]], [0.5]), "row of integers"),
    ],
)
def test_unusable_inputs_are_refused(arguments, words):
    with pytest.raises(BadInputError, match=words):
        dense_traces(*arguments)


@pytest.mark.parametrize(
    ("tokens", "options", "words"),
    [
        ([0, 3], {}, "token 3 at position 1 is outside 0..2"),
        ([0, -1], {}, "token -1 at position 1"),
        ([0.0, 1.0], {}, "integer ids"),
        ([[0, 1]], {}, "one row of ids"),
        ([0, 1], {"startup": "warm"}, "start-up 'warm' is unknown"),
    ],
)
@pytest.mark.parametrize("traces", [dense_traces, last_traces])
def test_unusable_tokens_are_refused(traces, tokens, options, words):
    with pytest.raises(BadInputError, match=words):
        traces(np.eye(3), tokens=tokens, **options)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("offsets", [None, [], [0, 3, 4, 4, 9, 40], [7], list(range(41))])
def test_threads_change_no_bit(offsets, backward):
    x = np.random.default_rng(0).standard_normal((40, 5), dtype=np.float32)
    options = {"timescales": TAUS, "backward": backward, "startup": "debias"}
    alone = dense_traces(x, offsets, **options)
    for n_jobs in (1, 2, 3, 50, -1):
        assert np.array_equal(dense_traces(x, offsets, **options, n_jobs=n_jobs), alone)


def test_parts_are_whole_sentences_and_all_of_them():
    bounds = np.array([0, 3, 4, 9, 40, 41, 80])
    for n_jobs in (1, 2, 3, 7, 100):
        parts = []
        for_each_part(lambda *part: parts.append(part), bounds, n_jobs)  # noqa: B023
        parts.sort()
        edges = [first for first, _ in parts] + [parts[-1][1]]
        assert edges == [0, *[last for _, last in parts]]
        assert set(edges) <= set(bounds.tolist()) and edges[-1] == 80
        assert 1 < len(parts) <= n_jobs or n_jobs == 1
    for_each_part(lambda *_: pytest.fail("nothing to do"), np.array([0]), 2)


def test_what_fails_in_a_thread_fails():
    def fail(first, last):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        for_each_part(fail, np.array([0, 1, 2]), 2)


@pytest.mark.parametrize("n_jobs", [0, -2, 1.5, "2"])
def test_a_number_of_threads_that_cannot_be_is_refused(n_jobs):
    with pytest.raises(BadInputError, match="n_jobs"):
        dense_traces(np.ones((2, 1)), n_jobs=n_jobs)
