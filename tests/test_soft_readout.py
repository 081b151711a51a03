"""Soft memberships and their read-out against definitions and a Gaussian process of a library."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import DotProduct

from hebbsim.engine.competition import nearest
from hebbsim.errors import BadInputError
from hebbsim.probes import Memberships, SoftReadout, memberships

LINE = np.array([[0.0], [1], [10], [11]])


def spacing(prototypes):
    """Mean squared distance from the nearest other prototype, pair by pair."""
    return np.mean([
        min(np.sum((p - q) ** 2) for j, q in enumerate(prototypes) if j != i)
        for i, p in enumerate(prototypes)
    ])  # fmt: skip


def dense(found, n_clusters):
    """Shares as a table, shape=(T, K), entry by entry."""
    table = np.zeros((len(found.clusters), n_clusters))
    for token, (clusters, shares) in enumerate(zip(*found, strict=True)):
        for cluster, share in zip(clusters, shares, strict=True):
            table[token, cluster] += share
    return table


def hard(clusters):
    """The winner takes all."""
    clusters = np.asarray(clusters, dtype=np.int32)[:, None]
    return Memberships(clusters, np.ones(clusters.shape, dtype=np.float32))


@pytest.mark.parametrize("n", [1, 3, 50])
def test_shares_fall_off_with_the_distance(n, monkeypatch):
    monkeypatch.setattr("hebbsim.probes.readout._BLOCK", 7)
    rng = np.random.default_rng(0)
    x, prototypes = rng.normal(size=(20, 3)), rng.normal(size=(12, 3))
    found = memberships(x, prototypes, n=n)
    assert found.clusters.shape == found.shares.shape == (20, min(n, 12))
    for token, clusters, shares in zip(x, *found, strict=True):
        distances = ((prototypes - token) ** 2).sum(axis=1)
        order = np.argsort(distances)[:n]
        assert clusters.tolist() == order.tolist()
        weights = np.exp(-distances[order] / spacing(prototypes))
        assert np.allclose(shares, weights / weights.sum(), atol=1e-6)


def test_a_part_of_the_tokens():
    found = memberships(np.arange(5.0)[:, None], LINE, n=2)
    part = found.part(np.array([True, False, False, True, False]))
    assert np.array_equal(part.clusters, found.clusters[[0, 3]])
    assert np.array_equal(part.shares, found.shares[[0, 3]])


@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_a_gaussian_process_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    prototypes = rng.normal(size=(15, 4))
    labelled = memberships(rng.normal(size=(40, 4)), prototypes, n=3)
    new = memberships(rng.normal(size=(30, 4)), prototypes, n=3)
    roles = rng.choice(["OBJ", "SUBJ", "DET"], size=40, p=[0.5, 0.3, 0.2])
    squares = ((prototypes[:, None] - prototypes) ** 2).sum(axis=2)
    common = np.exp(-squares / (2 * 1.5**2 * spacing(prototypes)))
    root = np.linalg.cholesky(0.7 * common + 0.3 * np.eye(15))
    process = GaussianProcessRegressor(DotProduct(0, "fixed"), alpha=0.4, optimizer=None)
    names, codes = np.unique(roles, return_inverse=True)
    observed = np.eye(len(names))[codes]
    mean = observed.mean(axis=0)
    process.fit(dense(labelled, 15) @ root, observed - mean)
    expected = process.predict(dense(new, 15) @ root) + mean
    readout = SoftReadout(width=1.5, own=0.3, noise=0.4).fit([labelled], roles, [prototypes])
    assert np.allclose(dense(new, 15) @ readout.values_[0], expected, atol=1e-6)
    assert np.array_equal(readout.predict([new]), names[expected.argmax(axis=1)])


def test_a_cluster_without_a_label_takes_the_role_of_its_neighbour():
    roles = ["SUBJ"] * 3 + ["OBJ"] * 2
    labelled, every = hard([0, 0, 0, 2, 2]), hard([0, 1, 2, 3])
    near = SoftReadout().fit([labelled], roles, [LINE])
    assert near.predict([every]).tolist() == ["SUBJ"] * 2 + ["OBJ"] * 2
    alone = SoftReadout(own=1).fit([labelled], roles, [LINE])
    assert alone.predict([every]).tolist() == ["SUBJ"] * 2 + ["OBJ", "SUBJ"]


def test_a_token_between_clusters_takes_the_role_that_it_shares_most():
    readout = SoftReadout().fit([hard([0, 2] * 9)], ["SUBJ", "OBJ"] * 9, [LINE])
    pair = np.array([[0, 2]], dtype=np.int32)
    for share, role in ((0.6, "SUBJ"), (0.4, "OBJ")):
        token = Memberships(pair, np.array([[share, 1 - share]], dtype=np.float32))
        assert readout.predict([token]).tolist() == [role]


def test_learners_vote_by_summed_log_scores():
    # One learner is sure of A; two lean to B. Logs let the sure one win, counting would not.
    roles = ["A"] * 50 + ["B"] * 50
    sure, leaning = hard([0] * 50 + [2] * 50), hard(([0] * 45 + [2] * 55) * 1)
    readout = SoftReadout().fit([sure, leaning, leaning], roles, [LINE] * 3)
    assert readout.predict([hard([0]), hard([2]), hard([2])]).tolist() == ["A"]
    values = [found[cluster] for found, cluster in zip(readout.values_, (0, 2, 2), strict=True)]
    scores = np.clip(values, 1e-3, 1)
    logs = np.log(scores / scores.sum(axis=1, keepdims=True)).sum(axis=0)
    assert logs[0] > logs[1]


@pytest.mark.parametrize("prototypes", [np.zeros((4, 2)), np.ones((1, 3))])
def test_prototypes_that_do_not_lie_apart(prototypes):
    found = memberships(prototypes[[0, 0, 0]], prototypes)
    assert np.allclose(found.shares.sum(axis=1), 1)
    readout = SoftReadout().fit([found], ["A", "B", "B"], [prototypes])
    assert readout.predict([found]).tolist() == ["B"] * 3


def test_no_token_is_named_in_an_empty_split():
    readout = SoftReadout().fit([hard([0, 2])], ["A", "B"], [LINE])
    assert readout.predict([memberships(np.zeros((0, 1)), LINE)]).tolist() == []


@pytest.mark.parametrize(
    ("options", "members", "roles", "prototypes", "message"),
    [
        ({}, [hard([])], [], [LINE], "got none"),
        ({}, [hard([0, 1])], ["A"], [LINE], "2 tokens"),
        ({}, [hard([0])], ["A"], [], "prototypes of 0 learners for 1"),
        ({"width": 0}, [hard([0])], ["A"], [LINE], "width 0"),
        ({"noise": float("nan")}, [hard([0])], ["A"], [LINE], "noise nan"),
        ({"own": 1.5}, [hard([0])], ["A"], [LINE], "own 1.5"),
    ],
)
def test_soft_readout_refuses(options, members, roles, prototypes, message):
    with pytest.raises(BadInputError, match=message):
        SoftReadout(**options).fit(members, roles, prototypes)


@pytest.mark.parametrize("n_alike", [3, 20])  # fewer and more than share a token
def test_of_prototypes_that_coincide_the_first_is_nearest_as_it_is_to_a_learner(n_alike):
    rng = np.random.default_rng(0)
    prototypes = rng.integers(0, 9, (300, 5)).astype(np.float32)
    prototypes[rng.permutation(300)[:n_alike]] = prototypes[150]
    vectors = prototypes + np.float32(0.25)
    expected = np.empty(300, dtype=np.int32)
    nearest(vectors, prototypes, (prototypes**2).sum(axis=1), expected)
    assert np.array_equal(memberships(vectors, prototypes).clusters[:, 0], expected)


def test_soft_readout_refuses_another_number_of_learners():
    readout = SoftReadout().fit([hard([0, 2])], ["A", "B"], [LINE])
    with pytest.raises(BadInputError, match="fitted on 1 learners, given 2"):
        readout.predict([hard([0])] * 2)
