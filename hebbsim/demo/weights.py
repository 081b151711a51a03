"""Hebbian weights that a class can read: between groups of words, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbsim.demo.settings import Settings
from hebbsim.engine import TraceEngine
from hebbsim.engine.rules import get_rule
from hebbsim.models import HebbianRoleInducer
from hebbsim.models.prototypes import Prototypes

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
    """

    names: list[str]
    of: dict[str, int]
    prototypes: Prototypes

    def numbers(self, learner: HebbianRoleInducer, words: Sequence[str]) -> NDArray[np.int32]:
        """Group of every word, shape=(T,); words never seen go by their code."""
        new = [word for word in dict.fromkeys(words) if word not in self.of]
        known = dict(self.of)
        if new:
            found = self.prototypes.winners(np.sqrt(learner.word_codes(new)))
            known.update(zip(new, found.tolist(), strict=True))
        return np.array([known[word] for word in words], dtype=np.int32)


def find_groups(learner: HebbianRoleInducer) -> Groups:
    """Let the words of a learner compete for a few groups by their codes."""
    words = list(learner.vocabulary_.index)
    counts = learner.vocabulary_.counts.astype(np.float64)
    points = np.sqrt(learner.word_codes(words))
    rng = np.random.default_rng(5)
    # No function word shall outweigh all other words.
    weight = np.sqrt(np.minimum(counts, 0.01 * counts.sum()))
    prototypes = Prototypes(points, N_GROUPS, rng=rng, weights=weight, conscience=0.03)
    for epoch in range(6):
        order = rng.choice(len(words), size=4000, p=weight / weight.sum())
        prototypes.learn(points, order, fair=epoch < 5)
        prototypes.forget(0.3)
    found = prototypes.winners(points)
    # The commonest group first; empty ones are left out.
    totals = np.bincount(found, weights=counts, minlength=N_GROUPS)
    order = np.argsort(-totals)
    prototypes.centres = np.ascontiguousarray(prototypes.centres[order])
    prototypes.squares = np.ascontiguousarray(prototypes.squares[order])
    found = prototypes.winners(points)
    names = []
    for group in range(N_GROUPS):
        members = np.flatnonzero(found == group)
        top = members[np.argsort(-counts[members], kind="stable")][:2]
        names.append(", ".join(words[i] for i in top) or "none")
    return Groups(names, dict(zip(words, found.tolist(), strict=True)), prototypes)


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
