"""Paired tests and corrections, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hebbsim.errors import BadInputError
from hebbsim.probes.bootstrap import adjust, paired_test

# A subnormal number has not the digits that the tolerance asks for.
shares = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=12)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_it_is_the_paired_t_test_of_scipy(n):
    rng = np.random.default_rng(n)
    a, b = rng.random((2, n))
    expected = stats.ttest_rel(a, b)
    found = paired_test(a, b)
    assert found.p == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx(tuple(interval))
    assert found.difference.mean == pytest.approx((a - b).mean()) and found.n == n


def test_pairs_that_all_differ_alike_and_one_pair_alone():
    assert paired_test([0.2, 0.3], [0.1, 0.2]).p == 0
    assert paired_test([0.2, 0.3], [0.2, 0.3]).p == 1
    one = paired_test([0.2], [0.1])
    assert np.isnan(one.p) and np.isnan(one.difference.low) and one.n == 1


@given(shares)
def test_corrections_are_those_of_their_papers(p):
    n = len(p)
    order = np.argsort(p, kind="stable")
    holm = np.empty(n)
    for rank, i in enumerate(order):
        holm[i] = min(1, max((n - k) * p[order[k]] for k in range(rank + 1)))
    np.testing.assert_allclose(adjust(p, "holm"), holm)
    np.testing.assert_allclose(adjust(p, "bh"), stats.false_discovery_control(p))
    np.testing.assert_allclose(adjust(p, "none"), p)


def test_what_is_no_test_is_not_counted():
    found = adjust([0.01, np.nan, 0.02], "holm")
    assert found[0] == pytest.approx(0.02) and np.isnan(found[1]) and found[2] == 0.02
    assert adjust([], "holm").size == 0
    with pytest.raises(BadInputError, match="--correction fisher"):
        adjust([0.1], "fisher")
