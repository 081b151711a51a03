"""Rivals that learn without labels: against slow forms of themselves, and on what they are told."""

from __future__ import annotations

import naive_rivals as naive
import numpy as np
import pytest
from scipy.sparse import csr_array

from hebbsim.rivals.brown import brown_tree
from hebbsim.rivals.hmm import Parameters, expectations
from hebbsim.rivals.spectral import ppmi


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_classes", [1, 4, 20])
def test_brown_clusters_are_those_of_trying_every_merge(seed, n_classes):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.5, 4, size=(9, 9)))
    counts[0, 1] += 1
    tree = brown_tree(csr_array(counts), n_classes)
    leaves, merges = naive.brown(counts, n_classes)
    of_class = [set(np.flatnonzero(tree.classes == c)) for c in range(len(leaves))]
    assert of_class == leaves
    nodes = list(of_class)
    for (a, b), pair in zip(tree.merges, merges, strict=True):
        assert (nodes[a], nodes[b]) == pair
        nodes.append(nodes[a] | nodes[b])


@pytest.mark.parametrize("seed", range(4))
def test_forward_backward_sums_over_every_sequence_of_states(seed):
    rng = np.random.default_rng(seed)
    start, move = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(3), size=3)
    emit = rng.dirichlet(np.ones(5), size=3).T
    sentences = [rng.integers(5, size=n).astype(np.int32) for n in (2, 5, 1, 4, 5)]
    given = Parameters(*(part.astype(np.float32) for part in (start, move, emit)))
    counts, states = expectations(given, sentences)
    expected = [naive.hmm(start, move, emit, sentence) for sentence in sentences]
    for found, parts in zip(counts, list(zip(*expected, strict=True))[:3], strict=True):
        np.testing.assert_allclose(found, sum(parts), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(states, np.concatenate([e[3] for e in expected]), atol=1e-5)


@pytest.mark.parametrize("smoothing", [0.5, 1.0])
def test_pointwise_mutual_information_entry_by_entry(smoothing):
    pairs = np.random.default_rng(0).integers(6, size=(40, 2))
    expected = naive.ppmi(pairs, 6, smoothing)
    np.testing.assert_allclose(ppmi(pairs, 6, smoothing).toarray(), expected, atol=1e-12)
