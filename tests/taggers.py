"""Small taggers, learned in a moment, that several tests share."""

from __future__ import annotations

from functools import cache

import numpy as np

from hebbsim.models import RoleNetwork, RolePopulation
from hebbsim.tagging import RoleTagger

SENTENCES = [
    ["the", "dog", "saw", "a", "cat", "."],
    ["a", "cat", "fed", "the", "bird", "."],
    ["the", "girl", "slept", "."],
] * 12
ROLES = ["DET", "SUBJ", "VERB", "DET", "OBJ", "END"] * 2 + ["DET", "SUBJ", "VERB", "END"]
ROLES = np.array(ROLES * 12)
NEW = [["a", "bird", "saw", "the", "zebra", "."], ["the", "cat", "slept", "."]]
ABOUT = {"seed": 0, "config": {"corpus": "mine", "n_tokens": 192}}
SMALL = {
    "timescales": (2, 8),
    "n_clusters": 6,
    "settings": [
        "words.size=5", "words.n_directions=4", "tokens.n_directions=3", "tokens.subsample=0.5",
        "tokens.start=60", "tokens.settle=40", "words.settle=15", "second.start=20",
    ],
}  # fmt: skip


def small() -> RoleNetwork:
    return RoleNetwork(**SMALL)


@cache
def single() -> RoleTagger:
    return RoleTagger(small().fit(SENTENCES), about=ABOUT).name(SENTENCES, ROLES)


@cache
def voting() -> RoleTagger:
    learner = RolePopulation(2, **SMALL).fit(SENTENCES)
    return RoleTagger(learner).name(SENTENCES, ROLES)


@cache
def nameless() -> RoleTagger:
    return RoleTagger(small().fit(SENTENCES)).name(SENTENCES)
