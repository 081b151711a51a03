"""The network that learns roles as an estimator: as scikit-learn has it, in files, and judged."""

from __future__ import annotations

from hebbsim.models.role_network import RoleNetwork

SENTENCES = [
    ["the", "dog", "saw", "a", "cat", "."],
    ["a", "cat", "fed", "the", "bird", "."],
    ["the", "girl", "slept", "."],
] * 12
N_TOKENS = sum(map(len, SENTENCES))
#: Small enough to learn in a moment.
SMALL = {
    "timescales": (2, 8),
    "n_clusters": 6,
    "settings": [
        "words.size=5", "words.n_directions=4", "tokens.n_directions=3", "tokens.subsample=0.5",
        "tokens.start=60", "tokens.settle=40", "words.settle=15", "second.start=20",
        "third.start=40",
    ],
}  # fmt: skip


def small(**changes):
    return RoleNetwork(**{**SMALL, **changes})


def test_observers_are_told_of_the_points_that_were_asked_for():
    seen = []
    points = [100, 101, 130, 191, 192, 10**6]
    for seed in range(2):
        learner = small(random_state=seed)
        learner.fit(SENTENCES, observe=lambda n: seen.append(n), observed_at=points[::-1])
    # At each end of a sentence; the last point is never reached.
    assert seen == 2 * points[:-1]


def test_before_there_are_clusters_nothing_is_observed():
    seen = []
    learner = small()
    begin = learner.clusters_begin(N_TOKENS)
    assert begin == 100
    learner.fit(SENTENCES, observe=seen.append, observed_at=[begin // 2, begin + 10])
    assert seen == [begin + 10]
    assert learner.clusters_begin(N_TOKENS, after=True) == 40
    assert learner.clusters_begin(70) == 52 + 35  # of little text layers begin earlier
