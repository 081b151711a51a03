"""Hebbian weights that a class can read: between groups of words, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from hebbsim.demo.settings import Settings
from hebbsim.engine import TraceEngine
from hebbsim.engine.rules import get_rule
from hebbsim.models import RoleNetwork

__all__ = ["Groups", "Steps", "find_groups", "learn_sentence", "make_engine"]

N_GROUPS = 12
#: Units of a rule whose units do not stand for groups.
N_UNITS = 6


@dataclass(frozen=True, eq=False)
class Groups:
    """Word types sorted into a few groups by their codes, without a label.

    Attributes
    ----------
    names : list of str
        The commonest words of each group.
    of : dict of str to int
    centres : ndarray of float32, shape=(N_GROUPS, C)
        Mean codes of the groups.
    """

    names: list[str]
    of: dict[str, int]
    centres: NDArray[np.float32]

    def numbers(self, learner: RoleNetwork, words: Sequence[str]) -> NDArray[np.int32]:
        """Group of every word, shape=(T,); words never seen go by their code."""
        new = [word for word in dict.fromkeys(words) if word not in self.of]
        known = dict(self.of)
        if new:
            near = np.sqrt(learner.word_codes(new)) @ np.sqrt(self.centres).T
            known.update(zip(new, near.argmax(axis=1).tolist(), strict=True))
        return np.array([known[word] for word in words], dtype=np.int32)


def find_groups(learner: RoleNetwork) -> Groups:
    """Sort the words of a learner into a few groups, the commonest group first."""
    network = learner.network_
    words = list(network.index)
    counts = network.counts[list(network.index.values())].astype(np.float64)
    codes = learner.word_codes(words)
    # No function word shall outweigh all other words.
    weight = np.minimum(counts, 0.002 * counts.sum())
    found = KMeans(N_GROUPS, n_init=5, random_state=0).fit(np.sqrt(codes), sample_weight=weight)
    totals = np.bincount(found.labels_, weights=counts, minlength=N_GROUPS)
    place = np.argsort(np.argsort(-totals))
    labels = place[found.labels_]
    centres = np.zeros((N_GROUPS, codes.shape[1]), dtype=np.float32)
    names = []
    for group in range(N_GROUPS):
        members = np.flatnonzero(labels == group)
        top = members[np.argsort(-counts[members], kind="stable")]
        names.append(", ".join(words[i] for i in top[:2]) or "none")
        if len(members):
            centres[group] = codes[members].mean(axis=0)
    return Groups(names, dict(zip(words, labels.tolist(), strict=True)), centres)


def make_engine(settings: Settings) -> TraceEngine:
    """An engine over groups, one-hot, that has learned nothing."""
    rule = get_rule(settings.rule)
    token = "token" in rule.posts
    return TraceEngine(
        N_GROUPS,
        embedding=np.eye(N_GROUPS, dtype=np.float32),
        timescales=settings.timescales,
        rule=settings.rule,
        eta=settings.eta,
        post="token" if token else None,
        n_units=None if token or rule.predictive else N_UNITS,
        in_order=True,
    )


@dataclass(frozen=True, eq=False)
class Steps:
    """Weights before a sentence and after each of its words.

    Attributes
    ----------
    weights : ndarray of float32, shape=(T + 1, m, S, G)
    groups : ndarray of int32, shape=(T,)
    guesses : ndarray of int, shape=(T,), or None
        The group expected before each word came, where units stand for groups; -1 for none.
    """

    weights: NDArray[np.float32]
    groups: NDArray[np.int32]
    guesses: NDArray[np.intp] | None


def learn_sentence(engine: TraceEngine, groups: NDArray[np.int32]) -> Steps:
    """Let an engine learn a sentence, and look at its weights after each word.

    Raises
    ------
    DivergenceError
        The learning rate is too high for the rule.
    """
    shape = (engine.n_units, len(engine.timescales), N_GROUPS)
    weights = [engine.weights.reshape(shape).copy()]
    guesses = []
    for group in groups.tolist():
        expected = engine.weights @ engine.traces.reshape(-1)
        guesses.append(int(np.argmax(expected)) if expected.any() else -1)
        engine.step(group)
        weights.append(engine.weights.reshape(shape).copy())
    stand_for_groups = engine.post == "token" or engine.rule.predictive
    return Steps(np.array(weights), groups, np.array(guesses) if stand_for_groups else None)
